"""``groups.csv``: who works together. One submission counts for all members of a group.

    group,student,lesson
    team1,ada@x.org,
    team1,ben@x.org,
    duo,cem@x.org,02_variance

A line without a lesson holds for all lessons that the student has no other line for.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from grader.i18n import _
from grader.intake.classroom import ClassroomError, closest
from grader.intake.sheets import read_sheet

FILE = "groups.csv"


@dataclass(frozen=True)
class Groups:
    """of: (student, lesson) -> group, lesson "" for all lessons."""

    of: dict = field(default_factory=dict, hash=False)

    def group(self, student, lesson) -> str:
        """The student's group in a lesson; "" where there is none."""
        return self.of.get((student, lesson), self.of.get((student, ""), ""))

    def names(self) -> set:
        """The names of all groups: a folder of such a name is its group's, and nobody's own."""
        return set(self.of.values())

    def members(self, group, lesson) -> list:
        """Everybody of a group in a lesson, sorted."""
        students = {student for student, _lesson in self.of}
        return sorted(one for one in students if self.group(one, lesson) == group)

    def spelt(self, spelling) -> "Groups":
        """The same with names as the folders have them, a group's, too."""
        return Groups(
            {(spelling(who), lesson): spelling(group) for (who, lesson), group in self.of.items()}
        )

    def strangers(self, students, lessons) -> dict:
        """Members of groups in one of these lessons who are none of the students -> the one of the
        students who may be meant, being in no group, or ""; those first for whom there is one.
        Misspelt, they would get the marks in their owner's place; or they never handed in
        themselves."""
        of_these = {who for who, lesson in self.of if not lesson or lesson in lessons}
        alone = set(students) - {who for who, _lesson in self.of} - self.names()
        close = closest(sorted(of_these - set(students)), alone)
        return dict(sorted(close.items(), key=lambda pair: not pair[1]))


def read_groups(path, lessons=(), needed=False) -> Groups:
    """The file's groups; none where there is no file, unless it is needed. Raises
    ClassroomError."""
    if not needed and not Path(path).is_file():
        return Groups()
    sheet = read_sheet(path, _("It holds a line group,student,lesson and then one line a member."))
    columns = [sheet.column({name}) for name in ("group", "student", "lesson")]
    if None in columns[:2]:
        words = _("{path}: there are no columns group and student ({found}).")
        raise ClassroomError(words.format(path=path, found=", ".join(sheet.header) or "-"))
    found = {}
    for group, student, lesson in zip(*map(sheet.cells, columns), strict=True):
        if lesson and lessons and lesson not in lessons:
            words = _("{path}: there is no lesson {name}; there are {known}.")
            raise ClassroomError(words.format(path=path, name=lesson, known=", ".join(lessons)))
        if found.setdefault((student, lesson), group) != group:
            words = _("{path}: {student} is in two groups, {one} and {other}.")
            one, other = found[student, lesson], group
            raise ClassroomError(words.format(path=path, student=student, one=one, other=other))
    return Groups(found)


@dataclass(frozen=True)
class Shared:
    """A submission and whom else it counts for. clash: names of several that were handed in by one
    group, none of which can be chosen."""

    found: object
    group: str = ""
    members: tuple = ()
    clash: tuple = ()


def share(found, groups, time_of, content_of) -> list:
    """The submissions with the members that each counts for. time_of(Found) tells when it was
    handed in, None where unknown: of several of one group the latest counts, and of the same work
    any. content_of(Found): what the same work has in common, None where it can't be read."""
    alone, together = [], defaultdict(list)
    names = groups.names()
    for one in found:
        group = groups.group(one.student, one.lesson) if one.refused is None else ""
        if not group and one.student in names:  # handed in under the group's own name
            group = one.student
        (together[group, one.lesson] if group else alone).append(one)
    shared = [Shared(one) for one in alone]
    for (group, lesson), mine in together.items():
        members = tuple(groups.members(group, lesson))
        latest = _latest(mine, time_of)
        contents = {content_of(one) for one in latest} if len(latest) > 1 else set()
        if len(latest) == 1 or (len(contents) == 1 and None not in contents):
            shared.append(Shared(latest[0], group, members))
        else:
            clash = tuple(sorted(one.student for one in latest))
            shared += [Shared(one, group, clash=clash) for one in mine]
    return sorted(shared, key=lambda one: (one.found.lesson, one.found.student))


def _latest(mine, time_of):
    """The submissions of which none is known to be earlier than another, by student."""
    times = [time_of(one) for one in mine]
    last = None if None in times else max(times)
    kept = [one for one, when in zip(mine, times, strict=True) if last in (None, when)]
    return sorted(kept, key=lambda one: one.student)
