"""A lesson is edited after it was handed out: nothing of its old text is the student's."""

import json
import shutil

import pytest

from grader.intake.assemble import assemble
from grader.intake.document import read_document
from tests import classroom
from tests.classroom import NAME, code, find
from tests.test_autograde import (  # noqa: F401
    alembic_on_path,
    give_by_hand,
    grade,
    needs_walls,
    rows,
    scores,
    warm,
)

QUESTION = (
    "\n# %% [markdown]\n# ### Question\n#\n# Say in a sentence why it {}.\n\n# %% [markdown] free"
)


def built(root, *edits):
    """The tiny course with its lesson edited; the question stands above the free text already."""
    shutil.copytree(classroom.TINY, root / "source")
    path = root / "source" / "lessons" / f"{NAME}.py"
    text = path.read_text()
    for old, new in (("\n# %% [markdown] free", QUESTION.format("works")), *edits):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return classroom.build_course(root / "course", root / "source")


EDITED = [
    ("why it works.", "why it *works*, in your own words."),
    ("# ## The return\n", "# ## The return\n#\n# Sum what comes, and discount what comes late.\n"),
    ("print(softmax(", "print('from', softmax("),
    ("import numpy as np\n", "import numpy as np\nimport math\n"),
]


@pytest.fixture(scope="module")
def courses(tmp_path_factory):
    """(as it was handed out, as it is now)."""
    root = tmp_path_factory.mktemp("edited")
    return built(root / "old"), built(root / "new", *EDITED)


def plan_of(course, notebook):
    return assemble(course.lesson(NAME), read_document(json.dumps(notebook).encode()))


def free(plan):
    (cell,) = [cell for cell in plan.cells if cell.kind == "free"]
    return cell


def test_a_blank_notebook_stays_blank(courses):
    old, now = courses
    plan = plan_of(now, classroom.blank(old))
    assert not free(plan).written and not plan.notes and not plan.suspicions
    assert [cell.text for cell in plan.cells if cell.kind == "extra"] == []


def test_a_solved_one_holds_its_own_words_alone_and_runs_no_demonstration(courses):
    old, now = courses
    plan = plan_of(now, classroom.solved(old, q_why="Because."))
    assert free(plan).text == "Because." and not plan.notes
    assert not any(cell.run for cell in plan.cells if cell.kind == "demo")
    assert [cell.text for cell in plan.cells if cell.kind == "extra"] == []


def test_what_the_student_wrote_into_the_courses_texts_is_theirs(courses):
    old, now = courses
    notebook = classroom.blank(old)
    question = next(c for c in notebook["cells"] if "Say in a sentence" in "".join(c["source"]))
    question["source"] = "".join(question["source"]) + "\n\nBecause it sums."
    demo = notebook["cells"][-1]
    demo["source"] = "".join(demo["source"]) + "\nprint('mine')"
    find(notebook, "setup-1")["source"] = "import numpy as np"
    plan = plan_of(now, notebook)
    assert "Because it sums." in free(plan).text
    assert any(cell.run and "mine" in cell.text for cell in plan.cells)
    assert "Locked cells were changed" in str(plan.notes[0])


def test_own_cells_beside_an_old_text_stay_where_they_were(courses):
    """Between the old question and its answer's cell, and behind the old demonstration."""
    old, now = courses
    notebook = classroom.solved(old)
    at = notebook["cells"].index(find(notebook, "q_why"))
    own = {"cell_type": "markdown", "id": "own", "metadata": {}, "source": "It is a sum."}
    notebook["cells"].insert(at, own)
    notebook["cells"].append(code("print(demo_limit)"))
    plan = plan_of(now, notebook)
    assert free(plan).text == "It is a sum."
    kinds = [(cell.kind, cell.run) for cell in plan.cells[-2:]]
    assert kinds == [("demo", True), ("extra", True)]


def test_a_text_that_the_lesson_no_longer_has_is_nobodys(courses, tmp_path):
    old, _now = courses
    now = built(tmp_path, ("### Question\n#\n# Say in a sentence why it works.\n", "Why?\n"))
    notebook = classroom.blank(old)
    for number, cell in enumerate(notebook["cells"]):  # ids that the lesson doesn't know
        cell["id"] = f"other-{number}"
    plan = plan_of(now, notebook)
    assert not free(plan).written and not plan.notes


@needs_walls
@pytest.mark.usefixtures("warm")
def test_a_regrade_after_an_edit_asks_for_no_mark_again(courses, tmp_path):
    old, now = courses
    classroom.submit(tmp_path / "in", "anna", classroom.solved(old, q_why="Because."))
    classroom.submit(tmp_path / "in", "ben", classroom.blank(old))
    grade(tmp_path, old)
    give_by_hand(tmp_path, "anna", "q_why", 3)
    grade(tmp_path, now)
    assert scores(tmp_path)["anna"]["q_why"] == ("3", "marked", "")
    assert scores(tmp_path)["ben"]["q_why"] == ("0", "blank", "")
    assert {row["status"] for row in rows(tmp_path, "submissions")} == {"graded"}
    assert "Changed after it was marked" not in (tmp_path / "out" / "report.html").read_text()
