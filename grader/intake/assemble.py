"""Puts a student's cells between the course's own: what will be run and marked, in which order.

Check, setup and given cells, points and prose come from the lesson; answers are taken by grade
id; whatever else the student wrote stays where it stood. The order is the lesson's, so that an
answer always comes before its check.
"""

import ast
import builtins
from collections import Counter
from dataclasses import dataclass, field, replace

from grader.course import ANSWERS, Lesson, SourceCell
from grader.course.lessons import checksum
from grader.course.moved import moved_from
from grader.course.notes import note
from grader.i18n import N_
from grader.intake.document import Document, StudentCell
from grader.intake.freetext import gather, is_written
from grader.intake.matching import MAX_PARSED, Found, Matcher, is_stub, parsed, same_code, squeezed

LOCKED = ("setup", "given", "check")
EXTRA = SourceCell("extra", "code", "", "")
# Characters of all that the student wrote that are looked through for names: more than anybody
# writes.
MAX_ALL_PARSED = 200_000


@dataclass(frozen=True)
class PlanCell:
    """A cell of the marked notebook. source: the lesson's cell that it stands for, or EXTRA;
    text: what it holds; run: whether it is executed; written: whether the student wrote it."""

    source: SourceCell
    text: str
    cell_type: str
    run: bool = False
    written: bool = False
    pictures: dict = field(default_factory=dict, hash=False)

    @property
    def kind(self) -> str:
        return self.source.kind


@dataclass
class Plan:
    """The cells in the order in which they are run, and what was noticed on the way."""

    cells: list
    notes: list = field(default_factory=list)
    suspicions: list = field(default_factory=list)


@dataclass
class _Place:
    """Where a student's cell goes: behind the lesson's cell number ``at``, or in its place."""

    cell: StudentCell
    at: int
    stands_for: SourceCell | None = None


def assemble(lesson: Lesson, document: Document) -> Plan:
    """The plan for one submission. Never refuses: what can't be placed is run where it stood."""
    plan = Plan([])
    places = _without_repeats(lesson, _places(lesson, document.cells))
    _compare_locked(lesson, document.cells, plan)
    _tell_what_moved(lesson, document.cells, plan)
    present = {place.at for place in places if place.stands_for}
    places = gather(lesson, _choose_answers(places, plan), present, plan)
    for at in range(-1, len(lesson.cells)):
        plan.cells += _cells_at(lesson, at, [place for place in places if place.at == at])
    _missing(lesson, document, places, plan)
    _run_needed_demos(plan)
    return plan


def blank(lesson: Lesson) -> Plan:
    """The plan of a submission that could not be read: the lesson's cells, none of them run."""
    return Plan([PlanCell(cell, cell.source, cell.cell_type) for cell in lesson.cells])


def _places(lesson, cells):
    """Each student's cell with the lesson's cell that it is, or the one that it follows."""
    matcher, at, places = Matcher(lesson), -1, []
    known = _of_older_lessons(lesson, [(cell, matcher.find(cell)) for cell in cells])
    whole = {found.index for _cell, found in known if found and found.whole and found.moves}
    for cell, found in known:
        # Words of the course's prose beside that very prose are the student's: they quote it.
        if found is None or (not found.moves and found.index in whole):
            places.append(_Place(cell, at))
        elif found.whole:
            at = found.index if found.moves or found.index > at else at
            places.append(_Place(cell, found.index, lesson.cells[found.index]))
        else:
            at = found.index
            if found.rest and not is_stub(found.rest):
                places.append(_Place(replace(cell, source=found.rest), at))
    return places


def _of_older_lessons(lesson, known):
    """The (cell, Found) pairs, where a text that the course handed out and has changed since stands
    for what is there now, or is away where nothing tells what that is."""
    kept, after = [], len(lesson.cells)
    before = [-1]
    for _cell, found in known:
        before.append(found.index if found and found.whole and found.moves else before[-1])
    for number in range(len(known) - 1, -1, -1):
        cell, found = known[number]
        if cell.untouched and not _is_there(lesson, cell, found):
            index = next((i for i, one in enumerate(lesson.cells) if one.id == cell.id), -1)
            now = lesson.cells[index]
            if now.cell_type != cell.cell_type or not before[number] < index < after:
                continue
            cell, found = replace(cell, source=now.source), Found(index)
        if found and found.whole and found.moves:
            after = found.index
        kept.append((cell, found))
    return kept[::-1]


def _is_there(lesson, cell, found):
    """Whether the lesson has the cell as it is."""
    return bool(found and found.whole) and (
        lesson.cells[found.index].kind == "prose"
        or same_code(cell.source, lesson.cells[found.index].source)
    )


def _without_repeats(lesson, places):
    """Where the notebook is there more than once, as real-time collaboration may leave it, the
    student's own code runs once, as it was written once."""
    often = Counter(id(place.stands_for) for place in places if place.stands_for)
    if 2 * sum(count > 1 for count in often.values()) < len(lesson.cells):
        return places
    seen, kept = set(), []
    for place in places:
        text = squeezed(place.cell.source)
        if place.stands_for is not None or text not in seen:
            kept.append(place)
        seen.add(text)
    return kept


def _compare_locked(lesson, cells, plan):
    """Notes what was changed, retyped, copied or deleted of the cells that belong to the course."""
    changed, points, copied, absent, retyped = [], [], [], [], []
    for source in lesson.cells:
        mine = [cell for cell in cells if source.grade_id and cell.grade_id == source.grade_id]
        if source.kind in LOCKED and not mine:
            absent.append(source.grade_id)
        if source.kind in LOCKED and len(mine) > 1:
            copied.append(source.grade_id)
        for cell in mine:
            if cell.cell_type != source.cell_type:
                retyped.append(source.grade_id)
            elif source.kind in LOCKED and _is_changed(cell, source):
                changed.append(source.grade_id)
            if source.points and _other_points(cell, source):
                points.append(source.grade_id)
    for names, message in (
        (changed, N_("Locked cells were changed ({names}); the course's own were used.")),
        (retyped, N_("Cells had another type ({names}); it was put right.")),
        (copied, N_("Locked cells were there twice ({names}); each counts once.")),
        (absent, N_("Locked cells were missing ({names}); they were put back.")),
    ):
        if names:
            plan.notes.append(note(message, names=sorted(set(names))))
    if points:
        message = N_("Points were changed ({names}); the course's own count.")
        plan.notes.append(note(message, names=points))
        plan.suspicions.append(note(message, names=points))


def _is_changed(cell, source):
    """Whether a locked cell has another text than the course's, and than it was handed out with."""
    same = squeezed(cell.source) == squeezed(source.source)
    return not same and _handed_out(source, cell.source, cell.points) != cell.checksum


def _other_points(cell, source):
    """Whether the cell claims points that it was never handed out with: the course's own may have
    changed since."""
    if cell.points in (None, source.points):
        return False
    return _handed_out(source, source.source, cell.points) != cell.checksum


def _handed_out(source, text, points):
    """nbgrader's checksum of the lesson's cell with this text and these points."""
    about = source.metadata["nbgrader"]
    about = {**about, "points": points or 0.0} if about.get("grade") else about
    cell = {"source": text, "cell_type": source.cell_type, "metadata": {"nbgrader": about}}
    return checksum(cell)


def _tell_what_moved(lesson, cells, plan):
    """An older notebook may still hold exercises that count in another lesson now."""
    elsewhere, there = {}, {cell.grade_id for cell in cells}
    for name, now in moved_from(lesson.name).items():
        if there & {name, f"{name}-answer"}:
            elsewhere.setdefault(now, []).append(name)
    for now, names in elsewhere.items():
        message = N_(
            "This is an older notebook of the lesson: {names} count in {lesson} now. "
            "Copy the answers there, and hand that one in as well."
        )
        plan.notes.append(note(message, names=names, lesson=now))


def _choose_answers(places, plan):
    """Locked cells of the student's go; of several cells with one grade id those before the check
    count, as they would when the notebook runs from top to bottom."""
    checks = {}
    for index, place in enumerate(places):
        if place.stands_for and place.stands_for.kind == "check":
            checks.setdefault(place.stands_for.exercise, index)
    often = Counter(id(place.stands_for) for place in places)
    kept, copies, answered = [], set(), {}
    previous = -1
    for index, place in enumerate(places):
        source = place.stands_for
        if source is None:
            kept.append(replace(place, at=previous))
            continue
        if source.kind in (*ANSWERS, "free"):
            copies |= {source.grade_id} if often[id(source)] > 1 else set()
            late = index > checks.get(source.exercise, len(places))
            earlier = answered.setdefault(source.grade_id, set())
            if late and earlier:
                if _is_answer(place) and squeezed(place.cell.source) not in earlier:
                    kept.append(_Place(place.cell, previous))
                continue
            if _is_answer(place):
                earlier.add(squeezed(place.cell.source))
        previous = place.at
        kept.append(place)
    if copies:
        message = N_(
            "Answers were there more than once ({names}); the last before its check counts."
        )
        plan.notes.append(note(message, names=sorted(copies)))
    return [p for p in kept if p.stands_for is None or p.stands_for.kind not in (*LOCKED, "prose")]


def _is_answer(place):
    """Whether the student changed the cell: of a demonstration more than its comments."""
    cell, source = place.cell, place.stands_for
    if source.kind == "free":
        return is_written(cell, source)
    if source.kind == "demo":
        return not same_code(cell.source, source.source)
    return squeezed(cell.source) != squeezed(source.source)


def _cells_at(lesson, at, places):
    """The lesson's cell number ``at`` and the student's cells that go there or follow it."""
    if at < 0:
        return [_extra(place.cell) for place in places]
    source = lesson.cells[at]
    mine = [place for place in places if place.stands_for is source]
    if source.kind in (*LOCKED, "prose"):
        own = PlanCell(
            source, source.source, source.cell_type, run=source.kind in ("setup", "given")
        )
        return [own, *(_extra(place.cell) for place in places)]
    if not mine:
        text = source.source if source.kind in ("free", "demo") else ""
        return [PlanCell(source, text, source.cell_type), *(_extra(p.cell) for p in places)]
    answers = [place for place in mine if _is_answer(place)] or mine
    counted = answers[-1]
    return [
        _answer(source, place) if place is counted else _extra(place.cell)
        for place in places
        if place is counted or not _is_copy(place, source, counted)
    ]


def _is_copy(place, source, counted):
    """Whether it is the lesson's cell, or the student's own answer, once more."""
    if place.stands_for is not source:
        return False
    same = squeezed(place.cell.source) == squeezed(counted.cell.source)
    return same or not _is_answer(place)


def _extra(cell):
    kind = "code" if cell.cell_type == "code" else "markdown"
    source = replace(EXTRA, cell_type=kind)
    run = kind == "code" and bool(cell.source.strip())
    return PlanCell(source, cell.source, kind, run, True, cell.pictures)


def _answer(source, place):
    """The student's text in the lesson's own cell; its type is the lesson's."""
    cell, changed = place.cell, _is_answer(place)
    run = source.cell_type == "code" and (changed or source.kind != "demo")
    written = changed or bool(cell.pictures)
    return PlanCell(source, cell.source, source.cell_type, run, written, cell.pictures)


def _missing(lesson, document, places, plan):
    """Notes which answers have no cell, and first of all that it is another lesson's notebook."""
    there = {id(place.stands_for) for place in places}
    gone = [
        cell.grade_id
        for cell in lesson.cells
        if cell.kind in (*ANSWERS, "free") and id(cell) not in there
    ]
    if gone:
        plan.notes.append(note(N_("Answer cells were missing ({names})."), names=gone))
    if gone and document.lesson not in ("", lesson.name):
        message = N_(
            "This is the notebook of {other}, handed in for {lesson}. Ask for the right one."
        )
        plan.notes.insert(0, note(message, other=document.lesson, lesson=lesson.name))


def _run_needed_demos(plan):
    """A demonstration is not run in grading, unless an answer uses a name that it alone defines."""
    bound, used, left = set(dir(builtins)), set(), MAX_ALL_PARSED
    for cell in plan.cells:
        if cell.run and len(cell.text) <= min(left, MAX_PARSED):
            defined, read = _names(cell.text)
            bound |= defined
            used |= read if cell.written else set()
            left -= len(cell.text) if cell.written else 0
    for index, cell in enumerate(plan.cells):
        demo = cell.kind == "demo" and not cell.run
        if demo and used - bound and _names(cell.text)[0] & (used - bound):
            plan.cells[index] = replace(cell, run=True)


def _names(text):
    """(names that the code defines, functions, arguments and imports included; names that it
    reads); none where it can't be parsed."""
    defined, read, tree = set(), set(), parsed(text)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Del):
                (read if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.alias):
            defined.add((node.asname or node.name).split(".")[0])
    return defined, read
