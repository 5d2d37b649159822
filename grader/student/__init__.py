"""What runs beside a student: check and progress, on the student's own machine."""
