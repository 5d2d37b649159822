"""Tables of Canvas and Moodle in whatever language and dialect they come, and back in the same.

Canvas keeps its headings in English, but writes semicolons and decimal commas where a language has
them. Moodle translates its headings (mod/assign and its feedback_offline).
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from grader.course.reasons import reason
from grader.i18n import _
from grader.intake.classroom import ClassroomError

DELIMITERS = ",;\t|"
BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_COMMA, _POINT = re.compile(r"-?\d+,\d+"), re.compile(r"-?\d+\.\d+")


@dataclass
class Sheet:
    """A table, and how its file was written. header and rows: texts, each row as long as header."""

    header: list
    rows: list
    delimiter: str = ","
    decimal: str = "."

    def column(self, names) -> int | None:
        """The first column whose heading is one of these, whatever its case."""
        plain = [plain_heading(heading) for heading in self.header]
        return next((at for at, heading in enumerate(plain) if heading in names), None)

    def cells(self, column) -> list:
        """A column's texts; empty ones where there is no such column."""
        return [row[column].strip() if column is not None else "" for row in self.rows]

    def number(self, text: str) -> str:
        """A number as this file writes it."""
        return text.replace(".", self.decimal)

    def text(self, header, rows) -> str:
        """These rows as a file of this dialect."""
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self.delimiter)
        writer.writerow(header)
        writer.writerows(rows)
        return stream.getvalue()


def plain_heading(text) -> str:
    """A heading to compare: small letters, one kind of apostrophe, no further spaces."""
    return " ".join(text.replace("\u2019", "'").casefold().split())


def read_sheet(path, remedy: str) -> Sheet:
    """The table in a file. Raises ClassroomError, which ends with the remedy."""
    try:
        return sheet_of(decoded(Path(path).read_bytes()))
    except (OSError, UnicodeError) as error:
        words = _("{path}: {why}. {remedy}")
        raise ClassroomError(words.format(path=path, why=reason(error), remedy=remedy)) from None


def sheet_of(text) -> Sheet:
    """The table in a text."""
    rows, delimiter = _table(text)
    header, *rows = rows or [[]]
    wide = len(header)
    rows = [(row + [""] * wide)[:wide] for row in rows if any(cell.strip() for cell in row)]
    return Sheet(header, rows, delimiter, _decimal(rows, delimiter))


def decoded(data) -> str:
    """A table's text, whatever a spreadsheet saved it in."""
    for bom, name in BOMS:
        if data.startswith(bom):
            return data.decode(name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _table(text):
    """(rows, delimiter): the delimiter with which the most lines have as many columns as the first,
    and that has the most there. A title may hold more commas than the line has semicolons."""
    text = text.lstrip("\r\n")
    read = {sign: _rows(text, sign) for sign in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda sign: _fit(read[sign]))
    return read[delimiter], delimiter


def _rows(text, delimiter):
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:  # read with another sign, a field may have no end
        return []


def _fit(rows):
    wide = len(rows[0]) if rows else 0
    alike = sum(len(row) == wide for row in rows) if wide > 1 else 0
    return alike, wide


def _decimal(rows, delimiter):
    cells = [cell.strip() for row in rows for cell in row]
    commas = sum(_COMMA.fullmatch(cell) is not None for cell in cells)
    points = sum(_POINT.fullmatch(cell) is not None for cell in cells)
    if commas == points:
        return "," if delimiter == ";" else "."
    return "," if commas > points else "."
