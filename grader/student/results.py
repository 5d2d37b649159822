"""How far a student is: lessons, exercises and points, as a table in words and in HTML."""

import html
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from grader.i18n import _


@dataclass
class Item:
    """One exercise or question: solved, or what its check says."""

    name: str
    points: float
    solved: bool = False
    words: str = ""


@dataclass
class LessonProgress:
    """One lesson. texts: (written, all) of the answers that are marked by hand, text_points what
    they are worth, unwritten the names of those that are still empty; trouble: one line where
    something of it could not be read or run."""

    name: str
    title: str
    path: Path
    items: list = field(default_factory=list)
    texts: tuple = (0, 0)
    text_points: float = 0.0
    unwritten: tuple = ()
    begun: bool = False
    trouble: str = ""

    @property
    def solved(self) -> int:
        return sum(item.solved for item in self.items)

    @property
    def points(self) -> float:
        return sum(item.points for item in self.items if item.solved)

    @property
    def most(self) -> float:
        return sum(item.points for item in self.items)


@dataclass
class Progress:
    """All lessons in order, and how they are shown."""

    folder: Path
    lessons: list

    @property
    def unread(self) -> list:
        """Lessons of which something could not be read or run: nothing is said to be done there."""
        return [lesson for lesson in self.lessons if lesson.trouble]

    @property
    def next(self):
        """(lesson, item) of the first exercise that isn't solved; None where all are."""
        steps = ((lesson, item) for lesson in self.lessons for item in lesson.items)
        return next(((lesson, item) for lesson, item in steps if not item.solved), None)

    def rows(self) -> list:
        """(title, solved, points, remark) of each lesson and of all together."""
        rows = [(lesson.title, *_counts([lesson]), _remark(lesson)) for lesson in self.lessons]
        return [*rows, (_("all lessons"), *_counts(self.lessons), "")]

    def sentences(self) -> list:
        """What stands below the table."""
        written = sum(lesson.texts[0] for lesson in self.lessons)
        count = sum(lesson.texts[1] for lesson in self.lessons)
        told = [self._next_words()]
        if self.unread:
            words = _("Not read to the end, so not counted as done: {names}.")
            told.append(words.format(names=", ".join(lesson.name for lesson in self.unread)))
        if count:
            words = _(
                "Texts that are marked by hand: {n} of {total} written. Their {points} points come "
                "on top of the table's."
            )
            worth = sum(lesson.text_points for lesson in self.lessons)
            told.append(words.format(n=written, total=count, points=f"{worth:g}"))
        told.append(_("Only what is saved counts: save a notebook before you ask."))
        return told

    def _next_words(self):
        if self.next is None and self.unread:
            words = _("Next: mend {lesson}. {trouble}")
            return words.format(lesson=self.unread[0].name, trouble=self.unread[0].trouble)
        empty = next((lesson for lesson in self.lessons if lesson.unwritten), None)
        if self.next is None and empty is not None:
            words = _("Every exercise is solved. Next: write {text}, in {lesson}.")
            return words.format(text=empty.unwritten[0], lesson=empty.name)
        if self.next is None:
            return _("Next: nothing. Every exercise is solved.")
        lesson, item = self.next
        words = _("Next: {exercise}, in {lesson}.")
        if item.words:
            words = _("Next: {exercise}, in {lesson}. Its check says: {words}")
        return words.format(exercise=item.name, lesson=lesson.name, words=item.words)

    def text(self) -> str:
        """The table as plain text."""
        rows = [(_("lesson"), _("solved"), _("points"), ""), *self.rows()]
        wide = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [
            f"{a.ljust(wide[0])}  {b.rjust(wide[1])}  {c.rjust(wide[2])}  {d}".rstrip()
            for a, b, c, d in rows
        ]
        return "\n".join([*lines, "", *self.sentences()])

    def html(self) -> str:
        """The same words as a table with links to the notebooks."""
        words = _("lesson"), _("solved"), _("points"), _("remark")
        head = "".join(f"<th scope='col'>{html.escape(word)}</th>" for word in words)
        links = [*(_link(lesson) for lesson in self.lessons), ""]
        body = "".join(_row(row, link) for row, link in zip(self.rows(), links, strict=True))
        first, *rest = map(html.escape, self.sentences())
        below = f"<p><b>{first}</b></p>" + "".join(f"<p>{words}</p>" for words in rest)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def _counts(lessons):
    solved = sum(lesson.solved for lesson in lessons)
    count = sum(len(lesson.items) for lesson in lessons)
    points, most = sum(one.points for one in lessons), sum(one.most for one in lessons)
    return f"{solved} / {count}", f"{points:g} / {most:g}"


def _remark(lesson):
    if lesson.trouble:
        return lesson.trouble
    if not lesson.begun:
        return _("not begun")
    if not lesson.items or lesson.solved < len(lesson.items):
        return ""
    if lesson.unwritten:
        return _("to write: {names}").format(names=", ".join(lesson.unwritten))
    return _("done")


def _link(lesson):
    """From the notebook that shows the table to the lesson; "" where no path leads there."""
    with suppress(ValueError, OSError):  # another drive on Windows
        return Path(os.path.relpath(lesson.path)).as_posix()
    return ""


def _row(row, link):
    title, *rest = map(html.escape, row)
    if link:
        title = f"<a href='{html.escape(link)}'>{title}</a>"
    cells = "".join(f"<td>{text}</td>" for text in rest)
    return f"<tr><th scope='row' style='text-align:left'>{title}</th>{cells}</tr>"
