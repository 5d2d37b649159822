"""The CSV that Canvas's gradebook exports: who has which ID, and which columns are whose."""

import re

from grader.i18n import _
from grader.intake.classroom import ClassroomError
from grader.intake.sheets import Sheet, read_sheet

PEOPLE = (
    "student", "lastname", "firstname", "id", "sis user id", "sis login id", "integration id",
    "root account", "section",
)  # fmt: skip
ASSIGNMENT = re.compile(r".+ \(\d+\)", re.DOTALL)


def remedy() -> str:
    return _(
        "--roster names the CSV that Canvas's gradebook exports: under Grades, Export, the entire "
        "gradebook."
    )


def read_gradebook(path) -> Sheet:
    """The sheet. Raises ClassroomError where it has no column ID."""
    sheet = read_sheet(path, remedy())
    if sheet.column({"id"}) is None:
        words = _("{path}: there is no column ID ({found}). {remedy}")
        found = ", ".join(sheet.header) or "-"
        raise ClassroomError(words.format(path=path, found=found, remedy=remedy()))
    return sheet


def student_ids(sheet) -> list:
    """Each row's ID, "" in rows that are nobody's."""
    return sheet.cells(sheet.column({"id"}))


def people_columns(sheet) -> list:
    """The columns that say who somebody is, which an import needs back as they were."""
    return [at for at, name in enumerate(sheet.header) if name.strip().casefold() in PEOPLE]


def assignments(sheet) -> list:
    """Headings "Title (number)", by which Canvas knows its assignments again."""
    return [name for name in sheet.header if ASSIGNMENT.fullmatch(name)]


def points_label(sheet) -> str:
    """What stands first in the row of possible points."""
    for row, number in zip(sheet.rows, student_ids(sheet), strict=True):
        if not number and row[0].strip():
            return row[0]
    return "    Points Possible"
