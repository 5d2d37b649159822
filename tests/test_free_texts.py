"""A written text waits for its mark wherever it stands; what is the course's own is no text."""

import copy
import json

import pytest

from grader.course import HERE, Course
from grader.intake.assemble import assemble
from grader.intake.document import read_document
from grader.intake.freetext import is_words
from grader.intake.matching import code_key, same_code
from grader.marking.prints import KEPT, sample
from tests import classroom
from tests.classroom import code, find, insert_after

LESSONS = {"01_reinforce": "q_log_derivative", "03_baseline_critic": "q_unbiased"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZF"
PNG += "QAAAAABJRU5ErkJggg=="
PROOF = "Because the gradient of the logarithm is the gradient over the value."


def blank(course, name):
    """The handed-out notebook with each text in one piece."""
    notebook = classroom.blank(course, name)
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


@pytest.fixture(scope="module", params=LESSONS)
def at(request):
    """(lesson, its notebook as a function, name of the free text)."""
    course = Course(HERE)
    name = request.param
    return course.lesson(name), lambda: blank(course, name), LESSONS[name]


def markdown(text, **more):
    return {
        "cell_type": "markdown",
        "id": f"m{abs(hash(text)) % 10**9}",
        "source": text,
        "metadata": {},
        **more,
    }


def free_of(lesson, notebook):
    """(text, whether written, notes) of the lesson's free cell."""
    plan = assemble(lesson, read_document(json.dumps(notebook).encode()))
    (cell,) = [cell for cell in plan.cells if cell.kind == "free"]
    return cell, " ".join(map(str, plan.notes)), plan


def without(notebook, grade_id):
    notebook["cells"].remove(find(notebook, grade_id))
    return notebook


def before(notebook, grade_id, cell):
    notebook["cells"].insert(notebook["cells"].index(find(notebook, grade_id)), cell)
    return notebook


def stripped(notebook, ids=True):
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if ids:
            cell["id"] = f"deep{abs(hash(cell['source'])) % 10**9}"
    return notebook


def in_the_question(notebook, name):
    cells = notebook["cells"]
    question = cells[cells.index(find(notebook, name)) - 1]
    question["source"] += f"\n\n{PROOF}"
    return notebook


def merged_with_the_question(notebook, name):
    answered = in_the_question(notebook, name)
    return without(answered, name)


def in_its_cell(notebook, name):
    find(notebook, name)["source"] = PROOF
    return notebook


def split(notebook, name):
    cell = find(notebook, name)
    second = copy.deepcopy(cell)
    cell["source"], second["source"] = "*Write your answer here.*\n\nFirst.", PROOF
    return insert_after(notebook, name, second)


def in_paragraphs(notebook, name):
    """Deepnote gives each paragraph and heading a cell, and keeps no metadata."""
    cells = []
    for cell in in_its_cell(notebook, name)["cells"]:
        if cell["cell_type"] == "markdown":
            cells += [markdown(part) for part in cell["source"].split("\n\n") if part.strip()]
        else:
            cells.append({**cell, "metadata": {}, "id": f"d{len(cells)}"})
    return {**notebook, "cells": cells}


SHAPES = {
    "in its cell": in_its_cell,
    "below": lambda n, q: insert_after(n, q, markdown(PROOF)),
    "above": lambda n, q: before(n, q, markdown(PROOF)),
    "two below": lambda n, q: insert_after(n, q, markdown("First."), markdown(PROOF)),
    "below, stub deleted": lambda n, q: without(insert_after(n, q, markdown(PROOF)), q),
    "deleted, at the end": lambda n, q: {
        **(m := without(n, q)),
        "cells": [*m["cells"], markdown(PROOF)],
    },
    "deleted, at the top": lambda n, q: {
        **(m := without(n, q)),
        "cells": [markdown(PROOF), *m["cells"]],
    },
    "in a raw cell": lambda n, q: insert_after(n, q, {**markdown(PROOF), "cell_type": "raw"}),
    "in a comment": lambda n, q: insert_after(n, q, code(f"# {PROOF}")),
    "in a string": lambda n, q: insert_after(n, q, code(f'"""{PROOF}"""')),
    "as prose in a code cell": lambda n, q: insert_after(n, q, code(PROOF)),
    "in the question": in_the_question,
    "merged with the question": merged_with_the_question,
    "split": split,
    "metadata gone": lambda n, q: stripped(in_its_cell(n, q)),
    "metadata gone, ids kept": lambda n, q: stripped(in_its_cell(n, q), ids=False),
    "metadata gone, written below": lambda n, q: stripped(insert_after(n, q, markdown(PROOF))),
    "in paragraphs": in_paragraphs,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_written_text_waits_and_the_marker_sees_it(at, shape):
    lesson, notebook, name = at
    cell, _notes, plan = free_of(lesson, SHAPES[shape](notebook(), name))
    assert cell.written and PROOF in cell.text
    assert "Write your answer" not in cell.text or shape == "split"
    assert [c.source for c in plan.cells if c.kind != "extra"] == list(lesson.cells)


def test_an_answer_in_the_courses_own_words_waits(at):
    lesson, notebook, name = at
    made = notebook()
    cells = made["cells"]
    prose = cells[cells.index(find(made, name)) - 1]["source"]
    quoted = max(prose.split("\n\n"), key=len)
    cell, _notes, _plan = free_of(lesson, insert_after(made, name, markdown(quoted)))
    assert cell.written and cell.text == quoted.strip()


@pytest.mark.parametrize("shape", ["below", "above", "deleted, at the end", "metadata gone"])
def test_a_text_that_stood_elsewhere_is_told(at, shape):
    lesson, notebook, name = at
    notes = free_of(lesson, SHAPES[shape](notebook(), name))[1]
    assert name in notes


DATA = f"data:image/png;base64,{PNG}"
PICTURES = {
    "attached below": lambda n, q: insert_after(
        n,
        q,
        markdown(
            "![image.png](attachment:image.png)", attachments={"image.png": {"image/png": PNG}}
        ),
    ),
    "odd name": lambda n, q: insert_after(
        n,
        q,
        markdown(
            "![Foto von Übung (1).png](<attachment:Foto von Übung.png>)",
            attachments={"Foto von Übung.png": {"image/png": PNG}},
        ),
    ),
    "attached, stub left": lambda n, q: attach(n, q, {"a b.png": {"image/png": PNG}}),
    "in the text": lambda n, q: replaced(n, q, f"![image.png]({DATA})"),
    "as a tag": lambda n, q: replaced(n, q, f'<img src="{DATA}" width="300">'),
    "cell deleted": lambda n, q: without(
        insert_after(
            n, q, markdown("![](attachment:x.png)", attachments={"x.png": {"image/png": PNG}})
        ),
        q,
    ),
}


def attach(notebook, name, attachments):
    find(notebook, name)["attachments"] = attachments
    return notebook


def replaced(notebook, name, text):
    find(notebook, name)["source"] = text
    return notebook


@pytest.mark.parametrize("shape", PICTURES)
def test_a_pasted_picture_waits_and_is_kept(at, shape):
    lesson, notebook, name = at
    cell, _notes, _plan = free_of(lesson, PICTURES[shape](notebook(), name))
    assert cell.written
    ((picture, kinds),) = cell.pictures.items()
    assert kinds == {"image/png": PNG}
    assert DATA not in cell.text and (shape == "attached, stub left" or picture in cell.text)


@pytest.mark.parametrize("kind", ["image/gif", "image/webp", "image/svg+xml", "application/pdf"])
def test_a_picture_that_cant_be_shown_waits_all_the_same(at, kind):
    lesson, notebook, name = at
    for made in (
        attach(notebook(), name, {"a.gif": {kind: "AAAA"}}),
        replaced(notebook(), name, f"![x](data:{kind};base64,AAAA)"),
    ):
        assert free_of(lesson, made)[0].written


def test_a_large_picture_in_the_text_is_no_reason_to_refuse_the_notebook(at):
    lesson, notebook, name = at
    large = PNG[:-2] + "A" * 400_000
    cell, _notes, _plan = free_of(lesson, replaced(notebook(), name, f"![]({DATA[:22]}{large})"))
    assert cell.written and len(cell.text) < 1000 and len(cell.pictures) == 1


def doubled(notebook, name):
    twice = copy.deepcopy(notebook["cells"])
    for cell in twice:
        cell["id"] = f"two{cell['id']}"[:60]
    return {**notebook, "cells": notebook["cells"] + twice}


def in_spanish(notebook, name):
    return replaced(notebook, name, "*Escribe aquí tu respuesta.*")


NOTHING = {
    "as handed out": lambda n, q: n,
    "stub deleted": without,
    "emptied": lambda n, q: replaced(n, q, " \n"),
    "stub without stars": lambda n, q: replaced(n, q, "Write your answer here."),
    "stub of another language": in_spanish,
    "an empty cell and a line": lambda n, q: insert_after(n, q, markdown(""), markdown("---")),
    "doubled": doubled,
    "metadata gone": lambda n, q: stripped(n),
    "own code": lambda n, q: insert_after(n, q, code("x = 1  # not an answer")),
}


@pytest.mark.parametrize("shape", NOTHING)
def test_what_is_the_courses_own_or_says_nothing_is_blank(at, shape):
    lesson, notebook, name = at
    cell, _notes, _plan = free_of(lesson, NOTHING[shape](notebook(), name))
    assert not cell.written


def test_a_blank_one_beside_other_text_is_told(at):
    lesson, notebook, name = at
    made = notebook()
    made["cells"].append(markdown("Here I wondered about the sign."))
    cell, notes, _plan = free_of(lesson, made)
    assert not cell.written and f"Nothing stands at {name}" in notes


def test_a_code_cell_with_a_mistake_is_no_text():
    for text in ("def f(x:\n    return x[0]", "!ls -la", "print('hello world')", "x = 'a'", ""):
        cell = read_document(json.dumps({"nbformat": 4, "cells": [code(text)]}).encode()).cells[0]
        assert not is_words(cell), text


# Copies of the whole notebook


def extras(plan):
    return [cell for cell in plan.cells if cell.kind == "extra" and cell.run]


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("how", [lambda n: n, stripped], ids=["metadata", "no metadata"])
def test_a_doubled_notebook_runs_no_given_cell_as_the_students_own(copies, how):
    course = Course(HERE)
    lesson = course.lesson("05_ppo_loop")
    notebook = blank(course, "05_ppo_loop")
    cells = notebook["cells"]
    for number in range(copies):
        again = how(copy.deepcopy({**notebook, "cells": cells}))["cells"]
        notebook = {
            **notebook,
            "cells": notebook["cells"]
            + [{**cell, "id": f"{number}{cell['id']}"[:60]} for cell in again],
        }
    plan = assemble(lesson, read_document(json.dumps(notebook).encode()))
    own = [cell.text for cell in extras(plan) if "check(" not in cell.text]
    assert own == [] and not any(cell.run for cell in plan.cells if cell.kind == "demo")


def test_a_solved_notebook_doubled_answers_once():
    course = Course(HERE)
    lesson = course.lesson("01_reinforce")
    notebook = blank(course, "01_reinforce")
    answer = "def softmax(logits):\n    return logits"
    find(notebook, "softmax-answer")["source"] = answer
    for solved_half in (0, 1):
        halves = [
            copy.deepcopy(notebook["cells"]),
            blank(course, "01_reinforce")["cells"],
        ]
        made = {**notebook, "cells": halves[solved_half] + halves[1 - solved_half]}
        plan = assemble(lesson, read_document(json.dumps(made).encode()))
        (cell,) = [c for c in plan.cells if c.source.grade_id == "softmax-answer"]
        assert cell.text == answer and extras(plan) == []


@pytest.mark.parametrize("before_it", ["# mine\n", "# a\n# b\n\n", "   # odd\n"])
def test_a_demo_with_a_comment_before_it_is_the_courses(before_it):
    course = Course(HERE)
    lesson = course.lesson("01_reinforce")
    for how in (lambda n: n, stripped):
        notebook = blank(course, "01_reinforce")
        demo = next(c for c in notebook["cells"] if c["id"] == "demo-6")
        demo["source"] = before_it + demo["source"] + "\n\n# and behind"
        plan = assemble(lesson, read_document(json.dumps(how(notebook)).encode()))
        assert not any(cell.run for cell in plan.cells if cell.kind == "demo")
        assert [c.text for c in extras(plan) if "check(" not in c.text] == []


def test_a_changed_demo_and_its_copy_run_once():
    course = Course(HERE)
    lesson = course.lesson("01_reinforce")
    notebook = blank(course, "01_reinforce")
    demo = next(c for c in notebook["cells"] if c["id"] == "demo-1")
    demo["source"] += "\nprint('mine')"
    plan = assemble(lesson, read_document(json.dumps(doubled(notebook, "")).encode()))
    assert sum(cell.run for cell in plan.cells if "print('mine')" in cell.text) == 1


@pytest.mark.parametrize("depth", [100, 400, 900, 1500, 3000])
def test_code_that_bursts_the_parser_or_the_printer_harms_nobody(depth):
    deep = ("-" * depth + "1", "x" + ".a" * depth, "(" * depth + ")" * depth, "x" + "[0]" * depth)
    for text in (*deep, "x" * 50_000, "a\0b"):
        assert not same_code(text, "y = 1") and same_code(text, text)
        assert code_key(text) is None or code_key(text) == code_key(f"# mine\n{text}")
        assert len(sample(text)) <= KEPT
