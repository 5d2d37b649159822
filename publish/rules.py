"""What a lesson must hold to beyond its headers: names, regions, checks, given code."""

import ast
import functools
import re

from IPython.core.inputtransformer2 import TransformerManager

from policy_gradients.handout import BEGIN_SCHEME, END_SCHEME, answer_id
from policy_gradients.handout import BEGIN_SOLUTION as BEGIN
from policy_gradients.handout import END_SOLUTION as END
from publish.catalogue import N_, SOURCE_LANGUAGE, text_in
from publish.claim_rules import claim_problems
from publish.lesson import NAME
from publish.names import defined_and_used
from publish.problems import Problem, PublishError

GIVEN = N_("# {name}, as lesson {lesson} solves it")
# nbgrader finds its delimiters anywhere in a line, so a mere mention of one would act.
DELIMITERS = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)|AUTOTEST")


def check_lessons(lessons, registered=None):
    """Raise PublishError with all problems of `lessons`, which must be in the course's order.

    `registered` is the set of names that the grader has a check for; None skips that question.
    """
    problems, earlier = [], {}
    for lesson in lessons:
        problems += _lesson_problems(lesson, earlier, registered)
        earlier = solutions_of(lesson) | earlier
    if problems:
        raise PublishError(problems)


def solutions_of(lesson):
    """Name -> (lesson's name, cell's source) for each exercise of the lesson."""
    exercises = (cell for cell in lesson.cells if cell.kind == "exercise")
    return {cell.name: (lesson.name, cell.source) for cell in exercises}


def given_source(names, solutions, language=SOURCE_LANGUAGE):
    """The code of a given cell: each named exercise's solution, and where it comes from."""
    says = text_in(language, GIVEN)
    parts = []
    for name in names:
        lesson_name, source = solutions[name]
        parts.append(f"{says.format(name=name, lesson=lesson_name)}\n{without_markers(source)}")
    return "\n\n\n".join(parts)


def _lesson_problems(lesson, earlier, registered):
    found = [
        *_outline(lesson),
        *_grade_ids(lesson, earlier),
        *_checks(lesson, registered),
        *_missing_names(lesson, earlier),
        *claim_problems(lesson),
    ]
    for cell in lesson.cells:
        found += _delimiters(cell)
        if cell.kind in ("exercise", "question"):
            found += _answer(cell)
        elif cell.kind == "check" and cell.source != f'check("{cell.name}")':
            remedy = f'let check("{cell.name}") be the whole cell.'
            found.append((cell.start, "A check cell holds something else than its check.", remedy))
        elif cell.kind == "given":
            found += _given(cell, earlier, lesson.name)
        if cell.kind in ("setup", "demo", "exercise", "question", "claim"):
            found += _syntax(cell)
    return [Problem(lesson.path, *item) for item in found]


def _outline(lesson):
    if not NAME.fullmatch(lesson.name):
        remedy = "name it two digits, perhaps a letter, '_', then small letters, digits and '_'."
        yield 1, f"{lesson.name!r} is not a lesson's name.", remedy
    first = lesson.cells[0] if lesson.cells else None
    if first is None or first.kind != "prose" or not first.source.startswith("# "):
        line = first.line if first else 1
        yield (
            line,
            "The lesson does not begin with a title.",
            ("begin with a '# %% [markdown]' cell whose first line is '# # Title'."),
        )


def _grade_ids(lesson, earlier):
    """Each exercise, question and free text is named once, over all lessons; each check once."""
    seen = {}
    for cell in lesson.cells:
        if cell.kind not in ("exercise", "question", "free", "check"):
            continue
        # A free text is graded itself; the others' grade id belongs to their check cell.
        check_id, own_id = cell.name, answer_id(cell.name)
        ids = {"free": [check_id, own_id], "check": [check_id]}.get(cell.kind, [own_id])
        first = next((seen[grade_id] for grade_id in ids if grade_id in seen), None)
        seen |= dict.fromkeys(ids, cell.line)
        if first is not None:
            remedy = f"rename or remove it; the first one is in line {first}."
            yield cell.line, f"Duplicate grade id: a second {cell.kind}={cell.name!r}.", remedy
        if cell.kind == "exercise" and cell.name in earlier:
            message = f"Lesson {earlier[cell.name][0]} already has an exercise {cell.name!r}."
            yield cell.line, message, "rename this one."


def _checks(lesson, registered):
    answers, checked = {}, set()
    for cell in lesson.cells:
        if cell.kind in ("exercise", "question"):
            answers.setdefault(cell.name, cell)
        elif cell.kind == "check":
            checked.add(cell.name)
            if cell.name not in answers:
                message = f"check={cell.name!r}: there is no such exercise or question above it."
                yield cell.line, message, "correct the name, or put the exercise before its check."
            elif registered is not None and cell.name not in registered:
                message = f"The grader has no check for {cell.name!r}."
                yield cell.line, message, "register one in grader/, or correct the name."
    for name, cell in answers.items():
        if name not in checked:
            remedy = f"add a cell '# %% check=\"{name}\" points=...' after it."
            yield cell.line, f"The {cell.kind} {name!r} has no check.", remedy


def _delimiters(cell):
    for offset, line in enumerate(cell.source.splitlines()):
        found = DELIMITERS.search(line)
        if not found:
            continue
        word = found.group(0)
        where = {"SOLUTION": ("exercise", "question"), "SCHEME": ("free",)}.get(
            word.rsplit(" ", 1)[-1], ()
        )
        if cell.kind not in where:
            remedy = f"keep it for {' and '.join(where)} cells." if where else "leave it out."
            yield cell.start + offset, f"'{word}' in a {cell.kind} cell.", remedy
        elif line.strip() != f"### {word}":
            yield cell.start + offset, f"'{word}' must stand alone.", f"write '### {word}'."
    if cell.kind in ("exercise", "question"):
        yield from _region(cell, BEGIN, END)
    elif cell.kind == "free":
        yield from _region(cell, BEGIN_SCHEME, END_SCHEME)


def _region(cell, begin, end):
    """Yield what is wrong with the cell's delimited regions."""
    opened, count = None, 0
    for offset, line in enumerate(cell.source.splitlines()):
        number, text = cell.start + offset, line.strip()
        if text == begin:
            if opened:
                yield number, f"'{begin}' within a region.", f"end the one of line {opened} first."
            opened, count = number, count + 1
        elif text == end:
            if not opened:
                yield number, f"'{end}' without its beginning.", f"add '{begin}' above it."
            opened = None
    if opened:
        yield opened, f"'{begin}' has no '{end}'.", f"add '{end}' where it ends."
    if not count:
        remedy = f"put '{begin}' and '{end}' around what a student must not see."
        yield cell.line, f"The {cell.kind} cell has no '{begin}'.", remedy


@functools.cache  # the same cells are looked at for each lesson after theirs
def plain_python(source):
    """The code with IPython's magics turned into calls, line by line."""
    return TransformerManager().transform_cell(source)


def without_markers(source):
    """The code with its solution, but without the lines that delimit it."""
    return "\n".join(line for line in source.split("\n") if line.strip() not in (BEGIN, END))


def without_solution(source):
    """The code with its solution regions left out."""
    kept, inside = [], False
    for line in source.split("\n"):
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def has_blank(source, name):
    """Whether the code around the solution gives `name` a value: a blank to fill in, no stub."""
    try:
        tree = ast.parse(plain_python(without_solution(source)))
    except SyntaxError:
        return False
    return name in _assigned(tree)


def _assigned(tree):
    targets = []
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets.append(node.target)
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _answer(cell):
    """An exercise or question must define its name, and its stub must do no harm."""
    try:
        tree = ast.parse(plain_python(cell.source))
    except SyntaxError:
        return
    functions = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    name, blank = cell.name, f"{cell.name} = None"
    if name not in functions and name not in _assigned(tree):
        yield cell.line, f"The cell does not define {name!r}.", f"define {name!r} in it."
    elif cell.kind == "question" and not has_blank(cell.source, name):
        remedy = f'put \'{blank}  # "a", "b" or "c"\' above \'{BEGIN}\'.'
        yield cell.line, f"The question {name!r} leaves no blank to fill in.", remedy
    elif name in functions and not ast.get_docstring(functions[name]):
        remedy = "say in it what is asked, the shapes, and an example."
        yield cell.line, f"{name!r} has no docstring.", remedy
    elif name not in functions and not has_blank(cell.source, name):
        remedy = f"put a blank such as '{blank}' above '{BEGIN}'."
        yield cell.line, f"The unsolved cell of {name!r} would stop 'Run all'.", remedy


def _given(cell, earlier, lesson_name):
    if cell.source.strip():
        message = "A given cell has a body, but the build writes it."
        yield cell.start, message, "remove the code below the header."
    for name in cell.keys["given"]:
        if name not in earlier:
            message = f"given {name!r}: no lesson before {lesson_name} has such an exercise."
            yield cell.line, message, f"name one of: {', '.join(sorted(earlier)) or '(none)'}."


def _syntax(cell):
    try:
        compile(plain_python(cell.source), "cell", "exec")
    except SyntaxError as error:
        line = cell.start + (error.lineno or 1) - 1
        yield line, f"Python cannot read this ({error.msg}).", "correct the syntax."


def _missing_names(lesson, earlier):
    """Grading runs no demo, so what the other cells need must come from the other cells."""
    shown, graded, claims = set(), {}, {}
    for cell in lesson.cells:
        try:
            source = plain_python(_code(cell, earlier))
            defined, used = defined_and_used(source)
        except (SyntaxError, KeyError):
            return  # told elsewhere
        if cell.kind == "demo":
            shown |= defined
        elif cell.kind == "claim":
            claims[cell.line] = used - defined
        elif cell.kind in ("setup", "given", "exercise", "question", "check"):
            graded[cell.line] = (defined, used)
    known = set().union(*(defined for defined, _ in graded.values()))
    for line, (_, used) in graded.items():
        for name in sorted(used - known):
            if name in shown:
                remedy = "define it in a setup cell."
                yield line, f"{name!r} comes from a demo, which grading does not run.", remedy
            else:
                yield line, f"{name!r} is defined nowhere.", "import, define or give it."
    for line, used in claims.items():
        for name in sorted(used - known - shown - {"claim"}):
            yield line, f"{name!r} is defined nowhere.", "name what the cells above define."


def _code(cell, earlier):
    if cell.kind == "given":
        return given_source(cell.keys["given"], earlier)
    return "" if cell.kind in ("prose", "free") else cell.source
