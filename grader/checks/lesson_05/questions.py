"""The question about the first step, and the bug hunt."""

from grader.checking import N_, Case, Choice, Problem, RuleExercise, _, kind_text

Q_FIRST_STEP = Choice(
    "q_first_step",
    "a",
    {
        "b": N_("Which policy collected the data, and which one is scored before the first step?"),
        "c": N_("The gradient of log r is not log r. What is the derivative of r where r is 1?"),
        "d": N_("No step has been taken yet: how could its size matter?"),
    },
)

# Run -> (bug, what to look at where something else was answered).
BUGS = {
    "A": (
        "critic-untrained",
        N_("The policy does learn, slowly. Which gauge never leaves 0, and whose is it?"),
    ),
    "B": (
        "old-recomputed",
        N_("The policy moves: its entropy falls at once. How can the measured KL be exactly 0?"),
    ),
    "C": (
        "actions-resampled",
        N_(
            "Each update moves the policy, and nothing is ever learned. What did the advantages "
            "belong to?"
        ),
    ),
    "D": (
        "no-clip",
        N_("It learns, then falls. How far does a single update move this policy?"),
    ),
    "E": (
        "loss-sign",
        N_("Nine steps is less than chance gives. Something was learned, and quickly: what?"),
    ),
    "F": (
        "policy-frozen",
        N_("Three gauges stand perfectly still. Which part of the program still learns?"),
    ),
    "G": (
        "reward-sign",
        N_(
            "It learns to drop the pole, as another run does. Compare their KL: this one takes "
            "PPO's own steps. What did it climb?"
        ),
    ),
    "H": (
        "temperature",
        N_("Look at the last column. Before any step, who can have moved the ratios off 1?"),
    ),
}
OTHERS = ("entropy-bonus", "episodes-leak")
OPTIONS = tuple(sorted([*(bug for bug, _hint in BUGS.values()), *OTHERS]))


def hunt_cases(rng):
    return [Case({}, shown="bug_hunt")]


def hunt_entries(case, seen):
    """A dict run -> name of a bug, each of them on the list."""
    value = seen["value"]
    words = _("a dict with the keys {names}").format(names=", ".join(BUGS))
    if value.get("kind") != "mapping":
        return Problem(step="kind", expected=words, got=kind_text(value))
    found = {str(key.get("value")): item for key, item in value["items"]}
    missing = [name for name in BUGS if name not in found]
    if missing:
        hint = _("Each run has one bug. Leave none out, and keep the letters.")
        got = _("no key {name}").format(name=missing[0])
        return Problem(step="kind", expected=words, got=got, hint=hint, mistake="run-left-out")
    for name in BUGS:
        item = found[name]
        if item.get("kind") == "none":
            hint = _("Not answered yet: put the name of a bug in place of None.")
            got = _("run {name}: {value}").format(name=name, value="None")
            return Problem(step="defined", got=got, hint=hint, mistake="not-answered")
        if _name(item) not in OPTIONS:
            got = _("run {name}: {value}").format(name=name, value=kind_text(item))
            wanted = _("one of {names}").format(names=", ".join(OPTIONS))
            hint = _("Write the name as it stands in the list, with its hyphens.")
            return Problem(step="kind", expected=wanted, got=got, hint=hint, mistake="unknown-bug")
    return None


def _name(item):
    return str(item.get("value", "")).strip().lower()


def hunt_names(case, seen):
    """The first run whose bug is another one."""
    found = {str(key.get("value")): _name(item) for key, item in seen["value"]["items"]}
    for name, (bug, hint) in BUGS.items():
        if found[name] != bug:
            got = _("run {name}: {value}").format(name=name, value=found[name])
            wrong = sum(found[other] != right for other, (right, _hint) in BUGS.items())
            got += "\n" + _("{n} of {all} runs are right").format(
                n=len(BUGS) - wrong, all=len(BUGS)
            )
            return Problem(step="value", got=got, hint=_(hint), mistake=f"run-{name}")
    return None


BUG_HUNT = RuleExercise(
    "bug_hunt",
    "value",
    hunt_cases,
    rules=(hunt_entries, hunt_names),
    hint=N_("Keep the eight letters, and put the name of a bug, as a string, at each."),
)
