"""Bug hunts: a dict from stored runs, shown by their gauges, to the names of their bugs."""

from grader.checking import Case, Problem, RuleExercise, _, kind_text


def hunt(name, bugs, hints, others, hint):
    """The exercise. bugs: run -> bug; hints: run -> msgid of what to look at where something else
    was answered; others: bugs that may be named and are not there; hint: msgid of what to do where
    no other hint fits."""
    options = tuple(sorted({*bugs.values(), *others}))
    rules = entries_rule(bugs, options), names_rule(bugs, hints)
    return RuleExercise(name, "value", lambda rng: [Case({}, shown=name)], rules=rules, hint=hint)


def entries_rule(bugs, options):
    """A dict run -> name of a bug, each of them on the list."""

    def entries(case, seen):
        value = seen["value"]
        words = _("a dict with the keys {names}").format(names=", ".join(bugs))
        if value.get("kind") != "mapping":
            return Problem(step="kind", expected=words, got=kind_text(value))
        found = {str(key.get("value")): item for key, item in value["items"]}
        missing = [run for run in bugs if run not in found]
        if missing:
            hint = _("Each run has one bug. Leave none out, and keep the letters.")
            got = _("no key {name}").format(name=missing[0])
            return Problem(step="kind", expected=words, got=got, hint=hint, mistake="run-left-out")
        for run in bugs:
            problem = _one_entry(run, found[run], options)
            if problem:
                return problem
        return None

    return entries


def _one_entry(run, item, options):
    got = _("run {name}: {value}")
    if item.get("kind") == "none":
        hint = _("Not answered yet: put the name of a bug in place of None.")
        words = got.format(name=run, value="None")
        return Problem(step="defined", got=words, hint=hint, mistake="not-answered")
    if _name(item) in options:
        return None
    wanted = _("one of {names}").format(names=", ".join(options))
    words = got.format(name=run, value=kind_text(item))
    hint = _("Write the name as it stands in the list, with its hyphens.")
    return Problem(step="kind", expected=wanted, got=words, hint=hint, mistake="unknown-bug")


def names_rule(bugs, hints):
    """The first run whose bug is another one."""

    def names(case, seen):
        found = {str(key.get("value")): _name(item) for key, item in seen["value"]["items"]}
        wrong = [run for run, bug in bugs.items() if found[run] != bug]
        if not wrong:
            return None
        run = wrong[0]
        got = _("run {name}: {value}").format(name=run, value=found[run])
        right = _("{n} of {all} runs are right")
        got += "\n" + right.format(n=len(bugs) - len(wrong), all=len(bugs))
        return Problem(step="value", got=got, hint=_(hints[run]), mistake=f"run-{run}")

    return names


def _name(item):
    return str(item.get("value", "")).strip().lower()
