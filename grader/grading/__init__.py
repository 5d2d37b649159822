"""Grading a folder of submissions, and the demo class."""
