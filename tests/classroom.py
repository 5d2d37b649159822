"""A course and its students' notebooks, made for tests of the grader."""

import json
from pathlib import Path

from bank import load
from grader.course import Course
from publish.build import prepare
from publish.course import Course as Source
from publish.course import notebook_text, write_text
from publish.release import release

TINY = Path(__file__).parent / "fixtures" / "grading"
NAME = "01_tiny"
SOLUTIONS = {
    "softmax": "def softmax(logits):\n"
    "    weights = np.exp(logits - np.max(logits, axis=-1, keepdims=True))\n"
    "    return weights / weights.sum(axis=-1, keepdims=True)\n",
    "discounted_return": "def discounted_return(rewards, gamma=1.0):\n"
    "    return float(sum(gamma**t * r for t, r in enumerate(rewards)))\n",
}


def build_course(root, lessons=TINY, names=()) -> Course:
    """Releases the named lessons under ``lessons`` (all where none is named) into ``root`` and
    returns the grader's course."""
    source, target = Source(Path(lessons)), Source(Path(root))
    for name, (_lesson, solved) in prepare(source, list(names), "en", None, claims=False).items():
        write_text(target.solution_path(name, "en"), notebook_text(solved))
        write_text(target.notebook_path(name, "en"), notebook_text(release(solved)))
    return Course(root)


def blank(course, name=NAME) -> dict:
    """The student's version, as handed out."""
    return json.loads(course.path(name).read_text(encoding="utf-8"))


def solved(course, name=NAME, **texts) -> dict:
    """The handed-out notebook with answers typed in; texts: exercise or q_ name -> its cell."""
    notebook = blank(course, name)
    for exercise, text in {**SOLUTIONS, **texts}.items():
        cell = find(notebook, f"{exercise}-answer") or find(notebook, exercise)
        if cell is not None:
            cell["source"] = text
    return notebook


def find(notebook, grade_id):
    """The cell of that grade id, or None."""
    cells = (
        c
        for c in notebook["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )
    return next(cells, None)


def code(text, **metadata) -> dict:
    """A code cell as Jupyter writes it."""
    return {
        "cell_type": "code",
        "id": "x" + str(abs(hash(text)) % 10**9),
        "source": text,
        "metadata": metadata,
        "outputs": [],
        "execution_count": None,
    }


def insert_after(notebook, grade_id, *cells):
    """The notebook with further cells behind the cell of that grade id."""
    index = notebook["cells"].index(find(notebook, grade_id))
    notebook["cells"][index + 1 : index + 1] = cells
    return notebook


def submit(folder, student, notebook, name=NAME, file=None) -> Path:
    """Writes a submission; notebook: a dict, a text or bytes."""
    path = Path(folder) / student / name / (file or f"{name}.ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(notebook, dict):
        notebook = json.dumps(notebook, indent=1)
    path.write_bytes(
        notebook if isinstance(notebook, bytes) else notebook.encode("utf-8", "surrogatepass")
    )
    return path


def bank_entries(exercise):
    """The bank's entries for one exercise."""
    return [entry for entry in load() if entry.exercise == exercise]
