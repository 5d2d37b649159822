"""Which cell of the lesson a submitted cell is, or is a copy or a piece of.

Platforms drop metadata and ids, split Markdown into paragraphs, and copy whole notebooks; students
put a comment before a cell or write their answer into the question. A cell is the course's where
its text is, however it got there.
"""

import ast
import functools
import re
from dataclasses import dataclass

from grader.course import ANSWERS, Lesson
from grader.i18n import _
from policy_gradients.handout import TEXT_STUB
from policy_gradients.i18n import languages, speaking

# Shorter than this, a text that also stands somewhere in the lesson's prose may be an answer.
PIECE = 40
MAX_PARSED = 20_000
# How much longer than the longest of the course's cells a commented copy may be.
MOST_COMMENT = 2_000
MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)


def parsed(text):
    """The tree of a cell's code, IPython's own lines left out; None where it can't be parsed."""
    try:
        return ast.parse(MAGIC.sub(r"\1pass", text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def squeezed(text) -> str:
    """A text without spaces at its ends and at its lines' ends."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def letters(text) -> str:
    """Letters and digits alone: what a platform that rewrites Markdown leaves as it was."""
    return "".join(re.findall(r"[^\W_]+", text)).casefold()


def is_stub(text) -> bool:
    """Whether it is the text that stands in an empty answer cell, in any language."""
    return letters(text) in _stubs()


def _stubs():
    found = {letters(TEXT_STUB)}
    for code in languages():
        with speaking(code):
            found.add(letters(_(TEXT_STUB)))
    return found


@functools.lru_cache(maxsize=64)
def code_key(text):
    """What the code does, comments and layout apart; None where it can't be parsed."""
    if len(text) > MAX_PARSED:
        return None
    if (tree := parsed(text)) is None or not tree.body:
        return None
    try:
        does = ast.dump(tree)
    except (RecursionError, MemoryError):
        return None
    magics = tuple(found.group().strip() for found in MAGIC.finditer(text))
    return does, magics


def same_code(one, other) -> bool:
    """Whether two codes are the same, comments and layout apart."""
    if squeezed(one) == squeezed(other):
        return True
    key = code_key(one)
    return key is not None and key == code_key(other)


@dataclass(frozen=True)
class Found:
    """index: of the lesson's cell; whole: whether it is that cell or a piece of it, not a text that
    continues it; rest: what the student wrote behind the course's own text; moves: whether what
    follows stands there, too (a piece might be a heading of the student's own)."""

    index: int
    whole: bool = True
    rest: str = ""
    moves: bool = True


class Matcher:
    """Finds the lesson's cells in a submission, one cell after the other."""

    def __init__(self, lesson: Lesson):
        self.lesson = lesson
        cells = list(enumerate(lesson.cells))
        self.by_grade_id = {cell.grade_id: i for i, cell in cells if cell.grade_id}
        self.by_id = {cell.id: i for i, cell in cells}
        self.by_text, self.by_code, self.by_letters, self.by_line = {}, {}, {}, {}
        self.longest = max((len(cell.source) for _i, cell in cells), default=0) + MOST_COMMENT
        for i, cell in cells:
            if cell.kind != "check":  # a student may ask for a check anywhere; that moves nothing
                self.by_text.setdefault(squeezed(cell.source), i)
            if cell.kind in ("setup", "given", "demo") and (key := code_key(cell.source)):
                self.by_code.setdefault(key, i)
            if cell.kind == "prose":
                self._learn_prose(i, cell.source)
        self.prose = [(i, letters(cell.source)) for i, cell in cells if cell.kind == "prose"]
        self.all_prose = "\0".join(text for _i, text in self.prose)

    def _learn_prose(self, index, text):
        if found := letters(text):
            self.by_letters.setdefault(found, index)
        for part in (*text.split("\n"), *re.split(r"\n\s*\n", text)):
            if found := letters(part):
                self.by_line.setdefault(found, index)

    def find(self, cell) -> Found | None:
        """The lesson's cell that this one is; None where it is the student's own."""
        index = self.by_grade_id.get(cell.grade_id)
        if index is None and cell.source.strip():
            index = self.by_text.get(squeezed(cell.source))
        if index is None and cell.id in self.by_id:
            index = self._by_id(cell, self.by_id[cell.id])
        if index is not None:
            return Found(index)
        return self._code(cell) if cell.cell_type == "code" else self._words(cell)

    def _by_id(self, cell, index):
        """The cell of that id, where its nbgrader metadata was lost on the way."""
        source = self.lesson.cells[index]
        usable = source.kind in (*ANSWERS, "free", "demo") and source.cell_type == cell.cell_type
        return index if usable else None

    def _code(self, cell):
        if not self.by_code or len(cell.source) > self.longest:
            return None
        index = self.by_code.get(code_key(cell.source))
        return None if index is None else Found(index)

    def _words(self, cell):
        """Prose as a platform rewrote, split or joined it, or a question with words added to it."""
        text = letters(cell.source)
        if text in self.by_letters:
            return Found(self.by_letters[text])
        if text in self.by_line or (len(text) >= PIECE and text in self.all_prose):
            index = self.by_line.get(text)
            if index is None:
                index = next(i for i, prose in self.prose if text in prose)
            return Found(index, moves=False)
        return self._continued(cell, text)

    def _continued(self, cell, text):
        known = self.by_id.get(cell.id)
        if known is not None and self.lesson.cells[known].kind == "prose":
            return Found(known, False, _behind(cell.source, self.lesson.cells[known].source))
        for i, prose in self.prose:
            if len(prose) >= PIECE and text.startswith(prose):
                return Found(i, False, _behind(cell.source, self.lesson.cells[i].source))
        return None


def _behind(text, given):
    """What stands behind the given text; all of the text where it doesn't begin with it."""
    text, given = squeezed(text), squeezed(given)
    return text[len(given) :].strip() if text.startswith(given) else text


def spoken_in(document, translations) -> str:
    """The language whose texts a notebook holds that doesn't say its own; "" where none does."""
    texts = {squeezed(cell.source) for cell in document.cells if cell.source.strip()}
    found = {
        code: sum(cell.kind == "prose" and squeezed(cell.source) in texts for cell in lesson.cells)
        for code, lesson in translations.items()
    }
    best = max(found, key=found.get, default="")
    return best if best and found[best] > min(found.values()) else ""
