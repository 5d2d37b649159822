"""The files of marks that Canvas and Moodle import."""

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from grader.i18n import _
from grader.intake.classroom import MOST_NAME, ClassroomError
from grader.intake.sheets import Sheet
from grader.lms import canvas as gradebook
from grader.lms import worksheet
from grader.lms.download import safe_folder
from grader.reports.pages import number
from grader.reports.tables import most_points, safe, totals

CANVAS_HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


@dataclass
class Exported:
    """text: the file; lines: what it doesn't hold, in words; refused: people whose marks are left
    out because they could be two people's."""

    text: str
    lines: list = field(default_factory=list)
    refused: list = field(default_factory=list)


@dataclass
class _Matched:
    """rows: number of a roster's row -> students; refused, missing: students that have none."""

    rows: dict
    refused: list
    missing: list

    def marks(self, row, students) -> dict:
        """lesson -> (score, whether it waits) of one row."""
        found = {}
        for student in self.rows.get(row, ()):
            found |= students[student]
        return found

    def keep(self, students):
        """Of those who are left out, these alone: the others have no mark that could be."""
        self.missing = [name for name in self.missing if name in students]
        self.refused = [name for name in self.refused if name in students]

    def words(self):
        """Sentences about whoever is left out."""
        if self.missing:
            words = _("Not in the roster, so not in this file: {names}.")
            yield words.format(names=", ".join(map(safe, sorted(self.missing))))
        if self.refused:
            words = _(
                "Refused, since the roster doesn't tell which of two people they are: {names}. "
                "Their marks are not in this file. Where two are one person, take one of them out: "
                "python -m grader forget NAME --out DIR"
            )
            yield words.format(names=", ".join(map(safe, sorted(self.refused))))


def _match(students, *keys) -> _Matched:
    """Who stands in which row. keys: (each row's name, the name of a student) pairs, the one that
    wins first; a student found by one of them is not looked for by the next."""
    rows, refused, missing = defaultdict(list), [], []
    for student in students:
        found = next(filter(None, (_rows_of(name(student), key) for key, name in keys)), [])
        if len(found) == 1:
            rows[found[0]].append(student)
        else:
            (refused if found else missing).append(student)
    for row, names in list(rows.items()):
        often = Counter(lesson for name in names for lesson in students[name])
        if max(often.values()) > 1:  # two marks of one lesson, and the row has room for one
            refused += rows.pop(row)
    return _Matched(rows, refused, missing)


def _rows_of(wanted, names):
    return [at for at, name in enumerate(names) if name and name == wanted]


def canvas(ledger, sheet: Sheet | None = None, lesson=None) -> Exported:
    """A gradebook file for Canvas (Grades, Import). sheet: Canvas's own export, in whose dialect
    the file is written; students are matched by ID, which ``collect`` names them by, else by login.
    A lesson's column is headed as the sheet's assignment of that name."""
    points, students = most_points(ledger), totals(ledger)
    lessons = _lessons(points, lesson)
    if sheet is None:
        rows = [[name, "", "", name, ""] for name in students]
        sheet = Sheet(CANVAS_HEADER, rows)
    matched = _match(students, *_canvas_keys(sheet, students))
    kept = gradebook.people_columns(sheet)
    label = [gradebook.points_label(sheet)] + [""] * (len(kept) - 1)
    rows = [label + [sheet.number(number(points[name])) for name in lessons]]
    for at, row in enumerate(sheet.rows):
        cells = _cells(matched.marks(at, students), lessons, sheet)
        if any(cells):
            rows.append([*(safe(row[column]) for column in kept), *cells])
    headings = [_heading(name, sheet) for name in lessons]
    text = sheet.text([*(sheet.header[column] for column in kept), *headings], rows)
    matched.keep(set(_of_lessons(students, lessons)))
    waiting = _waiting(_of_lessons(students, lessons))
    return Exported(text, [*matched.words(), *waiting], matched.refused)


def _lessons(points, lesson) -> list:
    """The lesson, or all that have marks where none is named."""
    if lesson is not None and lesson not in points:
        words = _("There are no marks of {lesson}. There are of: {known}.")
        known = ", ".join(sorted(points)) or "-"
        raise ClassroomError(words.format(lesson=lesson, known=known))
    return sorted(points) if lesson is None else [lesson]


def _of_lessons(students, lessons) -> dict:
    """The totals of these lessons, of whoever has one."""
    found = {
        name: {lesson: mark for lesson, mark in mine.items() if lesson in lessons}
        for name, mine in students.items()
    }
    return {name: mine for name, mine in found.items() if mine}


def _canvas_keys(sheet, students):
    """ID, then login. A name made of digits may be either: all such names of a class are the one
    that more of them are found by, or somebody's mark would go to whoever has that number as the
    other, once the own row is gone."""
    ids, logins = gradebook.student_ids(sheet), sheet.cells(sheet.column({"sis login id"}))
    digits = set(filter(str.isdecimal, students))
    by_login = len(digits & set(logins)) > len(digits & set(ids))
    return (
        (ids, lambda name: "" if by_login and name in digits else name),
        (logins, lambda name: "" if not by_login and name in digits else name),
    )


def _cells(mine, lessons, sheet):
    return [sheet.number(number(mine[name][0])) if name in mine else "" for name in lessons]


def _heading(lesson, sheet):
    """The heading of the one assignment whose title holds the lesson's name; the lesson's name
    where there is none, or more than one."""
    headings = gradebook.assignments(sheet)
    found = [name for name in headings if f" {_plain(lesson)} " in f" {_plain(name)} "]
    return found[0] if len(found) == 1 else lesson


def _plain(title):
    return " ".join(re.findall(r"[^\W_]+", title.casefold()))


def moodle(ledger, sheet: Sheet | None = None, lesson=None) -> Exported:
    """A file for Moodle. sheet: the assignment's grading worksheet, which comes back with the marks
    of one lesson in it (Upload grading worksheet). Without it: one row a student, one column a
    lesson, for Grades, Import, CSV file, with ``username`` mapped to the users' field."""
    students = totals(ledger)
    if sheet is not None:
        points = most_points(ledger)
        lesson = _the_lesson(points, lesson)
        _lessons(points, lesson)
        made = _filled_in(sheet, students, lesson)
        most = worksheet.maximum(sheet)
        if most is not None and most != points[lesson]:
            words = _("In Moodle this assignment has {most} points, the lesson has {points}.")
            values = {"most": number(most), "points": number(points[lesson])}
            made.lines.append(words.format(**values))
        return made
    lessons = _lessons(most_points(ledger), lesson)
    students = _of_lessons(students, lessons)
    plain = Sheet(["username", *lessons], [])
    rows = [[safe(name), *_cells(students[name], lessons, plain)] for name in sorted(students)]
    return Exported(plain.text(plain.header, rows), list(_waiting(students)))


def _the_lesson(points, lesson):
    if lesson is not None or len(points) == 1:
        return lesson or next(iter(points))
    words = _("A worksheet has the marks of one lesson. Name it with --lesson: {known}.")
    raise ClassroomError(words.format(known=", ".join(sorted(points))))


def _filled_in(sheet, students, lesson):
    column = worksheet.grades(sheet)
    if column is None:
        words = _("The worksheet has no column for marks ({found}). {remedy}")
        found = ", ".join(sheet.header)
        raise ClassroomError(words.format(found=found, remedy=worksheet.remedy()))
    students = _of_lessons(students, [lesson])
    accounts = list(map(safe_folder, worksheet.accounts(sheet)))
    matched = _match(students, (accounts, str), _numbered(sheet))
    rows = []
    for at, row in enumerate(sheet.rows):
        (mark,) = _cells(matched.marks(at, students), [lesson], sheet)
        rows.append([*row[:column], mark or row[column], *row[column + 1 :]])
    text = sheet.text(sheet.header, rows)
    return Exported(text, [*matched.words(), *_waiting(students)], matched.refused)


def _numbered(sheet):
    """A key of ``_match``: the participant's number in a folder's name that ``collect`` made
    without a worksheet. The row's full name must stand before it, where the sheet names people:
    somebody else's username may end with a number, too."""
    at = worksheet.identifiers(sheet) + 1
    named = any(worksheet.accounts(sheet)) and at < len(sheet.header)
    numbers, words = worksheet.numbers(sheet), sheet.cells(worksheet.identifiers(sheet))
    people = dict(
        zip(numbers, zip(sheet.cells(at if named else None), words, strict=True), strict=True)
    )

    def number_of(student):
        found = re.fullmatch(r"(.*)_(\d+)", student, re.DOTALL)
        known = people.get(found[2]) if found else None
        if known is None:
            return None
        mine, names = _letters(found[1]), [_letters(known[0]), _letters(known[1])[: -len(found[2])]]
        # Moodle puts a group's name before a member's. collect cuts what is longer than a folder.
        right = mine.endswith(names[0]) or mine == names[1] or len(student) == MOST_NAME
        return found[2] if right else None

    return numbers, number_of


def _letters(name):
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name).casefold()))


def _waiting(students):
    waiting = sum(missing for mine in students.values() for _score, missing in mine.values())
    if waiting:
        words = _("Submissions with a text that waits for its mark and counts 0 until then: {n}.")
        yield words.format(n=waiting)


READERS = {"canvas": gradebook.read_gradebook, "moodle": worksheet.read_worksheet}
FORMATS = {"canvas": canvas, "moodle": moodle}
