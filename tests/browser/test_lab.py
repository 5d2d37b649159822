"""A student in JupyterLab: a blank notebook, a wrong answer, a right one, a solved notebook."""

import json

import pytest

from tests.browser.lab import CHROMIUM, ROOT, Lab, excerpt

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
LESSON = "01_reinforce"
NOTEBOOK = f"notebooks/en/{LESSON}/{LESSON}.ipynb"


def solved() -> list[dict]:
    """The code cells of the solved lesson."""
    notebook = json.loads((ROOT / "solutions/en" / LESSON / f"{LESSON}.ipynb").read_text())
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def solutions() -> dict[str, str]:
    """grade id -> source of every solution cell."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        for cell in solved()
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }


def figures(cells) -> int:
    """How many pictures the cells show."""
    return sum("image/png" in o.get("data", {}) for cell in cells for o in cell["outputs"])


def test_wrong_then_right(driver, address, course):
    texts = "from grader import check", "def softmax(", 'check("softmax")'
    lab = Lab(driver, address, excerpt(course, NOTEBOOK, *texts))
    setup, exercise, check = map(lab.index_of, texts)
    lab.run(setup)
    lab.run(exercise)
    assert "not written yet" in lab.run(check)
    lab.write(exercise, "def softmax(logits):\n    e = np.exp(logits)\n    return e / e.sum(0)")
    lab.run(exercise)
    wrong = lab.run(check)
    lab.show(check)
    lab.screenshot("wrong-answer")
    for words in ("not yet", "input", "expected", "got", "hint"):
        assert words in wrong
    assert "Traceback" not in wrong
    lab.write(exercise, solutions()["softmax-answer"])
    lab.run(exercise)
    right = lab.run(check)
    lab.show(check)
    lab.screenshot("right-answer")
    assert right.startswith("✓ softmax")
    lab.write(exercise, 'import policy_gradients as pg\npg.reset("softmax")')
    lab.run(exercise)
    lab.wait(
        "return jupyterapp.shell.currentWidget.content.widgets[arguments[0]]"
        ".model.sharedModel.getSource().includes('raise NotImplementedError')",
        exercise,
    )


def test_blank_notebook_runs_to_its_end_in_words(driver, address):
    lab = Lab(driver, address, NOTEBOOK)
    lab.run_all()
    cells = lab.outputs()
    lab.screenshot("blank")
    assert all(cell["count"] for cell in cells if cell["source"].strip())
    errors = [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error"]
    assert {error["ename"] for error in errors} <= {"NotImplementedError", "CheckFailed"}
    assert any(error["ename"] == "CheckFailed" for error in errors)


def test_solutions_typed_in_give_every_check_green(driver, address):
    lab = Lab(driver, address, NOTEBOOK)
    for grade_id, source in solutions().items():
        name = grade_id.removesuffix("-answer")
        first = f"{name} = None" if name.startswith("q_") else f"def {name}("
        lab.write(lab.index_of(first), source)
    lab.run_all_but_training()
    cells = lab.outputs()
    lab.screenshot("solved")
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert len(checks) >= 10
    for cell in checks:
        texts = "".join("".join(o.get("data", {}).get("text/plain", "")) for o in cell["outputs"])
        assert texts.startswith("✓"), cell
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    untrained = [c for c in solved() if not c["metadata"]["policy_gradients"].get("trained")]
    assert figures(cells) == figures(untrained) > 5
