"""Whose a downloaded file is, by the name that Canvas or Moodle gave it.

Canvas (``lib/content_zipper.rb``) writes NAME_[LATE_]USER_ATTACHMENT_FILE, and for an anonymous
assignment [LATE_]anon_XXXXX_ATTACHMENT_FILE. Moodle writes folders, or prefixes,
FULL NAME_NUMBER_assignsubmission_file_. FILE is the student's own choice: nothing in it may decide
whose it is.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from grader.i18n import N_

ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?anon_(?P<late2>LATE_)?(?P<id>[A-Za-z0-9]{5})(?P<late3>_LATE)?_\d+_(?P<file>.+)",
    re.DOTALL,
)
# What Moodle appends to a person's name; the student chooses all that comes behind it.
MOODLES = re.compile(r"_\d+_assignsubmission_")
MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_[a-z]+_?", re.DOTALL)
MOODLE_FILE = re.compile(
    r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_[a-z]+_(?P<file>.+)", re.DOTALL
)
ANON = "anon"
NOT_ITS = N_("not a name that {source} gives")
AMBIGUOUS = N_("its name can be read as that of more than one student: {students}")


@dataclass(frozen=True)
class Named:
    """What a name says. person: Moodle's full name or Canvas's short one; number: "" where nobody
    can be told, and then why; others: the numbers of all readings, where there are several; file:
    the student's own name for it; sure: no other reading."""

    person: str
    number: str
    file: str
    late: bool = False
    why: str = ""
    others: tuple = ()
    sure: bool = True


def read_names(paths, source, lesson, known=()) -> dict:
    """path -> Named, of a whole download. known: the students' numbers, where a roster has them."""
    if source == "moodle":
        return {path: _moodle(path) for path in paths}
    found = {path: _canvas(PurePosixPath(path).name, lesson, known) for path in paths}
    return _consistent(found)


def _moodle(path):
    *folders, name = PurePosixPath(path).parts
    # The first mark is Moodle's: a file or a folder handed in may have another person's.
    folder = next((folder for folder in folders if MOODLES.search(folder)), None)
    marked, pattern = (name, MOODLE_FILE) if folder is None else (folder, MOODLE_FOLDER)
    match = pattern.fullmatch(marked) if len(MOODLES.findall(marked)) == 1 else None
    if match is None:
        return Named("", "", name, why=NOT_ITS)
    return Named(match["name"], match["number"], name if folder else match["file"])


def _canvas(name, lesson, known):
    readings = list(_readings(name.split("_")))
    numbers = [one.number for one in readings]
    match = ANONYMOUS.fullmatch(name)
    if match and not set(numbers) & set(known):
        late = bool(match["late"] or match["late2"] or match["late3"])
        number = f"anon_{match['id']}"
        # Else it may be a person called Anon.
        others, sure = _once(number, *numbers), not readings
        return Named(ANON, number, match["file"], late, others=others, sure=sure)
    if not readings:
        return Named("", "", name, why=NOT_ITS)
    for right in (
        lambda one: True,
        lambda one: one.late,  # Canvas writes names in small letters, so that LATE is its own
        lambda one: one.number in known,
        lambda one: one.file.casefold().startswith(lesson.casefold()),
    ):
        chosen = [one for one in readings if right(one)]
        if len(chosen) == 1:
            sure = len(readings) == 1 or chosen[0].late
            return replace(chosen[0], others=_once(*numbers), sure=sure)
    return Named("", "", name, why=AMBIGUOUS, others=_once(*numbers))


def _once(*numbers):
    return tuple(dict.fromkeys(numbers))


def _readings(parts):
    """Every way to read NAME_[LATE_]USER_ATTACHMENT_FILE. Canvas takes numbers out of the middle of
    names, so that NAME has one at its beginning or its end at most."""
    for at in range(1, len(parts) - 2):
        if not (is_number(parts[at]) and is_number(parts[at + 1])):
            continue
        late = at > 1 and parts[at - 1] == "LATE"
        name = parts[: at - 1] if late else parts[:at]
        if not any(map(is_number, name[1:-1])) and any(parts[at + 2 :]):
            yield Named("_".join(name), parts[at], "_".join(parts[at + 2 :]), late)


def is_number(text) -> bool:
    """Whether it can be an ID of Canvas's; the 01 of a lesson's name can't."""
    return re.fullmatch(r"[1-9]\d*", text, re.ASCII) is not None


def _consistent(found):
    """A number is one person's: a reading that gives it to somebody of another name is none, and
    an anonymous id made of digits is one only where nobody else has a name."""
    names = defaultdict(set)
    for one in found.values():
        names[one.number].add(one.person)
    named = any(one.number and one.person != ANON for one in found.values())
    return {path: _checked(one, names[one.number], named) for path, one in found.items()}


def _checked(one, names, named):
    if not one.number or one.sure:
        return one
    if one.person == ANON and not named or one.person != ANON and names == {one.person}:
        return one
    return replace(one, number="", why=AMBIGUOUS)
