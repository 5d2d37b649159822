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


def likeliest_actions(count: int) -> Problem:
    return behaviour(
        _("actions drawn at random from the policy"),
        _("the likeliest action at each of {n} steps").format(n=count),
        _("Without sampling there is no expectation to estimate."),
        "argmax",
    )


def episodes_unreal() -> Problem:
    return behaviour(
        _("episodes that the environment plays"),
        _("an episode that it can't have played"),
        _("Let reset() and step() alone decide where an episode begins and goes."),
        "episodes-unreal",
    )


def other_generator(expected: str) -> Problem:
    """Equal generators gave different orders."""
    hint = _("All randomness comes from rng: is another generator in play?")
    return behaviour(expected, _("two different orders"), hint, "not-from-rng")


def always_one_order(expected: str) -> Problem:
    """Different generators gave one order."""
    hint = _("Draw from rng itself. Is a generator made or seeded inside?")
    return behaviour(expected, _("the same order each time"), hint, "same-order")
