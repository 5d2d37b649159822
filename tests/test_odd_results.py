"""Whatever a function hands back or asks with costs its own exercise, and no other."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bank import Entry, load
from bank.judge import told
from grader.checking.compare import error_problem
from grader.checks.judge import run_check
from grader.checks.registry import get
from grader.probes.observe import observe, observe_error
from grader.probes.wire import Limits, TooLarge, dumps, loads
from tests.sandboxes import HONEST, WARM_TOGETHER, doubles, needs_walls, open_session

pytestmark = WARM_TOGETHER

ODD = {
    "nine axes": "np.zeros((1,) * 9)",
    "sixty axes": "np.zeros((1,) * 60)",
    "an endless row": "np.zeros((2**41, 0))",
    "a nine-axis tensor": "torch.zeros((1,) * 9)",
    "a meta tensor": 'torch.empty((), device="meta")',
    "a sparse tensor": "torch.eye(2).to_sparse()",
    "half precision": "torch.ones(2, dtype=torch.bfloat16)",
    "complex": "np.array([1j, 2.0])",
    "complex tensor": "torch.ones(2, dtype=torch.complex64)",
    "dates": 'np.array(["2020-01-01"], dtype="datetime64[D]")',
    "fields": 'np.zeros(2, dtype=[("a", "f8"), ("b", "i4")])',
    "objects": "np.array([None, [1]], dtype=object)",
    "a masked array": "np.ma.masked_array([1.0, 2.0], [True, False])",
    "a huge integer": "10**400",
    "huge integers": "[10**400]",
    "a deep list": "deep(2000)",
    "a list in itself": "in_itself()",
    "a bad repr": "Bad()",
    "bad attributes": "Proxy()",
    "a type": "dict",
    "a set": "{1, 2}",
    "bytes": "b'ab'",
    "a generator": "(x for x in range(3))",
    "many arrays": "[np.zeros(3)] * 30_000",
    "many bytes": "[np.zeros(1_000_000)] * 20",
    "a list without end": "Endless([1.0])",
    "an interrupt of its own": "interrupt()",
}
HELPERS = """
import numpy as np, torch
def deep(n):
    nest = 0.0
    for _ in range(n):
        nest = [nest]
    return nest
def in_itself():
    items = []
    items.append(items)
    return items
def interrupt():
    raise KeyboardInterrupt
class Endless(list):
    def __iter__(self):
        while True:
            yield 1.0
class Bad:
    def __repr__(self):
        raise RuntimeError
class Proxy:
    def __getattr__(self, name):
        raise RuntimeError("no attribute today")
"""


def probe_with(session):
    return lambda request, ask: session.probe("softmax", request, 15, ask)


@needs_walls
def test_an_odd_result_costs_its_own_exercise_alone():
    with open_session() as session:
        session.run_cell(HELPERS + HONEST)
        for name, text in ODD.items():
            session.run_cell(f"def softmax(logits):\n    return {text}")
            verdict = run_check(get("softmax"), probe_with(session), 1)
            assert not verdict.passed and verdict.step != "reply", (
                name,
                verdict.text(),
            )
            assert not session.ended, name
            assert doubles(session) == 6, name


@needs_walls
@pytest.mark.parametrize(
    "argument",
    ["np.zeros((1,) * 9)", "np.zeros(3_000_000)", "deep(100)", "np.array([None])", "10**30"],
)
def test_an_odd_question_costs_its_own_exercise_alone(argument):
    """A stand-in for a failed prerequisite asks the grader with what the student hands to it."""
    with open_session() as session:
        session.run_cell(HELPERS + HONEST)
        session.run_cell(f"def log_prob(logits, actions):\n    return softmax({argument})")
        request = {"probe": "call", "cases": [{"inputs": {"x": 1.0, "y": 2.0}}], "seconds": 5}
        request["replace"] = ["softmax"]
        (seen,) = session.probe("log_prob", request, 10, ask=lambda question: {"value": 1.0})
        assert seen["error"]["type"] in ("TooLarge", "TypeError", "ValueError")
        assert doubles(session) == 6


@needs_walls
def test_asking_too_often_is_an_error_of_that_function():
    with open_session() as session:
        session.run_cell(HONEST)
        session.run_cell("def log_prob(x, y):\n    return sum(softmax(x) for _ in range(10_000))")
        request = {"probe": "call", "cases": [{"inputs": {"x": 1.0, "y": 2.0}}], "seconds": 5}
        request["replace"] = ["softmax"]
        (seen,) = session.probe("log_prob", request, 20, ask=lambda question: {"value": 1.0})
        assert "too often" in seen["error"]["message"]
        assert doubles(session) == 6


NUMBERS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=5))
ARRAYS = st.builds(
    lambda shape, dtype: np.zeros(shape, dtype),
    st.lists(st.integers(0, 2), max_size=12),
    st.sampled_from(["f8", "f4", "i8", "?", "c16", "O", "M8[s]", "S3", "U2", "f2", "longdouble"]),
)
ANYTHING = st.recursive(
    st.one_of(NUMBERS, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(NUMBERS, inner, max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANYTHING)
def test_whatever_is_observed_travels_within_the_readers_limits(value):
    frame = dumps(observe(value), Limits())
    assert loads(frame, Limits(), records=[])["kind"]


def test_the_writer_refuses_what_the_reader_would():
    for tree in (np.zeros((1,) * 9), np.zeros((2**41, 0)), [[[[0.0]]]]):
        with pytest.raises(TooLarge):
            dumps(tree, Limits(depth=2))


def test_a_librarys_missing_kernel_is_no_unwritten_function():
    """torch says NotImplementedError of a meta tensor's number."""
    space = {}
    exec(
        compile(
            "import torch\ndef f():\n    return torch.empty((), device='meta').item()\n"
            "def stub():\n    raise NotImplementedError\n",
            "<cell>",
            "exec",
        ),
        space,
    )
    told = {}
    for name in ("f", "stub"):
        try:
            space[name]()
        except Exception as error:
            told[name] = error_problem({"kind": "error", **observe_error(error)}, "").mistake
    assert told == {"f": "raises", "stub": "not-written"}


def in_single_precision(answer):
    """The same answer with float32 inside: its inputs are cast, and so is its result."""

    def single(x):
        return x.float() if isinstance(x, torch.Tensor) and x.dtype == torch.float64 else x

    def changed(*args, **options):
        found = answer(*map(single, args), **{name: single(x) for name, x in options.items()})
        doubled = any(single(x) is not x for x in (*args, *options.values()))
        return found.double() if doubled else found

    return changed


LOSSES = ("importance_ratio", "surrogate_loss", "ppo_clip_loss", "dual_clip_loss", "value_loss")
LOSSES += ("ppo_penalty_loss", "value_clip_loss", "actor_critic_loss", "ppo_token_loss")
LOSSES += ("masked_mean", "kl_in_loss", "kl_reward_loss", "grpo_loss", "aggregate_loss")


@pytest.mark.parametrize("name", LOSSES)
def test_no_case_is_0_by_cancelling(name):
    """There rounding would decide: what is off by 1e-8 of its terms is right in any other case."""
    for entry in load():
        if entry.exercise == name and entry.mistake is None:
            answer = in_single_precision(entry.answer)
            verdict, _told = told(Entry(name, entry.label, answer, None), 0)
            assert verdict.passed, (entry.label, verdict.text())
