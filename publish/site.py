"""The reading site, one folder a language: ``python -m publish.site``.

Each solved notebook becomes a page: an exercise shows its task and stub, and its solution is folded
away below. The outputs are those that the notebook holds; nothing is executed, and a page needs
nothing from elsewhere. ``site/conf.py`` says how Sphinx makes HTML of it.
"""

import argparse
import multiprocessing
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
from babel import Locale
from babel.core import UnknownLocaleError
from nbformat import v4

from policy_gradients.handout import exercise_of
from publish.blocks import cut
from publish.catalogue import N_, SOURCE_LANGUAGE, text_in
from publish.course import Course, notebook_text, write_text
from publish.problems import Problem, PublishError
from publish.rules import BEGIN, END, has_blank, without_markers

HERE = Path(__file__).resolve().parents[1]
SITE = HERE / "site"
START = "00_start"

TITLE = N_("Policy gradients, from REINFORCE to PPO")
LANGUAGE = N_("Language")
GIVEN = N_("Code from earlier lessons")
SOLUTION = N_("Solution")
MODEL_ANSWER = N_("Model answer")
MARKS = N_("How it is marked")
DOWNLOAD = N_("Download this lesson as a notebook to work in")
LICENCE = N_("Code is under the MIT License, text and figures under CC BY 4.0.")
ABOUT = N_(
    "These pages are the course to read, with every exercise solved. The solution is folded away "
    "below each exercise; try it first. To write and run code yourself, download the notebooks: "
    "there is a link at the top of each lesson. Where a notebook has sliders, you see still "
    "pictures."
)


def languages(course) -> list:
    """The languages that have solved lessons, the source language first."""
    found = {path.parents[1].name for path in course.root.glob("solutions/*/*/*.ipynb")}
    return sorted(found, key=lambda code: (code != SOURCE_LANGUAGE, code))


def language_name(code) -> str:
    """What speakers of the language call it: "Español" for "es"; the code where unknown."""
    try:
        name = Locale.parse(code).get_display_name()
    except (UnknownLocaleError, ValueError):
        return code
    return name[:1].upper() + name[1:]


def page(notebook, released, name, language):
    """The page of the solved lesson `notebook`, as a notebook for MyST-NB; `released` is the
    student's copy."""
    cells = [
        built
        for cell, blank in zip(notebook.cells, released.cells)
        for built in _cells(cell, blank, language)
    ]
    link = f"{{download}}`{text_in(language, DOWNLOAD)} </downloads/{name}.ipynb>`"
    cells.insert(1, v4.new_markdown_cell(link))
    return _notebook(cells)


def start_page(notebook, names, language):
    """The site's first page: the start page less the sections that ask to run something."""
    sections, current = [], []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            sections.append(current)
            current = []
        current.append(cell)
    read = [
        section
        for section in [*sections, current]
        if all(cell.cell_type == "markdown" for cell in section)
    ]
    cells = [
        v4.new_markdown_cell(_without_switch(cell.source)) for section in read for cell in section
    ]
    cells.insert(1, v4.new_markdown_cell(text_in(language, ABOUT)))
    lines = ["```{toctree}", ":hidden:", *(f"{name}/{name}" for name in names), "```"]
    return _notebook([*cells, v4.new_markdown_cell("\n".join(lines))])


def _without_switch(source):
    """The text less the paragraph that leads to other languages: the site has its own."""
    return "\n".join(block for block in cut(source) if f"/{START}.ipynb" not in block)


def _notebook(cells):
    notebook = v4.new_notebook(cells=cells)
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index}"
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def _cells(cell, blank, language):
    """What stands on the page for a solved cell; `blank` is the same cell in the student's copy."""
    kind = cell.metadata["policy_gradients"]["kind"]
    if kind in ("exercise", "question"):
        yield v4.new_code_cell(blank.source)
        name = exercise_of(cell.metadata["nbgrader"]["grade_id"])
        yield _folded(SOLUTION, _fenced(solution_code(cell.source, name)), language)
    elif kind == "given":
        yield _folded(GIVEN, _fenced(cell.source), language)
    elif kind == "free":
        answer, marks = _free_text(cell.source)
        yield _folded(MODEL_ANSWER, answer, language)
        if marks:
            yield _folded(MARKS, marks, language)
    elif cell.cell_type == "markdown":
        yield v4.new_markdown_cell(cell.source)
    else:
        yield _shown(cell)


def solution_code(source, name):
    """The answer's code; where there is a blank, what fills it."""
    if not has_blank(source, name):
        return without_markers(source)
    return "\n".join(re.findall(rf"^{BEGIN}\n(.*?)\n{END}", source, flags=re.M | re.S))


def _free_text(source):
    """(the model answer, the mark scheme)"""
    answer, marks = re.split(r"^### BEGIN MARK SCHEME\s*$", source, maxsplit=1, flags=re.M)
    return answer, re.sub(r"^### END MARK SCHEME\s*$", "", marks, flags=re.M)


def _shown(cell):
    shown = v4.new_code_cell(cell.source, outputs=cell.outputs)
    if "alt" in cell.metadata:
        shown.metadata["mystnb"] = {"image": {"alt": cell.metadata["alt"]}}
    return shown


def _fenced(source):
    return f"~~~~python\n{source}\n~~~~"


def _folded(summary, text, language):
    """A prose cell that the reader unfolds; the blank lines let Markdown be read in between."""
    opening = f'<details class="folded"><summary>{text_in(language, summary)}</summary>'
    return v4.new_markdown_cell(f"{opening}\n\n{text.strip()}\n\n</details>")


def write_pages(course, language, folder):
    """Write the language's pages, and the notebooks that they offer, under `folder`."""
    from publish.release import release  # nbgrader takes a second, and site/conf.py needs none

    paths = sorted((course.root / "solutions" / language).glob("*/*.ipynb"))
    for path in paths:
        solved, name = nbformat.read(path, as_version=4), path.stem
        released = release(solved)
        text = notebook_text(page(solved, released, name, language))
        write_text(folder / name / f"{name}.ipynb", text)
        write_text(folder / "downloads" / f"{name}.ipynb", notebook_text(released))
    start = course.page_path(START, language)
    if not start.exists():
        message = "There is no start page for the site."
        remedy = "run 'make notebooks'."
        raise PublishError([Problem(course.shown(start), 1, message, remedy)])
    first = start_page(nbformat.read(start, as_version=4), [path.stem for path in paths], language)
    write_text(folder / "index.ipynb", notebook_text(first))


def build(course, out):
    """Build the site into the folder `out`, which is replaced when all has gone well."""
    work = out.with_name(f".{out.name}")
    shutil.rmtree(work, ignore_errors=True)
    spoken = languages(course)
    if not spoken:
        message, remedy = "There is no solved lesson.", "run 'make notebooks'."
        raise PublishError([Problem("solutions", 1, message, remedy)])
    for language in spoken:
        write_pages(course, language, work / "source" / language)
    _make_html(work, spoken)
    write_text(work / "html" / "index.html", entrance(spoken))
    # GitHub Pages would leave out the folders whose names begin with an underscore.
    write_text(work / "html" / ".nojekyll", "")
    shutil.rmtree(out, ignore_errors=True)
    (work / "html").rename(out)
    shutil.rmtree(work)


def _make_html(work, spoken):
    """Make HTML of all languages' pages side by side, each in a process of its own."""
    # What takes Sphinx seconds to import is there in every process that is forked.
    import myst_nb  # noqa: F401
    import sphinx.cmd.build  # noqa: F401
    import sphinx_book_theme  # noqa: F401

    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    makers = {
        language: context.Process(target=_sphinx, args=(work, language)) for language in spoken
    }
    for maker in makers.values():
        maker.start()
    for maker in makers.values():
        maker.join()
    problems = [
        Problem(
            "site",
            1,
            f"The pages in {language!r} could not be made; the reason stands above.",
            "correct the lesson that it names, and run 'make notebooks'.",
        )
        for language, maker in makers.items()
        if maker.exitcode
    ]
    if problems:
        raise PublishError(problems)
    (work / "html").mkdir()
    for language in spoken:
        # MyST-NB leaves its own copies of the figures beside the folder of HTML; they stay behind.
        (work / "built" / language / "html").rename(work / "html" / language)


def _sphinx(work, language):
    """Make HTML of one language's pages, and end this process; every warning, such as a dead link,
    is an error."""
    from sphinx.cmd.build import main

    os.environ["COURSE_LANGUAGE"] = language  # site/conf.py asks for it
    words = ["--quiet", "--fail-on-warning", "--keep-going"]
    folders = {"--conf-dir": SITE, "--doctree-dir": work / "doctrees" / language}
    words += [str(word) for pair in folders.items() for word in pair]
    source, html = work / "source" / language, work / "built" / language / "html"
    sys.exit(main([*words, str(source), str(html)]))


def entrance(spoken):
    """The page at the site's root: on to the reader's language, or a choice without scripts."""
    links = "".join(
        f'<li><a href="{code}/index.html" lang="{code.replace("_", "-")}">'
        f"{language_name(code)}</a></li>\n"
        for code in spoken
    )
    text = (SITE / "entrance.html").read_text(encoding="utf-8")
    return text.replace("TITLE", TITLE).replace("LINKS", links)


def main(arguments=None):
    """Build as `arguments` say; exit status 2 where something is wrong with the input."""
    parser = argparse.ArgumentParser(prog="python -m publish.site", description=__doc__)
    parser.add_argument("--root", type=Path, default=HERE, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="the folder to write; build/site where not given")
    options = parser.parse_args(arguments)
    course = Course(options.root.resolve())
    out = (options.out or course.root / "build" / "site").resolve()
    try:
        build(course, out)
    except PublishError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"The site is in {out}: open index.html there, or put the folder on any web server.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
