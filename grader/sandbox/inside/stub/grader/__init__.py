"""Stands for the course's grader while a submission is graded: its checks say and know nothing."""

__path__ = []


def check(*names, **options):
    """Does nothing; the verdict is spoken elsewhere."""
