"""Exercises that a lesson held once and that another lesson holds now, under the same names."""

# The lesson that held it -> name of the exercise -> the lesson that holds it now.
MOVED = {"03_baseline_critic": {"td_errors": "03b_gae", "gae": "03b_gae"}}


def moved_from(lesson: str) -> dict[str, str]:
    """Name -> the lesson that holds it now, of what this lesson held once."""
    return MOVED.get(lesson, {})
