"""Slips in training runs that several lessons' students make: one name and one hint each."""

from grader.checking import Problem, _, behaviour


def gradients_pile_up() -> Problem:
    return behaviour(
        _("a fresh gradient at each step"),
        _("old gradients added to new ones"),
        _("backward() adds to what is there already. Who clears it?"),
        "gradients-pile-up",
    )
