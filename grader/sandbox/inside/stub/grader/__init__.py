"""Stands for the course's grader while a submission is graded: its checks say and know nothing."""

__path__ = []


def check(*names, **options):
    """Does nothing; the verdict is spoken elsewhere."""


def progress(notebooks=None):
    """There are no notebooks here."""
    raise RuntimeError("Progress needs the course's package grader.")
