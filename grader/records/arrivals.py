"""Where each collected notebook came from and when: ``collected.json`` beside the submissions.

No student's folder holds it, so nothing that a student hands in can change it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.records.store import write_whole

FILE = "collected.json"


@dataclass(frozen=True)
class Arrival:
    """One notebook's way in. source: "canvas" or "moodle"; name: its path in the download; late:
    the platform's own mark; submitted: nbgrader's text of the time, "" where it isn't known."""

    student: str
    lesson: str
    source: str
    name: str
    late: bool = False
    submitted: str = ""


def read_arrivals(folder) -> dict:
    """(student, lesson) -> Arrival; empty where nothing was collected or the file is damaged."""
    try:
        rows = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
        found = [Arrival(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return {}
    return {(one.student, one.lesson): one for one in found}


def add_arrivals(folder, new) -> None:
    """Puts these in the place of what was known of the same students and lessons. OSError."""
    known = read_arrivals(folder) | {(one.student, one.lesson): one for one in new}
    rows = [json.dumps(asdict(known[key]), ensure_ascii=False) for key in sorted(known)]
    write_whole(Path(folder) / FILE, "[\n" + ",\n".join(rows) + "\n]\n")
