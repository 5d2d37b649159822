"""Read a lesson's text into cells whose kind, keys and lines are known.

A lesson is a py:percent script. jupytext cuts it into cells; this module adds the line at which
each cell stands, so that every complaint can name it, and gives each cell its kind.
"""

import copy
import functools
import io
import re
import tokenize
from dataclasses import dataclass, field

import jupytext

from publish.problems import Problem, PublishError

# Sorting by name gives the course's order: 03_..., 03b_..., 04_....
NAME = re.compile(r"\d\d[a-z]?_[a-z0-9_]+")
HEADER = re.compile(r"#\s*%%(\s|$)")

# Kind of cell -> (type of cell, keys that its header must have, keys that it may have).
KINDS = {
    "prose": ("markdown", (), ()),
    "setup": ("code", ("setup",), ()),
    "given": ("code", ("given",), ()),
    "exercise": ("code", ("exercise",), ()),
    "check": ("code", ("check", "points"), ("void",)),
    "question": ("code", ("question",), ()),
    "free": ("markdown", ("free", "points"), ()),
    "demo": ("code", ("demo",), ("alt", "trained")),
    "claim": ("code", ("claim",), ("seeds", "rates")),
}
# A headline claim is measured anew over at least so many seeds, and rates where they matter.
FEWEST_SEEDS, FEWEST_RATES = 10, 3
KEYS = {key for _, must, may in KINDS.values() for key in must + may}
# What jupytext itself adds to a cell's metadata.
JUPYTEXT_KEYS = {"lines_to_next_cell"}


@dataclass
class Cell:
    """A cell of a lesson: `line` is its header's line in the file, `start` its first own line."""

    kind: str
    source: str
    line: int
    start: int
    keys: dict = field(default_factory=dict)

    @property
    def name(self):
        """The grade id that the cell is about, or None: an exercise's or a question's name."""
        value = self.keys.get(self.kind)
        return value if isinstance(value, str) else None


@dataclass
class Lesson:
    """A lesson's name, its path as messages show it, and its cells."""

    name: str
    path: str
    cells: list


def read_lesson(path, shown_path):
    """Read the lesson at `path`; messages call it `shown_path`.

    Raises PublishError with all problems of the headers, or with the reason why the file cannot
    be read at all.
    """
    return parse_lesson(_read_text(path, shown_path), path.stem, shown_path)


def parse_lesson(text, name, shown_path):
    """The lesson called `name` from its text; otherwise as `read_lesson`."""
    return copy.deepcopy(_parsed(text, name, shown_path))


@functools.lru_cache(maxsize=32)  # each lesson is read once more for every later one
def _parsed(text, name, shown_path):
    header_lines = _header_lines(text, shown_path)
    cells = _cut(text, header_lines, shown_path)
    problems = []
    read = [_cell(cell, line, text, shown_path, problems) for line, cell in cells]
    if problems:
        raise PublishError(problems)
    return Lesson(name, shown_path, read)


def _read_text(path, shown_path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message, remedy = f"This is not UTF-8 text ({error.reason}).", "save the file as UTF-8."
    except OSError as error:
        message, remedy = f"The file cannot be read ({error.strerror}).", "make it readable."
    raise PublishError([Problem(shown_path, 1, message, remedy)])


def _header_lines(text, shown_path):
    """Line numbers of the cell headers; one inside a string is none, for jupytext as for us."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError) as error:
        line = error.args[1][0] if isinstance(error, tokenize.TokenError) else error.lineno
        message = f"This is not Python text ({error.args[0]})."
        remedy = "close the string or bracket that is left open near this line."
        raise PublishError([Problem(shown_path, line or 1, message, remedy)]) from None
    return [
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT
        and HEADER.match(token.string)
        and not token.line[: token.start[1]].strip()
    ]


def _cut(text, header_lines, shown_path):
    """Pairs of header line and jupytext's cell; the comment above the first header is dropped."""
    cells = jupytext.reads(text, fmt="py:percent").cells
    preamble = cells[: len(cells) - len(header_lines)]
    if len(cells) < len(header_lines):
        message = "A line that looks like a cell header stands inside a cell."
        remedy = "keep '# %%' at the start of a line for cell headers alone."
        raise PublishError([Problem(shown_path, header_lines[0], message, remedy)])
    for cell in preamble:
        lines = cell.source.splitlines()
        if cell.cell_type != "raw" and any(line and line[0] != "#" for line in lines):
            message = "There is text above the first cell header that is not a comment."
            remedy = "begin the lesson with a '# %% [markdown]' cell."
            raise PublishError([Problem(shown_path, 1, message, remedy)])
    return list(zip(header_lines, cells[len(preamble) :], strict=True))


def _cell(cell, line, text, shown_path, problems):
    keys = {key: value for key, value in cell.metadata.items() if key not in JUPYTEXT_KEYS}
    kind = _kind(cell.cell_type, keys)
    for message, remedy in _header_faults(cell.cell_type, kind, keys):
        problems.append(Problem(shown_path, line, message, remedy))
    lines = text.splitlines()
    start = line + 1
    while start < len(lines) and not lines[start - 1].strip():
        start += 1
    return Cell(kind, cell.source, line, start, keys)


def _kind(cell_type, keys):
    found = [kind for kind in KINDS if kind in keys]
    return found[0] if found else ("prose" if cell_type == "markdown" else "code")


def _header_faults(cell_type, kind, keys):
    """Yield (message, remedy) for whatever the header has that it should not have, or lacks."""
    known = ", ".join(sorted(KEYS))
    if "incorrectly_encoded_metadata" in keys or "title" in keys:
        text = keys.get("incorrectly_encoded_metadata", keys.get("title"))
        yield f"The header text {text!r} cannot be read.", f'write key="value"; the keys: {known}.'
        return
    for key in sorted(set(keys) - KEYS):
        yield f"Unknown header key {key!r}.", f"use one of: {known}."
    if kind == "code":
        kinds = ", ".join(kind for kind, (wanted, *_) in KINDS.items() if wanted == "code")
        yield "A code cell has no kind.", f"give its header one of: {kinds}."
        return
    wanted, must, may = KINDS[kind]
    if cell_type != wanted:
        marker = "# %% [markdown]" if wanted == "markdown" else "# %%"
        yield f"A {kind} cell must be a {wanted} cell.", f"begin its header with '{marker}'."
    for key in must:
        if key not in keys:
            yield f"The {kind} cell lacks {key!r}.", f"add {key}=... to its header."
    for key in sorted((set(keys) & KEYS) - set(must) - set(may)):
        yield f"Header key {key!r} does not belong to a {kind} cell.", "remove it."
    yield from _value_faults(keys)


def _value_faults(keys):
    for key in ("setup", "demo", "trained", "void"):
        if key in keys and keys[key] is not True:
            yield f"{key} must be true.", f"write {key}=true."
    for key in ("exercise", "check", "question", "free", "claim"):
        value = keys.get(key, "name")
        if not (isinstance(value, str) and value.isidentifier()):
            yield f"{key}={value!r} is not a Python name.", f'write {key}="name".'
    for key in ("question", "free"):
        if key in keys and not str(keys[key]).startswith("q_"):
            yield f"{key}={keys[key]!r} does not begin with 'q_'.", "name it q_...."
    if "points" in keys and not _is_points(keys["points"]):
        yield f"points={keys['points']!r} is not a positive number.", "write points=2, say."
    given = keys.get("given", ["name"])
    if not (isinstance(given, list) and given and all(isinstance(name, str) for name in given)):
        yield f"given={given!r} is not a list of names.", 'write given=["softmax"].'
    if not isinstance(keys.get("alt", ""), str):
        yield "alt is not a text.", 'write alt="what the figure shows".'
    yield from _rerun_faults(keys)


def _rerun_faults(keys):
    """What is wrong with how often a headline claim is to be measured anew."""
    seeds, rates = keys.get("seeds", FEWEST_SEEDS), keys.get("rates")
    if not _is_whole(seeds) or seeds < FEWEST_SEEDS:
        yield f"seeds={seeds!r} is too few.", f"write seeds={FEWEST_SEEDS} or more."
    if rates is not None and "seeds" not in keys:
        yield "There are rates, but no seeds.", f"add seeds={FEWEST_SEEDS}, say."
    if rates is not None and not _are_rates(rates):
        yield f"rates={rates!r} are not three rates.", "write rates=[0.05, 0.1, 0.2], say."


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _are_rates(values):
    numbers = isinstance(values, list) and all(isinstance(one, int | float) for one in values)
    return numbers and len(set(values)) >= FEWEST_RATES and min(values) > 0


def _is_points(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1000
