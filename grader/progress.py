"""A student's own progress over all lessons, from the saved notebooks.

Each lesson runs in a process of its own (``progress_worker``), with no sandbox: it is the student's
code on the student's machine. The same checks judge it as in the notebook.
"""

import html
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.course import ANSWERS, HERE, CourseError, Lesson, _cell, read_lesson
from grader.i18n import _
from grader.intake.assemble import Plan, assemble
from grader.intake.document import read_document
from grader.intake.matching import is_stub
from grader.intake.words import Refused, clean
from policy_gradients.i18n import language, languages, speaking, system_language

NAME = re.compile(r"\d\d[a-z]?_\w+")
SECONDS = 300
# Set for the worker, so that a notebook that asks for its own progress doesn't run itself again.
RUNNING = "COURSE_PROGRESS_RUNS"


class ProgressError(CourseError):
    """There is no progress to show; says what to do."""


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
    they are worth; trouble: one line where something of it could not be read or run."""

    name: str
    title: str
    path: Path
    items: list = field(default_factory=list)
    texts: tuple = (0, 0)
    text_points: float = 0.0
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
            words = _("Texts that are marked by hand: {n} of {total} written ({points} points).")
            worth = sum(lesson.text_points for lesson in self.lessons)
            told.append(words.format(n=written, total=count, points=f"{worth:g}"))
        told.append(_("Only what is saved counts: save a notebook before you ask."))
        return told

    def _next_words(self):
        if self.next is None and self.unread:
            words = _("Next: mend {lesson}. {trouble}")
            return words.format(lesson=self.unread[0].name, trouble=self.unread[0].trouble)
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
        lines = [f"{a.ljust(wide[0])}  {b.rjust(wide[1])}  {c.rjust(wide[2])}  {d}".rstrip()
                 for a, b, c, d in rows]  # fmt: skip
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
    done = lesson.items and lesson.solved == len(lesson.items)
    return _("done") if done else ""


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


# Reading ---------------------------------------------------------------------------------------


def find_notebooks(notebooks=None) -> Path:
    """The folder that holds LESSON/LESSON.ipynb: the one named, one around or below the working
    directory, or the course's own; of several languages the one in use, which is the system's
    where nobody chose. Raises ProgressError."""
    here, spoken = Path.cwd(), language(default=system_language())
    nearby = [here, *here.parents[:2], here / "notebooks" / spoken]
    own = [HERE / "notebooks" / spoken, HERE / "notebooks" / "en"]
    folders = [Path(notebooks).resolve()] if notebooks is not None else [*nearby, *own]
    for folder in folders:
        if any(folder.glob("[0-9][0-9]*_*/[0-9][0-9]*_*.ipynb")):
            return folder
    words = _("{folder}: there are no lessons. Name the folder that holds LESSON/LESSON.ipynb.")
    raise ProgressError(words.format(folder=folders[0]))


def read(folder: Path, name: str) -> tuple[Lesson, Plan, bool]:
    """(lesson, plan, begun) of one saved notebook. Raises Refused, CourseError or OSError."""
    data = (folder / name / f"{name}.ipynb").read_bytes()
    document = read_document(data)
    lesson = _lesson(folder, name, document.language or _language_of(folder), data)
    plan = assemble(lesson, document)
    return lesson, plan, _begun(plan, data)


def _language_of(folder):
    return folder.name if folder.name in languages() else "en"


def _lesson(folder, name, spoken, data):
    """The lesson as it was handed out, as far as it can still be told.

    The student works in the handed-out notebook itself. The instructor's version tells what a
    student may have deleted there; its solutions are used for nothing. Where it was held back,
    the cells that the student still has are the lesson.
    """
    mine = folder / name / f"{name}.ipynb"
    paths = [root / kind / spoken / name / f"{name}.ipynb"
             for kind in ("solutions", "notebooks")
             for root in (folder.parent.parent, HERE)]  # fmt: skip
    for path in paths:
        if path.is_file() and not path.samefile(mine):
            return read_lesson(path, name, spoken)
    try:
        raw = [
            {**cell, "id": cell.get("id") or f"cell-{number}"}
            for number, cell in enumerate(json.loads(data)["cells"])
            if "policy_gradients" in cell["metadata"]
        ]
        cells = {cell.grade_id or cell.id: _unwritten(cell) for cell in map(_cell, reversed(raw))}
    except (ValueError, KeyError, TypeError) as error:
        words = _("This is not a notebook of the course ({error}).")
        raise ProgressError(words.format(error=type(error).__name__)) from None
    if not any(cell.kind in ("check", "free") for cell in cells.values()):
        words = _(
            "No exercise was found in it: the program that saved it dropped what marks its cells. "
            "Copy your answers into a fresh copy of the notebook."
        )
        raise ProgressError(words)
    return Lesson(name, spoken, tuple(reversed(cells.values())), {})


def _unwritten(cell):
    return replace(cell, source="") if cell.kind in (*ANSWERS, "free") else cell


def _begun(plan, data):
    """Whether the student wrote anything: an own cell, a changed demo or an answer."""
    if any(cell.written and cell.kind in ("extra", "demo") and cell.text.strip()
           for cell in plan.cells):  # fmt: skip
        return True
    try:
        return any(_answered(cell) for cell in json.loads(data)["cells"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return True  # metadata was lost on the way; running it is the safe side


def _answered(cell):
    """Whether the text of an answer cell is another than nbgrader's checksum of the release."""
    from nbformat import from_dict
    from nbgrader.utils import compute_checksum

    kept = cell["metadata"].get("nbgrader", {})
    if not kept.get("solution"):
        return False
    source = "".join(cell["source"])
    return compute_checksum(from_dict({**cell, "source": source})) != kept["checksum"]


# Running ---------------------------------------------------------------------------------------


def look(notebooks=None, watch: Callable | None = None) -> Progress:
    """Runs what is begun and returns the progress. watch(lesson, done, total) hears each check."""
    folder = find_notebooks(notebooks)
    names = sorted(path.name for path in folder.iterdir()
                   if NAME.fullmatch(path.name) and path.is_dir())  # fmt: skip
    told = watch or (lambda *_: None)
    return Progress(folder, [_one(folder, name, told) for name in names])


def _one(folder, name, told):
    found = LessonProgress(name, name, folder / name / f"{name}.ipynb")
    try:
        lesson, plan, found.begun = read(folder, name)
    except (Refused, CourseError) as error:
        found.trouble = clean(" ".join(str(error).split()))
        return found
    except OSError as error:
        found.trouble = _("The notebook can't be read ({why}).").format(why=error.strerror)
        return found
    _describe(found, lesson, plan)
    if found.begun:
        _run(found, folder, told)
    return found


def _describe(found, lesson, plan):
    title = lesson.cells[0].source.split("\n")[0] if lesson.cells else ""
    found.title = title.removeprefix("# ").strip() or found.name
    found.items = [Item(c.grade_id, c.points) for c in lesson.cells if c.kind == "check"]
    texts = [cell for cell in plan.cells if cell.kind == "free"]
    written = [cell for cell in texts if cell.written and not _is_blank(cell)]
    found.texts = len(written), len(texts)
    found.text_points = sum(cell.source.points for cell in texts)


def _is_blank(cell):
    return not cell.pictures and (not cell.text.strip() or is_stub(cell.text))


def _run(found, folder, told):
    """Runs the lesson elsewhere and takes each verdict as it comes."""
    items = {item.name: item for item in found.items}
    told(found.name, 0, len(items))
    with tempfile.TemporaryDirectory() as place:
        results = Path(place) / "results"
        results.touch()
        command = [sys.executable, "-m", "grader.progress_worker", folder, found.name, results]
        process = subprocess.Popen(command, cwd=folder / found.name, env=_environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            _follow(process, results, lambda done: told(found.name, done, len(items)))
        finally:
            process.kill()
            process.wait()
        lines = [json.loads(line) for line in _lines(results)]
    for line in lines:
        if line.get("exercise") in items:
            item = items[line["exercise"]]
            item.solved, item.words = line["solved"], line["words"]
    found.trouble = next((line["trouble"] for line in lines if "trouble" in line), "")
    if not found.trouble and not any("end" in line for line in lines):
        words = _("It stopped before its end (limit: {seconds} s); later checks were not asked.")
        found.trouble = words.format(seconds=SECONDS)


def _follow(process, results, told):
    end, heard = time.monotonic() + SECONDS, 0
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
        if (done := sum('"exercise"' in line for line in _lines(results))) != heard:
            heard = done
            told(done)


def _lines(results):
    return results.read_text(encoding="utf-8").split("\n")[:-1]


def _environment():
    paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, RUNNING: "1", "MPLBACKEND": "agg", "COURSE_LANGUAGE": language(),
            "PYTHONPATH": os.pathsep.join(filter(None, paths))}  # fmt: skip


# Showing ---------------------------------------------------------------------------------------


def show(notebooks=None) -> None:
    """Shows the progress: a table in a notebook, plain text elsewhere."""
    if os.environ.get(RUNNING):
        return
    with speaking(_spoken(notebooks)):
        if _in_notebook():
            _show_rich(notebooks)
        else:
            print(look(notebooks, bar if sys.stderr.isatty() else None).text())


def _spoken(notebooks):
    """The language of the notebooks that will be shown."""
    try:
        return language(find_notebooks(notebooks))
    except ProgressError:
        return language(default=system_language())


def _in_notebook():
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return bool(shell) and hasattr(shell, "kernel")


def _show_rich(notebooks):
    from IPython.display import display

    def bundle(words, rich=None):
        return {"text/plain": words, "text/html": rich or html.escape(words)}

    handle = display(bundle(_("Reading the notebooks ...")), raw=True, display_id=True)

    def told(name, done, total):
        words = _("{lesson}: {n} of {total} checks").format(lesson=name, n=done, total=total)
        handle.update(bundle(words), raw=True)

    try:
        found = look(notebooks, told)
    except ProgressError as error:
        handle.update(bundle(str(error)), raw=True)
        return
    handle.update(bundle(found.text(), found.html()), raw=True)


def bar(name, done, total, wide=24):
    """A bar on the terminal, which the next one overwrites and the last one wipes away."""
    full = wide * done // max(total, 1)
    shown = f"{name}  [{'#' * full}{'.' * (wide - full)}] {done}/{total}"
    print("\r" + (shown.ljust(78) if done < total else " " * 78 + "\r"), end="", file=sys.stderr,
          flush=True)  # fmt: skip
