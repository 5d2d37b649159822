"""Sorts what Canvas or Moodle gives for download into submitted/STUDENT/LESSON/LESSON.ipynb.

Canvas (Assignments, Download Submissions) names a file NAME_[LATE_]USER_FILE_ORIGINAL.ipynb, where
USER is the number in the ID column of its gradebook. Moodle (View all submissions, Download all)
makes folders, or prefixes, FULL NAME_NUMBER_assignsubmission_file_; its grading worksheet tells
whose NUMBER that is. Names and contents are the students': nothing of them decides where else a
file is written.
"""

import csv
import re
import unicodedata
import zipfile
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.classroom import MOST_NAME, ClassroomError
from grader.course.notes import shown
from grader.i18n import _
from grader.intake.folder import MAX_BYTES
from grader.records.store import write_whole

CANVAS = re.compile(r".+?(?:_LATE)?_(?P<student>\d+)_\d+_(?P<file>.+)", re.DOTALL)
# What Moodle appends to a person's name; the student chooses all that comes behind it.
MOODLES = re.compile(r"_\d+_assignsubmission_")
MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_file_?", re.DOTALL)
MOODLE_FILE = re.compile(
    r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_file_(?P<file>.+)", re.DOTALL
)
# Canvas and browsers number a file that is handed in again: 01_reinforce-2.ipynb, ... (1).ipynb
AGAIN = re.compile(r"(?:-\d+| ?\(\d+\))?\.ipynb", re.IGNORECASE)


@dataclass
class Entry:
    """One file of the download: its path there, its size, and how to read it."""

    path: str
    size: int
    read: object


def collect(download: Path, to: Path, lesson: str, source: str, roster: Path | None = None) -> list:
    """Copies each student's notebook of the lesson; returns lines that say what came of each file.

    source: "canvas" or "moodle"; roster: Moodle's grading worksheet. Raises ClassroomError.
    """
    people = _people(roster) if roster else {}
    lines, found = [], defaultdict(list)
    with _entries(download) as entries:
        for entry in entries:
            person, number, name = _whose(entry.path, source)
            if not name.lower().endswith(".ipynb"):
                lines.append(f"left out: {shown(entry.path)} (not a notebook)")
            elif not number:
                lines.append(f"left out: {shown(entry.path)} (not a name that {source} gives)")
            else:
                found[person, number].append((name, entry))
        students = _students(found, people)
        for who, mine in sorted(found.items(), key=lambda item: students[item[0]]):
            lines.append(f"{students[who]}: {_take(students[who], mine, to, lesson)}")
    if not found:
        raise ClassroomError(
            f"{download}: there is no notebook with a name that {source} gives. "
            "Name the download itself, a .zip or the folder made of it."
        )
    return lines


def _whose(path, source):
    """(person's name, person's number or "", the file's own name)."""
    *folders, name = PurePosixPath(path).parts
    if source == "canvas":
        match = CANVAS.fullmatch(name)
        return ("", match["student"], match["file"]) if match else ("", "", name)
    # The first mark is Moodle's: a file or a folder handed in may have another person's.
    folder = next((folder for folder in folders if MOODLES.search(folder)), None)
    if folder is not None:
        match = MOODLE_FOLDER.fullmatch(folder)
        return (match["name"], match["number"], name) if match else ("", "", name)
    match = MOODLE_FILE.fullmatch(name) if len(MOODLES.findall(name)) == 1 else None
    return (match["name"], match["number"], match["file"]) if match else ("", "", name)


def _students(found, people):
    """(name, number) -> folder; two people whom one folder would hold get one each."""
    wanted = {who: _student(*who, people) for who in found}
    often = Counter(wanted.values())
    return {who: folder if often[folder] == 1 else _numbered(folder, who[1])
            for who, folder in wanted.items()}  # fmt: skip


def _student(name, number, people):
    if not name:
        return number
    return _folder(people.get(number) or "") or _numbered(name, number)


def _numbered(name, number):
    return f"{_folder(name)[: MOST_NAME - len(number) - 1]}_{number}"


def _folder(text):
    """A person's name as a folder: letters, digits and . @ + - alone, everything else "_"."""
    text = re.sub(r"[^\w.@+-]+", "_", unicodedata.normalize("NFC", text.strip()))
    return text.lstrip(".")[:MOST_NAME]


def _take(student, mine, to, lesson):
    named = [one for one in mine if one[0].startswith(lesson) and
             AGAIN.fullmatch(one[0][len(lesson):])]  # fmt: skip
    chosen = named if named else mine
    if len(chosen) > 1:
        names = ", ".join(shown(name) for name, _entry in chosen)
        return f"left out: {len(chosen)} notebooks ({names}). Keep one of them in the download."
    ((name, entry),) = chosen
    if entry.size > MAX_BYTES:
        return f"left out: {shown(name)} is larger than {MAX_BYTES >> 20} MB"
    try:
        data = entry.read()
    except Exception as error:  # an archive may be damaged or made to fail in many ways
        return f"left out: {shown(name)} can't be read ({error})"
    path = to / student / lesson / f"{lesson}.ipynb"
    old = path.read_bytes() if path.is_file() else None
    if old == data:
        return "unchanged"
    try:
        write_whole(path, data)
    except OSError as error:
        words = _("{path}: {why}. --to names a folder that you may write.")
        raise ClassroomError(words.format(path=path, why=error.strerror)) from None
    return f"{'new' if old is None else 'replaced'}, from {shown(name)}"


@contextmanager
def _entries(download):
    """The regular files of a folder or zip archive, sorted by path."""
    if download.is_dir():
        files = [path for path in download.rglob("*") if path.is_file() and not path.is_symlink()]
        yield sorted((Entry(path.relative_to(download).as_posix(), path.stat().st_size,
                            path.read_bytes) for path in files), key=lambda e: e.path)  # fmt: skip
        return
    with _archive(download) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        yield sorted((Entry(info.filename, info.file_size, lambda info=info: archive.read(info))
                      for info in infos), key=lambda e: e.path)  # fmt: skip


def _archive(download):
    try:
        return zipfile.ZipFile(download)
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise ClassroomError(f"{download}: neither a folder nor a zip archive ({error}).") from None


def _people(roster):
    """NUMBER -> username, or else e-mail address, from Moodle's grading worksheet."""
    try:
        with open(roster, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ClassroomError(f"{roster}: {error}. --roster names Moodle's worksheet.") from None
    if not rows or "Identifier" not in rows[0]:
        raise ClassroomError(
            f"{roster}: there is no column Identifier. In Moodle, let the assignment offer its "
            "grading worksheet, and download that."
        )
    return {re.sub(r"\D", "", row["Identifier"]): row.get("Username") or row.get("Email address")
            for row in rows}  # fmt: skip
