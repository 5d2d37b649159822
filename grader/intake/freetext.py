"""A free text wherever the student wrote it: in its cell, around it, or elsewhere without it.

A text that a person has to mark must never count as blank because of the cell it stands in.
"""

import ast
import re
from dataclasses import replace

from grader.course.notes import note
from grader.i18n import N_
from grader.intake.document import StudentCell
from grader.intake.matching import is_stub, letters, parsed, squeezed

# Words in code that can't be parsed, for it to be taken for a text.
MOST_SIGNS, FEWEST_WORDS = 0.04, 5
MOST_TEXT = 8_000


def gather(lesson, places, present, plan) -> list:
    """The places with each free text in its own place, and a note on what stood elsewhere.

    present: numbers of the lesson's cells that the student still has.
    """
    free = [i for i, cell in enumerate(lesson.cells) if cell.kind == "free"]
    if not free:
        return places
    near, elsewhere, empty, taken = [], [], [], set()
    own = [place for place in places if place.stands_for is None]
    pieces = {i: _pieces(lesson, places, own, present, i, taken) for i in free}
    markdown = [place for place in own if place.cell.cell_type != "code" and is_words(place.cell)]
    for i in free:
        source = lesson.cells[i]
        rest = [place for place in markdown if id(place) not in taken]
        there = any(place.stands_for is source for place in places)
        if pieces[i] and any(place.stands_for is not source for place in pieces[i]):
            near.append(source.grade_id)
        elif not pieces[i] and rest:
            (empty if there else elsewhere).append(source.grade_id)
            pieces[i] = [] if there else rest
        places = _put_together(places, source, i, pieces[i])
    _note(plan, near, elsewhere, empty)
    return places


def _pieces(lesson, places, own, present, index, taken):
    """What stands in the cell, or between the question and the next cell that is the course's."""
    source = lesson.cells[index]
    question = max((i for i in present if i < index), default=-1)
    near = [p for p in own if question <= p.at <= index and id(p) not in taken]
    around = [place for place in near if is_words(place.cell)]
    taken |= {id(place) for place in around}
    written = [p for p in places if p.stands_for is source and is_written(p.cell, source)]
    chosen = {id(place) for place in (*around, *written)}
    return [place for place in places if id(place) in chosen]


def is_written(cell, source) -> bool:
    """Whether a free text's cell holds more than it was handed out with."""
    same = squeezed(cell.source) == squeezed(source.source)
    return bool(cell.pictures) or not (same or is_stub(cell.source) or not cell.source.strip())


def is_words(cell) -> bool:
    """Whether a student's own cell says something: Markdown, a picture, a text in a code cell."""
    if cell.cell_type == "code":
        return _is_text_in_code(cell.source)
    return (
        bool(cell.pictures)
        or bool(re.search(r"[^\W_]|[^\x00-\x7f]", cell.source))
        and (not is_stub(cell.source))
    )


def _is_text_in_code(text):
    if not letters(text) or len(text) > MOST_TEXT:
        return False
    if (tree := parsed(text)) is None:
        signs = len(re.findall(r"[=(){}\[\]]", text))
        words = len(re.findall(r"[^\W\d_]{2,}", text))
        return words >= FEWEST_WORDS and signs <= MOST_SIGNS * len(text)
    return all(_is_string(statement) for statement in tree.body)


def _is_string(statement):
    value = getattr(statement, "value", None)
    text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return isinstance(statement, ast.Expr) and (text or isinstance(value, ast.JoinedStr))


def _put_together(places, source, index, pieces):
    """The places with one cell in the free cell's place; code that was read as text stays, too."""
    if not pieces or (len(pieces) == 1 and pieces[0].stands_for is source):
        return places
    gone = {id(p) for p in pieces if p.cell.cell_type != "code" or p.stands_for is source}
    kept = [p for p in places if id(p) not in gone and p.stands_for is not source]
    return [*kept, replace(pieces[0], cell=_joined(pieces, source), at=index, stands_for=source)]


def _joined(pieces, source):
    texts, pictures = [], {}
    for number, place in enumerate(pieces, 1):
        text = place.cell.source.strip()
        for name, kinds in place.cell.pictures.items():
            new = name if name not in pictures else f"cell-{number}-{name}"[:100]
            pictures[new] = kinds
            text = text.replace(f"(attachment:{name})", f"(attachment:{new})")
        texts.append(text)
    return StudentCell(
        "markdown", "\n\n".join(filter(None, texts)), source.grade_id, source.id, None, pictures
    )


def _note(plan, near, elsewhere, empty):
    for names, message in (
        (near, N_("The answer to {names} stands in cells around its own; it was put together.")),
        (
            elsewhere,
            N_("The cell of {names} is missing; what was written elsewhere was put there."),
        ),
        (empty, N_("Nothing stands at {names}, though other cells hold text; look there.")),
    ):
        if names:
            plan.notes.append(note(message, names=names))
