"""Moodle's grading worksheet: who has which number, when a file came, and where marks go.

Headings are known in English, Spanish, Portuguese, French, German and Italian; in other languages
a column is told by what is in it and by its place, which Moodle keeps.
"""

import re
from dataclasses import dataclass

from grader.i18n import _
from grader.intake.classroom import ClassroomError
from grader.intake.sheets import Sheet, plain_heading, read_sheet
from grader.lms import times

IDENTIFIER = {"identifier", "identificador", "identifiant", "id", "identificativo"}
USERNAME = {
    "username", "nombre de usuario", "nome de usuário", "nome de utilizador",
    "identificação de usuário", "nom d'utilisateur", "anmeldename", "nome utente",
}  # fmt: skip
EMAIL = {
    "email address", "email", "e-mail", "dirección de correo", "dirección email",
    "correo electrónico", "dirección de correo electrónico", "endereço de email",
    "endereço de e-mail", "adresse de courriel", "adresse e-mail", "adresse électronique",
    "courriel", "e-mail-adresse", "indirizzo email",
}  # fmt: skip
GRADE = {"grade", "calificación", "nota", "avaliação", "note", "bewertung", "valutazione"}
CANVAS = {"student", "lastname", "sis login id"}
_NUMBERED = re.compile(r"\D*?(\d+)")


@dataclass(frozen=True)
class Person:
    """A row. account: what Moodle knows the person by, "" where the sheet hides it; submitted: when
    the file came, as nbgrader writes it, "" where unknown; unread: a time that can't be read."""

    number: str
    account: str = ""
    submitted: str = ""
    unread: str = ""


def remedy() -> str:
    return _(
        "--roster names Moodle's grading worksheet: let the assignment offer it under Feedback "
        "types, and download it under Grading action."
    )


def read_worksheet(path) -> Sheet:
    """The sheet. Raises ClassroomError where it has no column of identifiers."""
    sheet = read_sheet(path, remedy())
    if identifiers(sheet) is None:
        words = _("{path}: there is no column Identifier ({found}). {remedy}")
        found = ", ".join(sheet.header) or "-"
        raise ClassroomError(words.format(path=path, found=found, remedy=remedy()))
    return sheet


def identifiers(sheet) -> int | None:
    """The column "Participant 1234"; Canvas's ID is another thing."""
    if sheet.column(CANVAS) is not None:
        return None
    known = sheet.column(IDENTIFIER)
    if known is not None:
        return known
    first = sheet.cells(0) if sheet.header else []
    worded = first and all(re.fullmatch(r"\D+\d+", cell) for cell in first)
    return 0 if worded and len(set(first)) == len(first) else None


def numbers(sheet) -> list:
    """Each row's number, "" where it has none."""
    cells = sheet.cells(identifiers(sheet))
    return ["".join(re.findall(r"\d", cell)) for cell in cells]


def accounts(sheet) -> list:
    """Each row's username, else its e-mail address, else ""."""
    names = sheet.cells(sheet.column(USERNAME))
    emails = sheet.cells(_emails(sheet))
    return [name or email for name, email in zip(names, emails, strict=True)]


def _emails(sheet):
    known = sheet.column(EMAIL)
    if known is not None:
        return known
    for at in range(len(sheet.header)):
        cells = [cell for cell in sheet.cells(at) if cell and cell != "-"]
        if cells and all(re.fullmatch(r"[^@\s]+@[^@\s]+", cell) for cell in cells):
            return at
    return None


def people(sheet, zone=None) -> dict:
    """number -> Person."""
    moments = sheet.cells(_submitted(sheet))
    found = {}
    for number, account, text in zip(numbers(sheet), accounts(sheet), moments, strict=True):
        when = times.moodle_time(text, zone)
        unread = text if text.strip("- ") and when is None else ""
        found[number] = Person(number, account, times.text_of(when), unread)
    return found


def _submitted(sheet):
    """Moodle has two columns "Last modified (...)": of the submission, then of the grade."""
    dated = [at for at, heading in enumerate(sheet.header) if _is_dated(sheet, at, heading)]
    return dated[0] if dated else None


def _is_dated(sheet, at, heading):
    beginning = plain_heading(heading).split("(")[0]
    twins = [plain_heading(one).split("(")[0] == beginning for one in sheet.header]
    return "(" in heading and sum(twins) == 2


def grades(sheet) -> int | None:
    """The column for marks: by its heading, or the one before the equal maximum of all rows."""
    known = sheet.column(GRADE)
    if known is not None:
        return known
    for at in range(1, len(sheet.header)):
        cells = set(sheet.cells(at))
        if len(cells) == 1 and re.fullmatch(r"\d+([.,]\d+)?", next(iter(cells))):
            return at - 1
    return None


def maximum(sheet) -> float | None:
    """The assignment's points, where the sheet has them in the column behind the marks."""
    at = grades(sheet)
    if at is None or at + 1 >= len(sheet.header):
        return None
    cells = {cell.replace(",", ".") for cell in sheet.cells(at + 1)}
    number = next(iter(cells)) if len(cells) == 1 else ""
    return float(number) if re.fullmatch(r"\d+(\.\d+)?", number) else None
