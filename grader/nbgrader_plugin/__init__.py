"""What nbgrader loads: its converters with this grader inside, and configurations."""
