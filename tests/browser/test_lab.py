"""A student in JupyterLab: a blank notebook, a wrong answer, a right one."""

import pytest

from tests.browser.lab import CHROMIUM, ROOT, Lab, excerpt, solutions

pytest.importorskip("selenium", reason="Selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not all(CHROMIUM), reason="Chromium and its driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
LESSON = "01_reinforce"
NOTEBOOK = f"notebooks/en/{LESSON}/{LESSON}.ipynb"
SOLVED = ROOT / "solutions" / "en" / LESSON / f"{LESSON}.ipynb"


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
    lab.write(exercise, solutions(SOLVED)["softmax-answer"])
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
