"""From a notebook's bytes to plain cells: only what grading needs, everything else is dropped."""

import json
from dataclasses import dataclass, field

from grader.course import LANGUAGES
from grader.course.notes import Refused, note
from grader.i18n import N_
from grader.intake.pictures import Pictures
from policy_gradients.handout import text_mark

MAX_PARTS = 2_000_000
MAX_DEPTH = 100
MAX_CELLS = 2_000
MAX_CELL_CHARACTERS = 200_000
MAX_CHARACTERS = 2_000_000
BOMS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


@dataclass(frozen=True)
class StudentCell:
    """A submitted cell: its type, text, nbgrader's grade id, its own id, the points it claims, the
    pictures pasted into it (name -> {type: base64 text}), the checksum that nbgrader gave it
    when it was handed out, and whether it is prose or a demonstration with the very text with
    which it was handed out."""

    cell_type: str
    source: str
    grade_id: str = ""
    id: str = ""
    points: float | None = None
    pictures: dict = field(default_factory=dict, hash=False)
    checksum: str = ""
    untouched: bool = False


@dataclass
class Document:
    """cells in the student's order; language "" where the notebook names none that we have;
    lesson: the one that the notebook says it is, ""."""

    cells: list
    language: str = ""
    notes: list = field(default_factory=list)
    lesson: str = ""


def read_document(data: bytes) -> Document:
    """Raises Refused where the bytes are not a notebook within the limits."""
    notes = []
    content = _parse(_decode(data, notes))
    cells = _cells(content, notes)
    ours = _dict(_dict(content.get("metadata")).get("policy_gradients"))
    plain, lesson = _plain_cells(cells, notes), _text(ours.get("lesson"))
    document = Document(plain, _language(ours), notes, lesson)
    _kernel(content, notes)
    return document


def _decode(data, notes):
    if not data.strip(b" \t\r\n\0"):
        raise Refused(N_("The notebook is empty (0 bytes of content). Ask for it again."))
    bom = next((bom for bom in BOMS if data.startswith(bom)), None)
    if bom:
        notes.append(note(N_("The file began with a byte order mark; it was read all the same.")))
    try:
        return data[len(bom or b"") if bom == b"\xef\xbb\xbf" else 0 :].decode(
            BOMS.get(bom, "utf-8")
        )
    except UnicodeDecodeError:
        if bom or b"\0" in data:
            message = N_("The file is not text. Ask for the .ipynb file itself.")
            raise Refused(message) from None
        notes.append(note(N_("The file is not UTF-8; it was read as Western European text.")))
        return data.decode("cp1252", "replace")


def _parse(text):
    # Counting first keeps a small file from unfolding into gigabytes of Python objects.
    if text.count("[") + text.count("{") + text.count(",") > MAX_PARTS:
        raise Refused(N_("The notebook has too many parts. Ask for it with its outputs cleared."))
    try:
        content = json.loads(text)
    except RecursionError:
        raise Refused(N_("The notebook is nested too deeply.")) from None
    except ValueError as error:
        where = getattr(error, "lineno", 0)
        message = N_(
            "The file is not valid JSON (line {line}). Ask for the notebook again: it "
            "may have been cut off, merged badly or saved by another program."
        )
        raise Refused(message, line=where) from None
    if _too_deep(content):
        raise Refused(N_("The notebook is nested too deeply."))
    return content


def _too_deep(content):
    level = [content]
    for _depth in range(MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def _cells(content, notes):
    """The list of cells, whatever version of the format the file is in."""
    if not isinstance(content, dict):
        raise Refused(N_("The file is JSON, but not a notebook. Ask for the .ipynb file."))
    version = content.get("nbformat")
    if isinstance(version, (int, float)) and version > 4:
        message = N_("The notebook's format ({version}) is newer than this grader knows.")
        raise Refused(message, version=version)
    cells = content.get("cells")
    worksheets = content.get("worksheets")
    if cells is None and isinstance(worksheets, list):
        cells = [
            cell
            for sheet in worksheets
            if isinstance(sheet, dict)
            for cell in _list(sheet.get("cells"))
        ]
    if not isinstance(cells, list):
        raise Refused(N_("The file is JSON, but not a notebook. Ask for the .ipynb file."))
    if version != 4:
        notes.append(note(N_("The notebook is in an old or unnamed format; it was converted.")))
    if len(cells) > MAX_CELLS:
        raise Refused(N_("The notebook has more than {n} cells."), n=MAX_CELLS)
    return cells


def _plain_cells(cells, notes):
    plain, odd, total = [], 0, 0
    for cell in cells:
        read = _cell(cell)
        if read is None:
            odd += 1
            continue
        total += len(read.source)
        if len(read.source) > MAX_CELL_CHARACTERS or total > MAX_CHARACTERS:
            raise Refused(N_("A cell, or all cells together, hold too much text."))
        plain.append(read)
    if odd:
        notes.append(note(N_("{n} entries were no cells; they were left out."), n=odd))
    return plain


def _cell(cell):
    if not isinstance(cell, dict):
        return None
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    kind = cell.get("cell_type")
    kind = (
        kind if kind in ("code", "markdown", "raw") else "markdown" if kind == "heading" else "raw"
    )
    metadata = _dict(cell.get("metadata"))
    nbgrader, mark = _dict(metadata.get("nbgrader")), _dict(metadata.get("policy_gradients"))
    points = nbgrader.get("points")
    # A lone surrogate could not be written to any file.
    source = source.encode("utf-8", "replace").decode("utf-8")
    untouched = mark.get("text") == text_mark(source) and not cell.get("attachments")
    source, pictures = _illustrated(cell, kind, source)
    return StudentCell(
        kind,
        source,
        _text(nbgrader.get("grade_id")),
        _text(cell.get("id")),
        float(points) if type(points) in (int, float) and abs(points) < 1e9 else None,
        pictures,
        _text(nbgrader.get("checksum")),
        untouched,
    )


def _illustrated(cell, kind, source):
    """(text, pictures) of a cell: photographs, screenshots, drawings."""
    if kind == "code":
        return source, {}
    pictures = Pictures()
    pictures.attached(_dict(cell.get("attachments")))
    source = pictures.in_text(source)
    if pictures.lost:  # the text says that there was one, so that a person looks
        source += "".join(f"\n\n[{lost or '?'}]" for lost in pictures.lost)
    return source, pictures.kept


def _kernel(content, notes):
    """A note on another language; a kernel of Python may be called as anybody likes."""
    metadata = _dict(content.get("metadata"))
    spec, info = _dict(metadata.get("kernelspec")), _dict(metadata.get("language_info"))
    language = spec.get("language") or info.get("name") or "python"
    if "python" not in str(language).lower():
        message = N_("The notebook asks for the kernel {name}; Python was used.")
        notes.append(note(message, name=spec.get("name") or language))


def _language(ours):
    language = ours.get("language")
    return language if isinstance(language, str) and language in LANGUAGES else ""


def _dict(value):
    return value if isinstance(value, dict) else {}


def _list(value):
    return value if isinstance(value, list) else []


def _text(value):
    return value if isinstance(value, str) and len(value) < 200 else ""
