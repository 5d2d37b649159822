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
from pathlib import Path

from grader.course import HERE, CourseError
from grader.course.notes import Refused, clean
from grader.course.reasons import reason
from grader.i18n import _
from grader.intake.matching import is_stub
from grader.student.results import Item, LessonProgress, Progress
from grader.student.saved import ProgressError, find_notebooks, read
from policy_gradients.i18n import language, speaking, system_language

NAME = re.compile(r"\d\d[a-z]?_\w+")
SECONDS = 300
BAR = "{desc}  |{bar:24}| {n_fmt}/{total_fmt}"
# Set for the worker, so that a notebook that asks for its own progress doesn't run itself again.
RUNNING = "COURSE_PROGRESS_RUNS"


def look(notebooks=None, watch: Callable | None = None) -> Progress:
    """Runs what is begun and returns the progress. watch(lesson, done, total) hears each check."""
    folder = find_notebooks(notebooks)
    names = sorted(
        path.name for path in folder.iterdir() if NAME.fullmatch(path.name) and path.is_dir()
    )
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
        found.trouble = _("The notebook can't be read ({why}).").format(why=reason(error))
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
    found.unwritten = tuple(cell.source.grade_id for cell in texts if cell not in written)
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
        worker = "grader.student.progress_worker"
        command = [sys.executable, "-m", worker, folder, found.name, results]
        process = subprocess.Popen(
            command,
            cwd=folder / found.name,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
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
    return {
        **os.environ,
        RUNNING: "1",
        "MPLBACKEND": "agg",
        "COURSE_LANGUAGE": language(),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def show(notebooks=None) -> None:
    """Shows the progress: a table in a notebook, plain text elsewhere."""
    if os.environ.get(RUNNING):
        return
    with speaking(_spoken(notebooks)):
        if _in_notebook():
            _show_rich(notebooks)
        else:
            print(look(notebooks, watch_bar() if sys.stderr.isatty() else None).text())


def _spoken(notebooks):
    """The language of the notebooks that will be shown."""
    try:
        folder = find_notebooks(notebooks)
    except ProgressError:
        return language(default=system_language())
    lessons = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))
    return language(folder, default="") or language(lessons[0] if lessons else folder)


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


def watch_bar() -> Callable:
    """A watcher that draws a bar for each lesson on the terminal, and wipes it away at its end."""
    from tqdm import tqdm

    shown = {}

    def told(name, done, total):
        if name not in shown:
            for bar in shown.values():  # of a lesson that stopped before its end
                bar.close()
            shown[name] = tqdm(total=total, desc=name, leave=False, bar_format=BAR)
        shown[name].update(min(done, total) - shown[name].n)
        if done >= total:
            shown[name].close()

    return told
