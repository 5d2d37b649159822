"""Slips in training runs that several lessons' students make: one name and one hint each."""

from grader.checking import Problem, _, behaviour, wrong_gradient


def gradients_pile_up() -> Problem:
    return behaviour(
        _("a fresh gradient at each step"),
        _("old gradients added to new ones"),
        _("backward() adds to what is there already. Who clears it?"),
        "gradients-pile-up",
    )


def critic_elsewhere(hint: str) -> Problem:
    """hint: what to look at, translated."""
    expected = _("the critic's values move towards the returns")
    return wrong_gradient(expected, _("another direction"), hint, "critic-elsewhere")
