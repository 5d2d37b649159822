"""From one submission's bytes to its marks, its marked notebook and its feedback page."""
