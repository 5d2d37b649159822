"""Intake: where a student's cells end up among the course's own."""

# ruff: noqa: F811 - fixtures come by their names

import copy
import json
from unittest import mock

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum

from grader.course.notes import Refused
from grader.intake import assemble as assembling
from grader.intake import freetext, matching
from grader.intake.assemble import assemble
from grader.intake.document import read_document
from grader.marking.notebook import build
from tests import classroom
from tests.classroom import NAME, code, find, insert_after
from tests.test_intake import course, lesson, plan_of, read  # noqa: F401


def texts(plan, kind="extra"):
    return [cell.text for cell in plan.cells if cell.kind == kind]


def words(plan):
    return " ".join(str(one) for one in plan.notes)


def run_order(plan):
    """What is run and judged, in order, in short."""
    return [
        cell.source.grade_id or cell.text for cell in plan.cells if cell.run or cell.kind == "check"
    ]


def test_solved_notebook_in_the_lessons_order(course, lesson):
    plan = plan_of(lesson, classroom.solved(course))
    assert run_order(plan) == [
        "setup-1",
        "softmax-answer",
        "softmax",
        "discounted_return-answer",
        "discounted_return",
    ]
    assert not plan.notes and not plan.suspicions


def test_demo_runs_only_when_changed_or_needed(course, lesson):
    notebook = classroom.solved(course)
    assert not any(c.run for c in plan_of(lesson, notebook).cells if c.kind == "demo")
    notebook["cells"][-1]["source"] += "\nprint('mine')"
    assert any(c.run for c in plan_of(lesson, notebook).cells if c.kind == "demo")
    notebook = classroom.solved(
        course, softmax=classroom.SOLUTIONS["softmax"] + "\nprint(demo_limit)"
    )
    assert any(c.run for c in plan_of(lesson, notebook).cells if c.kind == "demo")


def test_own_cells_stay_where_they_stood(course, lesson):
    notebook = classroom.solved(course)
    insert_after(notebook, "softmax", code("after = 1"))
    insert_after(notebook, "setup-1", code("before = 1"))
    notebook["cells"].insert(0, code("first = 1"))
    notebook["cells"].append(code("last = 1"))
    order = run_order(plan_of(lesson, notebook))
    assert order == [
        "first = 1",
        "setup-1",
        "before = 1",
        "softmax-answer",
        "softmax",
        "after = 1",
        "discounted_return-answer",
        "discounted_return",
        "last = 1",
    ]


def test_answer_split_over_two_cells(course, lesson):
    """JupyterLab's Split Cell copies the metadata: both halves carry the grade id."""
    notebook = classroom.solved(course, softmax="def helper(x):\n    return x\n")
    second = copy.deepcopy(find(notebook, "softmax-answer"))
    second["source"] = "def softmax(x):\n    return helper(x)\n"
    insert_after(notebook, "softmax-answer", second)
    plan = plan_of(lesson, notebook)
    assert run_order(plan)[1:4] == ["def helper(x):\n    return x\n", "softmax-answer", "softmax"]
    assert texts(plan, "exercise")[0].startswith("def softmax")


def test_copy_below_the_check_does_not_replace_the_answer(course, lesson):
    notebook = classroom.solved(course)
    other = copy.deepcopy(find(notebook, "softmax-answer"))
    other["source"] = "def softmax(x):\n    return 'an experiment'\n"
    insert_after(notebook, "softmax", other)
    plan = plan_of(lesson, notebook)
    assert "weights" in texts(plan, "exercise")[0]
    assert run_order(plan)[2:4] == ["softmax", other["source"]]


def test_answer_below_an_untouched_stub_counts(course, lesson):
    notebook = classroom.blank(course)
    answer = copy.deepcopy(find(notebook, "softmax-answer"))
    answer["source"] = classroom.SOLUTIONS["softmax"]
    insert_after(notebook, "softmax", answer)
    plan = plan_of(lesson, notebook)
    assert "weights" in texts(plan, "exercise")[0]


def test_check_cells_and_points_come_from_the_course(course, lesson):
    notebook = classroom.blank(course)
    check = find(notebook, "softmax")
    check["source"], check["metadata"]["nbgrader"]["points"] = "print('passed')", 1000
    find(notebook, "setup-1")["source"] = "print('mine')"
    plan = plan_of(lesson, notebook)
    cell = next(c for c in plan.cells if c.source.grade_id == "softmax")
    assert (cell.text, cell.source.points, cell.run) == ('check("softmax")', 3.0, False)
    assert "import numpy" in texts(plan, "setup")[0]
    assert "setup-1, softmax" in words(plan)
    assert "Points" in str(plan.suspicions[0])


@pytest.mark.parametrize("name", ["softmax", "q_why"])
def test_points_that_the_course_changed_since_are_nobodys_doing(course, lesson, name):
    """Handed out with 7 points: nbgrader's checksum of the cell says so."""
    notebook = classroom.solved(course, q_why="A text.")
    cell = find(notebook, name)
    handed_out = nbformat.from_dict(find(classroom.blank(course), name))
    handed_out.source = "".join(handed_out.source)
    before = handed_out.metadata.nbgrader.checksum
    assert compute_checksum(handed_out) == before
    handed_out.metadata.nbgrader.points = 7
    cell["metadata"]["nbgrader"]["points"] = 7
    assert "Points were changed" in words(plan_of(lesson, notebook))
    cell["metadata"]["nbgrader"]["checksum"] = compute_checksum(handed_out)
    plan = plan_of(lesson, notebook)
    assert "Points" not in words(plan) and plan.suspicions == []


@pytest.mark.parametrize("gone", ["softmax", "setup-1", "softmax-answer", "q_why"])
def test_deleted_cells_are_put_back(course, lesson, gone):
    notebook = classroom.solved(course)
    notebook["cells"].remove(find(notebook, gone))
    plan = plan_of(lesson, notebook)
    ids = [cell.source.grade_id for cell in plan.cells if cell.source.grade_id]
    assert ids == [cell.grade_id for cell in lesson.cells if cell.grade_id]
    assert gone in words(plan)


def test_retyped_cells_get_their_type_back(course, lesson):
    notebook = classroom.solved(course, q_why="words")
    find(notebook, "softmax-answer")["cell_type"] = "markdown"
    find(notebook, "q_why")["cell_type"] = "code"
    find(notebook, "discounted_return")["cell_type"] = "raw"
    plan = plan_of(lesson, notebook)
    kinds = {cell.source.grade_id: (cell.cell_type, cell.run) for cell in plan.cells}
    assert kinds["softmax-answer"] == ("code", True)
    assert kinds["q_why"] == ("markdown", False)
    assert "discounted_return, q_why, softmax-answer" in words(plan)


def test_metadata_lost_on_the_way(course, lesson):
    """Some platforms drop a cell's metadata, its id, or both."""
    for keys in (("metadata",), ("id",), ("metadata", "id")):
        notebook = classroom.solved(course)
        for cell in notebook["cells"]:
            for key in keys:
                cell.pop(key)
        plan = plan_of(lesson, notebook)
        order = run_order(plan)
        answers = [t for t in (*texts(plan, "exercise"), *texts(plan)) if "def softmax" in t]
        assert len(answers) == 1
        at = next(
            i for i, one in enumerate(order) if one == "softmax-answer" or "def softmax" in one
        )
        assert at < order.index("softmax")


def test_moved_answers_come_before_their_checks(course, lesson):
    notebook = classroom.solved(course)
    answer = find(notebook, "softmax-answer")
    notebook["cells"].remove(answer)
    notebook["cells"].append(answer)
    order = run_order(plan_of(lesson, notebook))
    assert order.index("softmax-answer") < order.index("softmax")


def test_unknown_grade_id_is_an_own_cell(course, lesson):
    notebook = classroom.solved(course)
    insert_after(
        notebook,
        "softmax",
        code("x = 1", nbgrader={"grade_id": "../../etc", "grade": True, "points": 99}),
    )
    plan = plan_of(lesson, notebook)
    assert texts(plan) == ["x = 1"]
    assert sum(cell.source.points for cell in plan.cells) == 9


def test_blank_free_text_is_told_from_a_written_one(course, lesson):
    for text, written in (("*Write your answer here.*  \n", False), ("Because.", True)):
        plan = plan_of(lesson, classroom.solved(course, q_why=text))
        assert next(c for c in plan.cells if c.kind == "free").written is written


def test_work_grows_with_the_notebook_and_not_faster(course, lesson, monkeypatch):
    squeezed, parsed = assembling.squeezed, assembling.ast.parse
    looked, read = [], []
    for module in (assembling, matching, freetext):
        monkeypatch.setattr(module, "squeezed", lambda text: looked.append(1) or squeezed(text))
    monkeypatch.setattr(
        assembling.ast, "parse", lambda text, *more: read.append(len(text)) or parsed(text, *more)
    )
    work = []
    for copies in (100, 400):
        looked.clear()
        notebook = classroom.blank(course)
        stub = find(notebook, "softmax-answer")
        notebook["cells"] += [copy.deepcopy(stub) for _ in range(copies)]
        plan_of(lesson, notebook)
        work.append(len(looked))
    assert work[1] < 5 * work[0]
    notebook = classroom.blank(course)
    notebook["cells"] += [code("a," * 9_000 + str(n)) for n in range(50)]
    read.clear()
    plan_of(lesson, notebook)
    assert sum(read) < 300_000


# Anything at all


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


grade_ids = st.sampled_from(
    ["softmax", "softmax-answer", "setup-1", "q_why", "discounted_return", "", "no"]
)


cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]) | json_values,
        "source": st.text(max_size=40) | st.lists(st.text(max_size=10)) | json_values,
        "id": grade_ids | json_values,
        "attachments": json_values,
        "outputs": json_values,
        "metadata": json_values
        | st.fixed_dictionaries(
            {},
            optional={
                "nbgrader": json_values
                | st.fixed_dictionaries(
                    {},
                    optional={
                        "grade_id": grade_ids | json_values,
                        "points": json_values,
                        "schema_version": json_values,
                        "grade": json_values,
                        "locked": json_values,
                    },
                )
            },
        ),
    },
)


notebooks = st.fixed_dictionaries(
    {"cells": st.lists(cells | json_values, max_size=8)},
    optional={"nbformat": st.sampled_from([3, 4, 5]) | json_values, "metadata": json_values},
)


@given(st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_a_document_or_refused(data):
    try:
        document = read_document(data)
    except Refused as why:
        assert str(why.note)
    else:
        assert isinstance(document.cells, list)


@given(notebooks)
@settings(deadline=None, max_examples=400)
def test_any_notebook_gives_a_plan_that_holds_the_course(lesson_for_fuzz, notebook):
    try:
        document = read_document(json.dumps(notebook).encode("utf-8", "surrogatepass"))
    except Refused:
        return
    plan = assemble(lesson_for_fuzz, document)
    _holds_the_course(lesson_for_fuzz, plan)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_any_shuffled_and_mutilated_notebook(course_for_fuzz, data):
    """Cells of a solved notebook in any order, some twice, some gone, some changed."""
    lesson = course_for_fuzz.lesson(NAME)
    notebook = classroom.solved(course_for_fuzz)
    picked = data.draw(st.lists(st.sampled_from(notebook["cells"]), max_size=16))
    picked = [copy.deepcopy(cell) for cell in picked]
    for cell in picked:
        change = data.draw(st.sampled_from(["", "text", "type", "points", "metadata", "id"]))
        if change == "text":
            cell["source"] = data.draw(st.text(max_size=30))
        elif change == "type":
            cell["cell_type"] = data.draw(st.sampled_from(["code", "markdown", "raw"]))
        elif change == "points":
            cell["metadata"].setdefault("nbgrader", {})["points"] = data.draw(json_values)
        elif change:
            cell.pop(change)
    notebook["cells"] = picked
    document = read_document(json.dumps(notebook).encode("utf-8", "surrogatepass"))
    _holds_the_course(lesson, assemble(lesson, document))


# nbgrader checks its own schema anew with each cell, which takes most of the time: once is enough.
METADATA = MetadataValidator()
SCHEMAS = validator_for(METADATA.schema)
SCHEMAS.check_schema(METADATA.schema)


def _holds_the_course(lesson, plan):
    """Every cell of the lesson once and in order; locked texts and points are the course's; what
    comes out is a valid notebook."""
    own = [cell.source for cell in plan.cells if cell.kind != "extra"]
    assert own == list(lesson.cells)
    for cell in plan.cells:
        if cell.kind in ("setup", "given", "check", "prose"):
            assert cell.text == cell.source.source
        if cell.kind == "check":
            assert not cell.run
    made = build(plan, {}, lesson.metadata)
    text = json.dumps(made, ensure_ascii=False)
    text.encode("utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    with mock.patch.object(SCHEMAS, "check_schema"):
        METADATA.validate_nb(notebook)


@pytest.fixture(scope="module")
def course_for_fuzz(course):
    return course


@pytest.fixture(scope="module")
def lesson_for_fuzz(lesson):
    return lesson
