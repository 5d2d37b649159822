"""The frame of the checks: ladder, named mistakes, faces of a verdict, right helpers."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checking import (
    Case,
    Expected,
    FunctionExercise,
    Mistake,
    Number,
    Raises,
    Symptom,
    TensorOf,
    text,
)
from grader.checking.verdict import Problem, Verdict
from grader.checks.judge import run_check
from grader.checks.registry import get, registry
from grader.checks.shared import slips
from grader.probes import runtime
from grader.probes.inputs import Tensor
from grader.student import check as kernel


def halves(x):
    if np.any(x < 0):
        return Raises("ValueError")
    return x / 2


HALF = FunctionExercise(
    "half",
    lambda rng: [
        Case({"x": np.array([2.0, 4.0])}),
        Case({"x": rng.uniform(1, 2, size=3)}),
        Case({"x": np.array([-1.0])}),
    ],
    halves,
    mistakes=(Mistake("doubled", "Half, not twice.", like=lambda x: x * 2 / (np.all(x >= 0))),),
)


def judged(exercise, function, seed=0, **others):
    namespace = {exercise.name: function, **others}
    return run_check(exercise, lambda q, ask: runtime.run(namespace, exercise.name, q, ask), seed)


def half(x):
    if (x < 0).any():
        raise ValueError("negative")
    return x / 2


def test_right_answer_passes():
    assert judged(HALF, half).passed


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (lambda x: None, "kind"),
        (lambda x: list(x / 2), "kind"),
        (lambda x: (x / 2)[:1], "shape"),
        (lambda x: x / 2 + np.array([0, math.nan])[: len(x)].sum(), "finite"),
        (lambda x: x / 3, "value"),
        (lambda x: x / 2, "runs"),  # the third case must raise
        (lambda x: x.no_such_thing, "runs"),
        (lambda: None, "runs"),
        (lambda x: exit(), "runs"),
        (object(), "runs"),
    ],
)
def test_first_failing_step_is_told(answer, step):
    verdict = judged(HALF, answer)
    assert not verdict.passed and verdict.step == step
    assert verdict.problem.hint, verdict.text()


def test_changed_input_is_told():
    def in_place(x):
        if (x < 0).any():
            raise ValueError
        x /= 2
        return x

    assert judged(HALF, in_place).mistake == "changed-inputs"


def test_subclass_of_the_asked_error_is_right():
    class Negative(ValueError):
        pass

    def strict(x):
        if (x < 0).any():
            raise Negative
        return x / 2

    assert judged(HALF, strict).passed


def test_stub_is_told_in_words():
    def half(x):
        raise NotImplementedError

    verdict = judged(HALF, half)
    assert verdict.mistake == "not-written" and "NotImplementedError" in verdict.text()


def test_missing_function_is_told():
    verdict = run_check(HALF, lambda q, ask: runtime.run({}, "half", q, ask), 0)
    assert verdict.step == "defined"


def test_endless_loop_ends():
    slow = FunctionExercise("half", HALF.make_cases, halves, seconds=0.2)

    def loops(x):
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    assert judged(slow, loops).mistake == "too-slow"


def test_check_leaves_generators_as_they_were():
    np.random.seed(5)
    expected = np.random.random(2)
    np.random.seed(5)
    first = np.random.random()
    judged(HALF, lambda x: np.random.random(x.shape))
    assert [first, np.random.random()] == list(expected)


SQUARE = FunctionExercise(
    "loss",
    lambda rng: [
        Case({"x": Tensor(rng.normal(size=4), True), "y": Tensor(rng.normal(size=4), True)})
    ],
    lambda x, y: Expected(np.mean((x - y) ** 2), {"x": 2 * (x - y) / len(x), "y": None}),
    kind=TensorOf(),
)


@pytest.mark.parametrize(
    ("loss", "step"),
    [
        (lambda x, y: ((x - y.detach()) ** 2).mean(), ""),
        (lambda x, y: ((x - y) ** 2).mean(), "gradient"),
        (lambda x, y: ((x.detach() - y) ** 2).mean(), "gradient"),
        (lambda x, y: ((x - y) ** 2).mean().detach(), "gradient"),
        (lambda x, y: ((x - y.detach()) ** 2).mean().item(), "kind"),
        (lambda x, y: ((x - y.detach()) ** 2).mean().float(), "kind"),
        (lambda x, y: ((x - y.detach()) ** 2).mean().reshape(1), "shape"),
    ],
)
def test_gradients_are_judged(loss, step):
    assert judged(SQUARE, loss).step == step


def test_prerequisite_gives_way_to_right_values():
    """A wrong softmax costs softmax's points, not those of a function that calls it."""
    softmax = get("softmax")
    uses = FunctionExercise(
        "largest",
        softmax.make_cases,
        lambda logits: softmax.truth(logits).max(),
        kind=Number(),
        prerequisites=("softmax",),
    )
    namespace = {"softmax": lambda logits: logits}
    exec("def largest(logits): return softmax(logits).max()", namespace)

    def probe(request, ask):
        return runtime.run(namespace, "largest", request, ask)

    assert not run_check(uses, probe, 0).passed
    helped = run_check(uses, probe, 0, failed={"softmax"})
    assert helped.passed and "softmax" in helped.note
    assert namespace["softmax"]("kept") == "kept"
    del namespace["softmax"]  # its cell had a syntax error
    assert not run_check(uses, probe, 0).passed
    assert run_check(uses, probe, 0, failed={"softmax"}).passed
    assert "softmax" not in namespace


def test_prerequisite_with_gradient():
    namespace = {"loss": lambda x, y: (x * 0).sum()}
    twice = FunctionExercise(
        "twice",
        SQUARE.make_cases,
        lambda x, y: Expected(2 * np.mean((x - y) ** 2), {"x": 4 * (x - y) / len(x), "y": None}),
        kind=TensorOf(),
        prerequisites=("loss",),
    )
    exec("def twice(x, y): return 2 * loss(x, y)", namespace)
    asked = []

    def ask(question):
        asked.append(question["name"])
        return SQUARE.answer(question)

    cases = twice.cases(np.random.default_rng(0))
    seen = runtime.run(namespace, "twice", twice.request(cases, ["loss"]), ask)
    assert twice.judge(cases, seen).passed and set(asked) == {"loss"}


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just(np.zeros(3))
    | st.just(np.array(math.nan)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "kind", "array", "error", "gradients", "changed", "items", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(reply=trees, name=st.sampled_from(sorted(registry())))
def test_no_reply_breaks_the_verdict_or_passes(reply, name):
    exercise = get(name)
    cases = exercise.cases(np.random.default_rng(0))
    for seen in (reply, [reply] * len(cases)):
        assert not exercise.judge(cases, seen).passed


def test_faces_say_the_same_and_escape():
    problem = Problem(
        step="value",
        shown="f(x=1)",
        expected="2",
        got="<script>alert(1)</script>",
        hint="Think.",
        mistake="m",
    )
    verdict = Verdict("f", False, 1, problem)
    assert "<script>" in verdict.text() and "<script>" not in verdict.html()
    for words in ("f(x=1)", "Think."):
        assert words in verdict.text() and words in verdict.html()
    assert "\n" not in Verdict("f", True, 3).text()


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    yield shell
    InteractiveShell.clear_instance()


def test_check_in_a_notebook(shell, capsys):
    kernel._failed.clear()
    shell.run_cell("from grader import check\nimport numpy as np")
    shell.run_cell(
        "def discounted_return(rewards, gamma=1.0):\n    import warnings\n"
        "    warnings.warn('loud'); print('loud')\n    return float(sum(rewards))"
    )
    failed = shell.run_cell('check("discounted_return")')
    out = capsys.readouterr()
    assert isinstance(failed.error_in_exec, kernel.CheckFailed) and failed.result is None
    assert "gamma" in out.out and "loud" not in out.out and not out.err
    assert "Traceback" not in out.out
    (line,) = failed.error_in_exec._render_traceback_()  # what nbgrader's Validate button shows
    assert line.startswith("discounted_return: ") and "gamma" in line
    shell.run_cell(
        "def discounted_return(rewards, gamma=1.0):\n"
        "    return sum(gamma**t * r for t, r in enumerate(rewards))"
    )
    passed = shell.run_cell('check("discounted_return")')
    assert passed.success and passed.result is None
    assert capsys.readouterr().out.startswith("✓ discounted_return")


def test_stub_called_by_a_demonstration_is_explained(shell, capsys):
    shell.run_cell("import grader; grader.student.check.explain_stubs()")
    ran = shell.run_cell("def softmax(logits):\n    raise NotImplementedError\nsoftmax([1.0])")
    out = capsys.readouterr().out
    assert "softmax is not written yet" in out and "Traceback" not in out
    # IPython keeps the same words, and formats no traceback that nobody sees.
    assert ran.error_in_exec._render_traceback_() == out.splitlines()


def test_listed_mistakes_have_their_own_hint_or_the_shared_one():
    def seen(case, one, truth):
        return True

    faces = {
        "overflow/mean": (max, Symptom(seen), min),
        "gamma-ignored": abs,
        "halved": Symptom(seen),
    }
    own = {"overflow/mean": "Which mean?", "halved": "Whose half?"}
    found = [(m.name, m.hint, m.faces, m.when) for m in slips.listed(faces, own)]
    assert found == [
        ("overflow", "Which mean?", (max, min), seen),
        ("gamma-ignored", slips.HINTS["gamma-ignored"], (abs,), None),
        ("halved", "Whose half?", (), seen),
    ]


def test_a_hint_without_a_face_and_a_face_without_a_hint_are_refused():
    with pytest.raises(ValueError, match="doubled"):
        slips.listed({"gamma-ignored": abs}, {"doubled": "Half."})
    with pytest.raises(KeyError, match="doubled"):
        slips.listed({"doubled": abs})


def test_unknown_name_lists_the_known():
    with pytest.raises(KeyError, match="softmax"):
        get("sotfmax")


def test_what_rounding_left_of_a_zero_is_shown_as_zero():
    assert text.number_text(-3.70074e-17) == "0" and text.number_text(-0.0) == "0"
    assert text.number_text(2.5e-9) == "2.5e-09" and text.number_text(float("nan")) == "nan"


def test_an_array_of_endless_rows_without_a_number_is_told_by_its_shape():
    assert text.array_text(np.zeros((10**6, 0))) == "[] of shape (1000000, 0)"
    assert text.array_text(np.zeros((2, 10**6, 0))) == "[] of shape (2, 1000000, 0)"
    assert text.array_text(np.zeros(0)) == "[]"


def test_a_check_counts_what_is_computed_and_not_what_is_waited():
    """On a machine at a tenth of its speed nine tenths of the clock go to others."""
    with runtime.time_limit(0.15, patience=10):
        end = time.monotonic() + 0.5
        while time.monotonic() < end:  # a tenth of it is computed
            busy = time.thread_time() + 0.005
            while time.thread_time() < busy:
                pass
            time.sleep(0.045)
    with pytest.raises(runtime.TooSlow), runtime.time_limit(0.2, patience=10):
        while True:  # computes all the time
            pass
    with pytest.raises(runtime.TooSlow), runtime.time_limit(0.1, patience=4):
        time.sleep(30)  # computes nothing, and is told by the clock
