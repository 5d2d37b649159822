"""Feedback pages as the zip that Canvas or Moodle takes back for a whole class.

Canvas (Assignments, Upload Submissions) reads a student's and an attachment's number out of each
name; Moodle (Grading action, Upload multiple feedback files in a zip) the participant's number out
of a folder's. Both are those of the download, which ``collected.json`` kept.
"""

import io
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grader.course import pages_version
from grader.course.reasons import reason
from grader.i18n import _
from grader.intake.classroom import ClassroomError
from grader.intake.folder import plain_name
from grader.lms.names import MOODLES, is_number, read_names
from grader.records.arrivals import read_arrivals
from grader.records.gradebook import page_key
from grader.records.store import write_whole
from grader.records.teams import team_of
from grader.reports.tables import safe


@dataclass
class Returned:
    """files: name in the zip -> page; lines: who has none, and why, in words."""

    files: dict = field(default_factory=dict)
    lines: list = field(default_factory=list)


def pages_for(ledger, out: Path, submitted: Path, lesson: str, platform: str) -> Returned:
    """The pages of one lesson, under the names that the platform gave. Raises ClassroomError."""
    arrivals = read_arrivals(submitted)
    names = _names(arrivals, lesson, platform)
    told, unknown, stale = Returned(), [], []
    by_hand = ledger.by_hand(lesson=lesson)
    mine = [one for one in ledger.states() if one.lesson == lesson and one.outcome.marks]
    for record in mine:
        student = record.student
        page = Path(out) / "feedback" / student / lesson / f"{lesson}.html"
        given = by_hand.get((student, lesson), {})
        if _page_now(record, given, mine) != record.page_key:
            stale.append(student)
        elif student not in names or not page.is_file():
            unknown.append(student)
        else:
            told.files[names[student]] = page
    _refuse(told, stale, lesson, platform)
    if unknown:
        words = _("Not in a download from {platform}, or without a page: {names}.")
        told.lines.append(words.format(platform=platform, names=_listed(unknown)))
    return told


def _page_now(record, given, mine):
    return page_key(given, pages_version(), record.late, team_of(record, mine))


def _refuse(told, stale, lesson, platform):
    if stale:
        words = _(
            "Marks or deadlines changed since these pages were written: {names}. Run autograde "
            "again, which writes them anew."
        )
        raise ClassroomError(words.format(names=_listed(stale)))
    if not told.files:
        words = _(
            "There is no page of {lesson} for a student who came from {platform}. --submitted "
            "names the folder that collect sorted the download into."
        )
        raise ClassroomError(words.format(lesson=lesson, platform=platform))
    twice = [name for name, count in Counter(map(str.casefold, told.files)).items() if count > 1]
    if twice:
        words = _("Two pages would have one name: {names}.")
        raise ClassroomError(words.format(names=_listed(twice)))


def _listed(names):
    return ", ".join(map(safe, sorted(names)))


def _names(arrivals, lesson, platform) -> dict:
    """student -> name of the page in the zip."""
    mine = [one for key, one in arrivals.items() if key[1] == lesson and one.source == platform]
    make = _for_canvas if platform == "canvas" else _for_moodle
    return {one.student: make(one, lesson) for one in mine}


def _for_canvas(arrival, lesson):
    """As downloaded, with another ending. Canvas takes the first two numbers of a name for student
    and attachment, so numbers of the person's name go."""
    name = PurePosixPath(arrival.name).name
    found = read_names([name], "canvas", lesson, (arrival.student,))[name]
    stem = plain_name(name).rsplit(".", 1)[0]
    if arrival.student.startswith("anon_"):
        return f"{stem}.html"
    whose = "_".join(part for part in found.person.split("_") if not is_number(part)) or "student"
    late = "_LATE" if arrival.late else ""
    rest = name.removeprefix(f"{found.person}{late}_{arrival.student}_")
    number, _sign, file = rest.partition("_")
    file = plain_name(file).rsplit(".", 1)[0]
    return f"{whose}{late}_{arrival.student}_{number}_{file}.html"


def _for_moodle(arrival, lesson):
    """The download's folder. Moodle takes what stands between the first two signs "_" for the
    number, so those of the person's name go."""
    *folders, name = PurePosixPath(arrival.name).parts
    folder = next((part for part in folders if MOODLES.search(part)), None)
    marked = folder or name
    at = MOODLES.search(marked)
    person, number = marked[: at.start()].replace("_", " "), at.group()
    if folder:
        return f"{person}{number}file_/{lesson}.html"
    return f"{person}{number}file_{lesson}.html"


def write_zip(path: Path, told: Returned) -> None:
    """Writes the pages. Raises ClassroomError."""
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, page in sorted(told.files.items()):
                archive.write(page, name)
        write_whole(path, made.getvalue())
    except OSError as error:
        words = _("{path}: {why}. --zip names a file that you may write.")
        raise ClassroomError(words.format(path=path, why=reason(error))) from None
