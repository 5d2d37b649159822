"""Broken notebooks, foreign files, odd names: nothing here may stop the batch."""

import copy
import json
import os

from tests import classroom
from tests.attacks import attack
from tests.classroom import NAME, code, find, insert_after


@attack(status="refused", told="not valid JSON")
def cut_off(course):
    return json.dumps(classroom.solved(course))[:-40]


@attack(status="refused", told="not valid JSON")
def merge_conflict(course):
    text = json.dumps(classroom.solved(course), indent=1)
    return text.replace('"cells"', '<<<<<<< HEAD\n"cells"', 1)


@attack(status="refused", told="empty")
def empty_file(course):
    return b""


@attack(status="refused", told="not text")
def picture(course):
    return b"\x89PNG\r\n\x1a\n" + os.urandom(1000) + b"\0"


@attack(status="refused", told="not a notebook")
def other_json(course):
    return "[1, 2, 3]"


@attack(status="refused", told="too deeply")
def nested(course):
    return "[" * 90_000 + "]" * 90_000


@attack(status="refused", told="too many parts")
def many_parts(course):
    return "[" + "[]," * 2_100_000 + "0]"


@attack(status="refused", told="newer")
def future_format(course):
    return json.dumps(classroom.solved(course) | {"nbformat": 9})


@attack(status="graded with note", softmax=3, discounted_return=2)
def nbformat_3(course):
    cells = []
    for cell in classroom.solved(course)["cells"]:
        cell = {k: v for k, v in cell.items() if k not in ("id", "execution_count")}
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "outputs": []}
        cells.append(cell)
    return {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells}],
    }


@attack(softmax=3, discounted_return=2)
def schema_of_the_future(course):
    notebook = classroom.solved(course)
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"schema_version": 99, "extra": [1]}
    return notebook


@attack(softmax=3, discounted_return=2)
def schema_1(course):
    notebook = classroom.solved(course)
    for cell in notebook["cells"]:
        cell["metadata"].get("nbgrader", {})["schema_version"] = 1
    return notebook


@attack(softmax=3, discounted_return=2)
def metadata_of_wrong_types(course):
    notebook = classroom.solved(course)
    notebook["metadata"] = {"kernelspec": [], "policy_gradients": 3, "language_info": None}
    notebook["cells"].append(
        {"cell_type": "code", "metadata": [], "source": "1", "outputs": {}, "id": 3}
    )
    notebook["cells"].append({"cell_type": "code", "metadata": {"nbgrader": [1]}, "source": "2"})
    find(notebook, "q_why")["metadata"]["nbgrader"]["points"] = {"a": 1}
    return notebook


@attack(status="graded with note", softmax=3, discounted_return=2)
def every_cell_twice(course):
    notebook = classroom.solved(course)
    notebook["cells"] = [copy.deepcopy(c) for c in notebook["cells"] for _ in range(2)]
    return notebook


@attack(status="graded with note", softmax=3, discounted_return=2)
def foreign_kernel(course):
    notebook = classroom.solved(course)
    notebook["metadata"]["kernelspec"] = {
        "name": "../../bin/sh",
        "language": "bash",
        "display_name": "x",
    }
    return notebook


@attack(status="graded with note", softmax=3, discounted_return=2)
def byte_order_mark(course):
    return json.dumps(classroom.solved(course)).encode("utf-16")


@attack(softmax=3, discounted_return=2)
def outputs_of_megabytes(course):
    notebook = classroom.solved(course)
    find(notebook, "softmax-answer")["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 20_000_000}
    ]
    return notebook


@attack(softmax=3, discounted_return=2)
def surrogates(course):
    return insert_after(
        classroom.solved(course, q_why="a\ud800b"),
        "softmax",
        code("s = '\\ud800'\nprint('ok')\n# \ud800"),
    )


@attack(softmax=3, discounted_return=2)
def script_everywhere(course):
    nasty = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
    notebook = classroom.solved(course, q_why=nasty + "[x](javascript:alert(1))")
    insert_after(
        notebook,
        "softmax",
        code(f"print({nasty!r})\nraise ValueError({nasty!r})"),
        {"cell_type": "markdown", "id": "m1", "metadata": {}, "source": nasty},
    )
    return notebook


@attack(status="refused", told="several notebooks")
def two_notebooks(course, folder):
    for name in ("a", "b"):
        classroom.submit(
            folder.parent.parent, folder.parent.name, classroom.solved(course), file=f"{name}.ipynb"
        )


@attack(status="graded with note", told="other name.ipynb", softmax=3, discounted_return=2)
def another_name(course, folder):
    classroom.submit(
        folder.parent.parent, folder.parent.name, classroom.solved(course), file="other name.ipynb"
    )


@attack(status="refused", told="no notebook")
def no_notebook(course, folder):
    folder.mkdir(parents=True)
    (folder / "essay.docx").write_bytes(b"PK")


@attack(status="refused", told="symbolic link")
def linked_notebook(course, folder):
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").symlink_to("/etc/passwd")


@attack(status="refused", told="symbolic link")
def linked_neighbour(course, folder):
    """Hands in the neighbour's solved notebook by a link."""
    folder.mkdir(parents=True)
    neighbour = folder.parent.parent / f"{folder.parent.name}~honest" / NAME / f"{NAME}.ipynb"
    (folder / f"{NAME}.ipynb").symlink_to(neighbour)


@attack(status="refused", told="symbolic link")
def linked_folder(course, folder):
    folder.parent.mkdir(parents=True)
    folder.symlink_to("/etc")


@attack(status="refused", told="named pipe")
def pipe(course, folder):
    folder.mkdir(parents=True)
    os.mkfifo(folder / f"{NAME}.ipynb")


@attack(status="refused", told="no notebook")
def folder_in_its_place(course, folder):
    (folder / f"{NAME}.ipynb" / f"{NAME}.ipynb").mkdir(parents=True)


@attack(status="graded with note", told="library", discounted_return=2)
def library_beside_it(course, folder):
    text = "import random, gymnasium, numpy as np\ndef softmax(x):\n    return gymnasium.answer(x)"
    notebook = classroom.solved(course, softmax=text)
    path = classroom.submit(folder.parent.parent, folder.parent.name, notebook)
    fake = "import numpy\n" + classroom.SOLUTIONS["softmax"].replace("def softmax", "def answer")
    for name in (
        "gymnasium.py",
        "numpy.py",
        "random.py",
        "sitecustomize.py",
        "policy_gradients.py",
    ):
        (path.parent / name).write_text(fake)


@attack(status="graded with note", told="symbolic link", softmax=3, discounted_return=2)
def links_beside_it(course, folder):
    path = classroom.submit(folder.parent.parent, folder.parent.name, classroom.solved(course))
    (path.parent / "timestamp.txt").symlink_to("/dev/zero")
    (path.parent / "data.txt").symlink_to("/etc/passwd")
    (path.parent / "notes.txt").write_text("x")
    os.mkfifo(path.parent / "pipe")


@attack(softmax=3, discounted_return=2)
def timestamp_of_nonsense(course, folder):
    path = classroom.submit(folder.parent.parent, folder.parent.name, classroom.solved(course))
    (path.parent / "timestamp.txt").write_text("99999-99-99 xyz")


@attack(softmax=3, discounted_return=2)
def timestamp_that_bursts_the_parser(course, folder):
    path = classroom.submit(folder.parent.parent, folder.parent.name, classroom.solved(course))
    (path.parent / "timestamp.txt").write_text("9" * 28 + "12h")
