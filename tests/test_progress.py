"""A student's own progress: what is saved is run and counted; a broken file stops nothing."""

import html
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from nbformat import from_dict
from nbgrader.utils import compute_checksum

import policy_gradients as pg
from grader.__main__ import main
from grader.course import HERE
from grader.student import progress, results, saved
from tests.classroom import NAME, SOLUTIONS, blank, build_course, code, find, insert_after, solved
from tests.sandboxes import WARM_TOGETHER, needs_walls, open_session

# An own cell that must run: the answer below it needs it.
OWN = "%matplotlib inline\nprint('x' * 100)\nscale = 1.0\nimport policy_gradients\n"
OWN += "policy_gradients.progress()  # must not run the notebook again\n"


def save(folder, name, notebook):
    path = folder / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Lesson 01 half solved, 02 untouched but run, 03 cut off, 04 a death, 05 without its file."""
    root = tmp_path_factory.mktemp("mine")
    course = build_course(root)
    folder = root / "notebooks" / "en"
    answer = SOLUTIONS["softmax"].replace("return weights", "return scale * weights")
    half = solved(
        course,
        softmax=answer,
        discounted_return="def discounted_return(rewards, gamma=1.0):\n"
        "    return float(sum(rewards))\n",
    )
    half["cells"].insert(1, code(OWN))
    save(folder, NAME, half)
    untouched = build_course(tmp_path_factory.mktemp("pristine"))
    ran = blank(untouched)
    for cell in ran["cells"]:
        if cell["cell_type"] == "code":
            cell |= {
                "execution_count": 3,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
            }
    save(folder, "02_untouched", ran)
    save(folder, "03_cut", json.dumps(ran)[:900])
    dies = insert_after(solved(untouched), "softmax", code("import os\nos._exit(3)"))
    save(folder, "04_dies", dies)
    (folder / "05_gone").mkdir()
    heard = []
    return progress.look(folder, lambda *told: heard.append(told)), heard


def lesson(found, name):
    return next(one for one in found[0].lessons if one.name == name)


def test_solved_exercises_and_points_are_the_checks_own(found):
    mine = lesson(found, NAME)
    verdicts = {item.name: item.solved for item in mine.items}
    assert verdicts["softmax"] and not verdicts["discounted_return"]
    assert mine.points == sum(item.points for item in mine.items if item.solved)
    assert mine.begun and not mine.trouble


def test_what_to_do_next_is_the_first_unsolved_with_what_its_check_says(found):
    one, item = found[0].next
    assert (one.name, item.name) == (NAME, "discounted_return")
    assert "gamma" in item.words and item.words in found[0].text()


def test_a_notebook_that_was_only_run_is_not_begun_and_not_run(found):
    untouched = lesson(found, "02_untouched")
    assert not untouched.begun and untouched.solved == 0
    assert untouched.most == lesson(found, NAME).most
    assert "02_untouched" not in {name for name, *_ in found[1]}


def test_broken_and_missing_notebooks_get_one_line_each(found):
    assert "not valid JSON" in lesson(found, "03_cut").trouble
    assert "can't be read" in lesson(found, "05_gone").trouble
    assert all("\n" not in one.trouble for one in found[0].lessons)


def test_a_notebook_that_dies_keeps_what_came_before(found):
    dies = lesson(found, "04_dies")
    assert {item.name: item.solved for item in dies.items}["softmax"]
    assert dies.solved == 1 and "stopped before its end" in dies.trouble


def test_the_watcher_hears_each_check(found):
    told = [entry for entry in found[1] if entry[0] == NAME]
    assert told[0][1] == 0 and all(done <= total + 1 for _, done, total in told)


def test_the_table_and_its_plain_twin_say_the_same(found):
    rich, plain = found[0].html(), found[0].text()
    words = re.sub(r"<[^>]*>", " ", rich)
    for row in found[0].rows():
        for part in filter(None, row):
            assert part in plain
            assert html.escape(part).split()[0] in words
    assert rich.count("<tr>") == len(found[0].lessons) + 2 and "scope='row'" in rich


def test_a_title_of_the_students_making_is_escaped(tmp_path):
    one = results.LessonProgress("01_x", "<script>alert(1)</script>", tmp_path / "x.ipynb")
    assert "<script>" not in results.Progress(tmp_path, [one]).html()


def test_all_solved_leaves_nothing_to_do(tmp_path):
    item = results.Item("softmax", 1.0, True)
    one = results.LessonProgress("01_x", "01", tmp_path / "x.ipynb", [item], begun=True)
    text = results.Progress(tmp_path, [one]).text()
    assert "Every exercise is solved" in text and "1 / 1" in text


def test_a_lesson_is_not_done_while_a_text_is_empty(tmp_path):
    course = build_course(tmp_path)
    folder = tmp_path / "notebooks" / "en"
    save(folder, NAME, solved(course))
    text = progress.look(folder).text()
    assert "to write: q_why" in text and f"Next: write q_why, in {NAME}" in text
    assert "Their 4 points come on top" in text and "done" not in text
    save(folder, NAME, solved(course, q_why="Because."))
    text = progress.look(folder).text()
    assert "1 of 1 written" in text and "done" in text and "Next: nothing" in text


def kept_alone(tmp_path, notebook, name=NAME, monkeypatch=None):
    """A folder of lessons without any other version of them, as beside an installed package."""
    monkeypatch.setattr(saved, "HERE", tmp_path / "nowhere")
    save(tmp_path / "mine" / "en", name, notebook)
    return progress.look(tmp_path / "mine" / "en")


def test_notebooks_without_cell_ids_are_read_beside_an_installed_package(tmp_path, monkeypatch):
    notebook = solved(build_course(tmp_path / "course"))
    for cell in notebook["cells"]:
        del cell["id"]
    found = kept_alone(tmp_path, notebook, monkeypatch=monkeypatch)
    assert (found.lessons[0].solved, found.lessons[0].trouble) == (2, "")
    assert "Every exercise is solved. Next: write q_why" in found.text()


def test_lost_metadata_is_said_and_never_done(tmp_path, monkeypatch):
    notebook = solved(build_course(tmp_path / "course"))
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    text = kept_alone(tmp_path, notebook, monkeypatch=monkeypatch).text()
    assert "No exercise was found in it" in text
    assert "done" not in text.replace("counted as done", "") and "is solved" not in text


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"cells": [{"metadata": 3}], "nbformat": 4}'])
def test_one_broken_file_beside_a_solved_lesson_is_never_all_solved(tmp_path, broken):
    course = build_course(tmp_path)
    folder = tmp_path / "notebooks" / "en"
    save(folder, NAME, solved(course))
    save(folder, "02_broken", broken)
    found = progress.look(folder)
    text = found.text()
    assert "Every exercise is solved" not in text and "2 / 2" in text
    assert "counted as done: 02_broken" in text and "Next: mend 02_broken" in text


def test_a_text_below_its_cell_counts_as_written(tmp_path):
    course = build_course(tmp_path)
    text = {"cell_type": "markdown", "id": "own", "metadata": {}, "source": "Because."}
    folder = tmp_path / "notebooks" / "en"
    for cells, written in (([], 0), ([text], 1)):  # saving it replaces the course's own
        save(folder, NAME, insert_after(solved(course), "q_why", *cells))
        assert progress.look(folder).lessons[0].texts == (written, 1)


def test_checksums_are_nbgraders():
    cells = [
        cell
        for path in sorted((HERE / "notebooks").glob("*/*/*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if "nbgrader" in cell["metadata"]
    ]
    assert {cell["metadata"]["nbgrader"].get("grade") for cell in cells} == {True, False}
    for cell in cells:
        cell["source"] = "".join(cell["source"])
        told = cell["metadata"]["nbgrader"]["checksum"]
        assert saved.checksum(cell) == compute_checksum(from_dict(cell)) == told
        cell["source"] += " "
        assert saved.checksum(cell) == compute_checksum(from_dict(cell)) != told


def test_an_instructors_version_that_is_held_back_is_not_needed(tmp_path):
    course = build_course(tmp_path)
    shutil.rmtree(tmp_path / "solutions")
    folder = tmp_path / "notebooks" / "en"
    assert not saved.read(folder, NAME)[2]
    save(folder, NAME, solved(course))
    plan, begun = saved.read(folder, NAME)[1:]
    assert begun
    run = {cell.source.grade_id for cell in plan.cells if cell.run}
    assert {"softmax-answer", "discounted_return-answer"} <= run
    assert not any(cell.run for cell in plan.cells if cell.kind == "demo")


def test_a_deleted_exercise_still_counts_where_the_instructors_version_is_there(tmp_path):
    course = build_course(tmp_path)
    cut = blank(course)
    total = sum(cell["metadata"]["policy_gradients"]["kind"] == "check" for cell in cut["cells"])
    cut["cells"].remove(find(cut, "softmax"))
    folder = tmp_path / "notebooks" / "en"
    save(folder, NAME, cut)
    (one,) = progress.look(folder).lessons
    assert len(one.items) == total


def test_a_folder_without_lessons_is_told_with_a_remedy(tmp_path, capsys):
    assert main(["progress", "--notebooks", str(tmp_path)]) == 1
    assert "there are no lessons. Name the folder" in capsys.readouterr().err


def test_the_command_and_the_helper_package_say_the_same(tmp_path, capsys, monkeypatch):
    build_course(tmp_path)
    folder = tmp_path / "notebooks" / "en"
    assert main(["progress", "--notebooks", str(folder)]) == 0
    told = capsys.readouterr().out
    monkeypatch.chdir(folder / NAME)
    pg.progress()
    assert capsys.readouterr().out == told and "not begun" in told


def test_beside_the_graders_stub_it_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "grader", None)
    with pytest.raises(RuntimeError, match=re.escape("pg.progress() needs the course's package")):
        pg.progress()


@needs_walls
@WARM_TOGETHER
def test_in_grading_it_answers_nothing():
    with open_session(code="") as session:
        result = session.run_cell("import policy_gradients as pg\npg.progress()")
    assert "needs the course's package grader" in str(result.outputs)


def test_it_works_where_the_sandbox_cannot(tmp_path):
    """Windows has none of the modules that the sandbox and the gradebook's lock are made of."""
    course = build_course(tmp_path)
    save(tmp_path / "notebooks" / "en", NAME, solved(course))
    absent = "import sys\nfor name in ('fcntl', 'resource', 'pyseccomp'):\n"
    (tmp_path / "usercustomize.py").write_text(absent + "    sys.modules[name] = None\n")
    run = "import usercustomize, sys; from grader.__main__ import main; "
    run += "sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for folder, status, words in (("notebooks/en", 0, "2 / 2"), ("lessons", 1, "Name the folder")):
        command = [sys.executable, "-c", run, "progress", "--notebooks", str(tmp_path / folder)]
        done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True)
        assert done.returncode == status and words in done.stdout + done.stderr, done
        assert "Traceback" not in done.stderr, done.stderr


def test_from_the_root_the_systems_language_says_whose_notebooks_are_looked_at(
    tmp_path, monkeypatch, capsys
):
    """Who works in Spanish needn't say so at each call."""
    course = build_course(tmp_path)
    for spoken in ("en", "es"):
        save(tmp_path / "notebooks" / spoken, NAME, blank(course))
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "COURSE_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for system, words in (("es_MX.UTF-8", "todas las lecciones"), ("fr_FR", "all lessons")):
        monkeypatch.setenv("LANG", system)
        assert main(["progress"]) == 0
        assert words in capsys.readouterr().out
    monkeypatch.setenv("LANG", "es_ES")
    assert main(["progress", "--language", "en"]) == 0
    assert "all lessons" in capsys.readouterr().out


def test_lessons_unpacked_anywhere_are_spoken_of_as_they_are_written(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_LANGUAGE", raising=False)
    said = {"cells": [], "metadata": {"policy_gradients": {"language": "es"}}}
    (tmp_path / "02_variance").mkdir()
    (tmp_path / "02_variance" / "02_variance.ipynb").write_text(json.dumps(said))
    assert progress._spoken(tmp_path) == "es"
