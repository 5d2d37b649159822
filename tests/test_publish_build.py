"""What the build makes of the fixture course: both notebooks, their bytes, their metadata."""

import ast
import asyncio
import json
import queue
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from publish import kernels
from publish.compare import without_pixels
from publish.course import notebook_text
from publish.execute import LOOK_EVERY, _asked_again
from publish.lesson import parse_lesson
from tests.publishing import LESSONS, copy_course, files, path, publish, read

# One worker builds the fixture course for all tests that only look at it.
pytestmark = pytest.mark.xdist_group("build")

ROOT = Path(__file__).resolve().parents[1]
SECRETS = (
    "secret_sum",
    "SOLUTION",
    r"q_sign = \"b\"",
    r"{\"+\": \"up\"",
    "are sampled",
    "MARK SCHEME",
    "Two points",
    "total: right",
    "image/png",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The fixture course, built with execution."""
    root = copy_course(tmp_path_factory.mktemp("course"))
    assert publish(root) == 0
    return root


def cell(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def test_the_solved_notebook_is_executed_with_its_figure(built):
    notebook = read(built, "solutions", "01_first")
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert cell(notebook, "total").outputs[0].text == "total: right\n"
    assert "image/png" in cell(notebook, "demo-1").outputs[0].data


@pytest.mark.parametrize("name", LESSONS)
def test_the_students_notebook_has_no_outputs(built, name):
    for cell in read(built, "notebooks", name).cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_no_solution_output_or_mark_scheme_leaks(built):
    solved = path(built, "solutions", "01_first").read_text()
    student = path(built, "notebooks", "01_first").read_text()
    for secret in SECRETS:
        assert secret in solved, "the fixture has no such text"
        assert secret not in student


def test_a_stub_is_signature_docstring_and_one_raise(built):
    source = cell(read(built, "notebooks", "01_first"), "total-answer").source
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef) and function.name == "total"
    assert ast.get_docstring(function) == (
        "The sum of the rewards, (T,) -> float: total([1, 2]) is 3.0."
    )
    assert ast.unparse(function.body[1:]) == "raise NotImplementedError"


@pytest.mark.parametrize(
    ("cell_id", "source"),
    [
        ("q_sign-answer", 'q_sign = None  # "a", "b" or "c"'),
        ("table-answer", 'table = {"+": None, "-": None}  # "up" or "down"'),
        ("q_why", "*Write your answer here.*"),
    ],
)
def test_a_blank_stays_and_nothing_else(built, cell_id, source):
    assert cell(read(built, "notebooks", "01_first"), cell_id).source == source


def test_a_given_cell_is_the_earlier_solution(built):
    for kind in ("solutions", "notebooks"):
        given = cell(read(built, kind, "02_second"), "given-1")
        assert given.source == (
            "# total, as lesson 01_first solves it\n"
            "def total(rewards):\n"
            '    """The sum of the rewards, (T,) -> float: total([1, 2]) is 3.0."""\n'
            "    secret_sum = np.sum(rewards)\n"
            "    return float(secret_sum)"
        )
        assert given.metadata.nbgrader.locked and not given.metadata.nbgrader.grade


NBGRADER = {  # grade, solution, locked, points
    "setup-1": (False, False, True, None),
    "total-answer": (False, True, False, None),
    "total": (True, False, True, 2),
    "table-answer": (False, True, False, None),
    "table": (True, False, True, 1),
    "q_sign-answer": (False, True, False, None),
    "q_sign": (True, False, True, 1),
    "q_why": (True, True, False, 4),
}


@pytest.mark.parametrize("kind", ["solutions", "notebooks"])
def test_nbgraders_metadata_is_as_the_headers_say(built, kind):
    notebook = read(built, kind, "01_first")
    found = {}
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            meta = cell.metadata.nbgrader
            assert meta.schema_version == 3 and meta.grade_id == cell.id
            found[cell.id] = (meta.grade, meta.solution, meta.locked, meta.get("points"))
    assert found == NBGRADER
    MetadataValidator().validate_nb(notebook)
    nbformat.validate(notebook)


@pytest.mark.parametrize("kind", ["solutions", "notebooks"])
def test_every_cell_has_its_kind_and_no_leftover_metadata(built, kind):
    notebook = read(built, kind, "01_first")
    ours = [cell.metadata.policy_gradients.kind for cell in notebook.cells]
    assert ours == [
        "prose",
        "setup",
        "prose",
        "exercise",
        "check",
        "exercise",
        "check",
        "question",
        "check",
        "prose",
        "free",
        "demo",
    ]
    allowed = {"policy_gradients", "nbgrader", "tags", "alt", "deletable", "editable"}
    assert {key for cell in notebook.cells for key in cell.metadata} <= allowed
    assert set(notebook.metadata) == {"kernelspec", "language_info", "policy_gradients"}
    assert notebook.metadata.policy_gradients == {"lesson": "01_first", "language": "en"}
    assert notebook.metadata.kernelspec.name == "python3"


def test_checks_and_demos_let_run_all_go_on(built):
    for cell in read(built, "notebooks", "01_first").cells:
        goes_on = cell.metadata.policy_gradients.kind in ("check", "demo")
        assert ("raises-exception" in cell.metadata.get("tags", [])) == goes_on


def test_a_students_check_is_locked_and_his_answer_is_not(built):
    notebook = read(built, "notebooks", "01_first")
    assert cell(notebook, "total").metadata.editable is False
    assert "editable" not in cell(notebook, "total-answer").metadata
    assert cell(notebook, "total-answer").metadata.deletable is False


def test_alternative_text_reaches_the_cell(built):
    for kind in ("solutions", "notebooks"):
        demo = cell(read(built, kind, "01_first"), "demo-1")
        assert demo.metadata.policy_gradients.alt == demo.metadata.alt == "A bar of height three."


def test_two_builds_differ_in_no_byte_but_pixels(built, tmp_path):
    again = copy_course(tmp_path)
    assert publish(again) == 0
    for name in LESSONS:
        assert path(built, "notebooks", name).read_bytes() == (
            path(again, "notebooks", name).read_bytes()
        )
        first, second = (
            notebook_text(without_pixels(read(root, "solutions", name))) for root in (built, again)
        )
        assert first == second


def test_check_finds_nothing_in_a_fresh_build_and_writes_nothing(built, capsys):
    before = files(built)
    assert publish(built, "--check") == 0
    assert files(built) == before
    assert capsys.readouterr().out.count("unchanged") == len(LESSONS)


def change(root, kind, edit):
    """Apply `edit` to the built first lesson and write it back as the build would."""
    notebook = read(root, kind, "01_first")
    edit(notebook)
    path(root, kind, "01_first").write_text(notebook_text(notebook))


EDITS = {
    "output text": ("solutions", lambda nb: cell(nb, "total").outputs[0].update(text="wrong\n")),
    "a figure gone": ("solutions", lambda nb: cell(nb, "demo-1").outputs.clear()),
    "a solution": ("solutions", lambda nb: cell(nb, "total-answer").update(source="pass")),
    "points": ("solutions", lambda nb: cell(nb, "total").metadata.nbgrader.update(points=9)),
    "student's prose": ("notebooks", lambda nb: cell(nb, "prose-2").update(source="x")),
    "student's output": (
        "notebooks",
        lambda nb: cell(nb, "total").update(outputs=[nbformat.v4.new_output("stream", text="x")]),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_check_finds_an_edit_of_a_generated_file(tmp_path, capsys, built, edit):
    root = copy_course(tmp_path)
    for file, content in files(built).items():
        copied = root / file.relative_to(built)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(content)
    kind, change_cell = EDITS[edit]
    change(root, kind, change_cell)
    assert publish(root, "--check", "01_first") == 1
    assert f"{kind}/en/01_first/01_first.ipynb: " in capsys.readouterr().out


def test_check_finds_a_stub_that_the_lesson_no_longer_hands_out(tmp_path, capsys, built):
    root = shutil.copytree(built, tmp_path / "course")
    stubs = root / "policy_gradients" / "stubs" / "en" / "01_first.json"
    stubs.write_text(stubs.read_text().replace("total", "sum"))
    assert publish(root, "--check", "--no-execute", "01_first") == 1
    assert "stubs/en/01_first.json: " in capsys.readouterr().out


def test_check_does_not_mind_pixels(tmp_path, built):
    root = copy_course(tmp_path)
    for kind in ("solutions", "notebooks"):
        copied = path(root, kind, "01_first")
        copied.parent.mkdir(parents=True)
        copied.write_bytes(path(built, kind, "01_first").read_bytes())
    shutil.copytree(built / "policy_gradients", root / "policy_gradients")
    change(
        root,
        "solutions",
        lambda nb: cell(nb, "demo-1").outputs[0].data.update({"image/png": "AAAA\n"}),
    )
    assert publish(root, "--check", "01_first") == 0


def test_check_finds_a_missing_file_a_stranger_and_other_formatting(tmp_path, capsys):
    root = copy_course(tmp_path)
    assert publish(root, "--no-execute") == 0
    path(root, "notebooks", "01_first").unlink()
    notebook = path(root, "notebooks", "02_second")
    notebook.write_text(json.dumps(json.loads(notebook.read_text())))
    (root / "notebooks" / "en" / "99_gone").mkdir()
    assert publish(root, "--check", "--no-execute") == 1
    said = capsys.readouterr().out
    assert "notebooks/en/01_first/01_first.ipynb: the file is missing" in said
    assert "notebooks/en/02_second/02_second.ipynb: the file was not written by the build" in said
    assert "notebooks/en/99_gone: there is no such lesson" in said


def fails_with(root, name, old, new, capsys):
    lesson = root / "lessons" / f"{name}.py"
    lesson.write_text(lesson.read_text().replace(old, new))
    assert publish(root, name) == 2
    assert not list(root.rglob("*.ipynb"))
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("return total(rewards)", "return 1 + total(rewards)", "check cell raised AssertionError"),
        ("print(mean", "print(1 / 0, mean", "The demo cell raised ZeroDivisionError"),
        ("import numpy as np", "import nonumpy as np", "The setup cell raised ModuleNotFoundError"),
        (
            "import numpy as np",
            "import os\n\nimport numpy as np\n\nos.kill(os.getpid(), 9)",
            "died while this cell ran",
        ),
        (
            "return total(rewards)",
            "import sys\n    sys.stderr.write('careful')\n    return total(rewards)",
            "The check cell wrote to stderr: careful",
        ),
        ("print(mean", "import warnings\n\nwarnings.warn('')\nprint(mean", "The demo cell wrote"),
        ("print(mean(np.arange(3)))", "print(mean)", "An output differs each time"),
        (
            "print(mean",
            "import matplotlib.pyplot as plt\n\nplt.plot([1])\nprint(mean",
            "The figure has no words",
        ),
    ],
)
def test_a_cell_that_fails_stops_the_build_at_its_line(tmp_path, capsys, old, new, words):
    said = fails_with(copy_course(tmp_path), "02_second", old, new, capsys)
    found = re.search(rf"lessons/02_second.py:(\d+): .*{words}", said)
    assert found, said
    text = (tmp_path / "lessons" / "02_second.py").read_text().splitlines()
    assert text[int(found.group(1)) - 1].startswith("# %%")


def test_an_interrupted_build_leaves_the_old_files_alone(tmp_path):
    root = copy_course(tmp_path)
    assert publish(root, "--no-execute", "02_second") == 0
    before = {file: text for file, text in files(root).items() if file.suffix == ".ipynb"}
    lesson = root / "lessons" / "02_second.py"
    started = root / "started"
    waits = f"import time\n\nopen({str(started)!r}, 'w').close()\ntime.sleep(60)\nimport numpy"
    lesson.write_text(lesson.read_text().replace("import numpy", waits))
    command = f"""
import signal, sys
from tests.publishing import publish
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(publish({str(root)!r}, "02_second"))
"""
    process = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT, stderr=subprocess.PIPE)
    while not started.exists() and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    after = {file: text for file, text in files(root).items() if file.suffix == ".ipynb"}
    assert after == before
    assert not list(root.rglob(".*.ipynb*"))


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    root = copy_course(tmp_path)
    assert publish(root, "--no-execute", "01_first") == 0
    before = files(root)
    lesson = root / "lessons" / "01_first.py"
    lesson.write_text(lesson.read_text().replace("# ## The return", "# ## A return"))

    def full(*_):
        raise OSError(28, "No space left on device", "notebook")

    monkeypatch.setattr("publish.course.os.replace", full)
    assert publish(root, "--no-execute", "01_first") == 2
    after = files(root)
    assert {file: text for file, text in after.items() if file != lesson} == {
        file: text for file, text in before.items() if file != lesson
    }


def test_the_maintainers_own_settings_stay_out_of_a_lesson(tmp_path, monkeypatch):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    ran = tmp_path / "ran"
    (startup / "first.py").write_text(f"open({str(ran)!r}, 'w').close()")
    (tmp_path / "matplotlibrc").write_text("figure.figsize: 1, 1\n")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLBACKEND", "svg")
    monkeypatch.setattr(kernels, "ZYGOTE", kernels.Zygote())  # one that starts with these settings
    root = copy_course(tmp_path / "course")
    assert publish(root, "01_first") == 0
    kernels.ZYGOTE.close()
    notebook = read(root, "solutions", "01_first")
    assert "image/png" in cell(notebook, "demo-1").outputs[0].data
    assert "640x480" in cell(notebook, "demo-1").outputs[0].data["text/plain"]
    assert not ran.exists()


def test_a_widget_leaves_no_trace_that_differs(tmp_path):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / "02_second.py"
    slider = "import ipywidgets\n\nipywidgets.interact(lambda x: print(x), x=(0, 2));"
    lesson.write_text(lesson.read_text().replace("print(mean(np.arange(3)))", slider))
    assert publish(root, "02_second") == 0
    assert publish(root, "02_second", "--check") == 0
    notebook = read(root, "solutions", "02_second")
    assert "widgets" not in notebook.metadata
    assert all("widget-view" not in key for key in notebook.cells[-1].outputs[0].data)


def test_a_preamble_of_comments_is_no_cell(built):
    first = read(built, "notebooks", "01_first").cells[0]
    assert first.source.startswith("# First steps")


def test_a_reply_that_came_unnoticed_is_found_before_the_time_is_over():
    asked = []

    async def get_msg(timeout):
        asked.append(timeout)
        if len(asked) < 3:
            raise queue.Empty
        return "reply"

    assert asyncio.run(_asked_again(get_msg, 600)) == "reply"
    assert asked == [LOOK_EVERY] * 3


def test_no_reply_within_the_time_is_told():
    async def get_msg(timeout):
        await asyncio.sleep(timeout)
        raise queue.Empty

    with pytest.raises(queue.Empty):
        asyncio.run(_asked_again(get_msg, 0.05))


def test_a_lesson_that_was_changed_after_reading_is_read_whole_again():
    text = "# %% [markdown]\n# # A\n\n# %% demo=true\nx = 1\n"
    first, kept = (parse_lesson(text, "01_a", "lessons/01_a.py") for _ in range(2))
    first.cells[1].keys["alt"] = "a line"
    del first.cells[0]
    assert parse_lesson(text, "01_a", "lessons/01_a.py") == kept != first
