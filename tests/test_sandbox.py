"""Honest submissions run as in a notebook, and are told apart from late, loud and dead ones."""

import dataclasses
import sys
import time

import gymnasium
import numpy as np
import pytest
import torch

from grader.probes.inputs import Tensor
from grader.sandbox import Died, TimedOut, Zygote
from tests.sandboxes import (
    HONEST,
    LIGHT,
    LIMITS,
    WARM_TOGETHER,
    doubles,
    needs_walls,
    open_session,
    printed,
)

pytestmark = [needs_walls, WARM_TOGETHER]


@pytest.fixture(params=[False, True], ids=["isolated", "unsafe"])
def unsafe(request):
    return request.param


@pytest.fixture
def session(request, unsafe):
    """A session as grading would take it for the cell that the test is about."""
    source = request.node.callspec.params.get("source", "")
    with open_session(unsafe, source) as session:
        yield session


@pytest.fixture
def full(unsafe):
    """A session in which torch is loaded."""
    with open_session(unsafe) as session:
        yield session


def error_of(result):
    return next((o for o in result.outputs if o["output_type"] == "error"), None)


def call(session, name, seconds=10, ask=None, replace=(), **inputs):
    request = {"probe": "call", "cases": [{"inputs": inputs}], "replace": list(replace)}
    return session.probe(name, request, seconds, ask)[0]


def test_a_function_of_one_cell_answers_a_probe_and_later_cells(session):
    assert session.run_cell(HONEST).status == "ok"
    assert doubles(session) == 6
    assert printed(session.run_cell("print(double(21))")) == "42\n"


def test_arrays_and_gradients_come_back_exactly(full):
    full.run_cell("def square(x):\n    return (x ** 2).sum()")
    array = np.random.default_rng(0).normal(size=(3, 4))
    seen = call(full, "square", x=Tensor(array, grad=True))
    assert np.isclose(seen["value"]["array"], (array**2).sum())
    assert np.array_equal(seen["gradients"]["x"], 2 * array)


def test_the_libraries_of_the_course_are_there(full):
    result = full.run_cell(
        "import gymnasium, matplotlib.pyplot as plt, torch\nimport policy_gradients as pg\n"
        "from grader import check\ncheck('gae')\nplt.plot([1, 2]); plt.show()\n"
        "net = torch.nn.Linear(2, 1); net(torch.ones(3, 2)).sum().backward()\n"
        "print(gymnasium.make('CartPole-v1').reset(seed=1)[0].shape, net.weight.grad.sum().item())"
    )
    assert printed(result) == "(4,) 6.0\n" and result.status == "ok"


def test_the_interpreter_and_the_packages_are_the_graders_own(full):
    look = "import sys, numpy, torch, gymnasium\nprint(sys.version, [m.__version__ for m in "
    look += "(numpy, torch, gymnasium)])"
    here = f"{sys.version} {[m.__version__ for m in (np, torch, gymnasium)]}\n"
    assert printed(full.run_cell(look)) == here


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline",
        "%config InlineBackend.figure_format = 'retina'",
        "%time 1 + 1",
        "%load_ext autoreload\n%autoreload 2",
        "!pip install nothing",
        "files = !ls",
        "%pip list",
        "%%bash\nls",
        "%%capture\nprint(1)",
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "from IPython.display import display, clear_output\nclear_output(); display({'a': 1})",
        "import asyncio\nawait asyncio.sleep(0)",
        "input if False else 3;",
        "%%time\nx = 1",
        "import threading\nt = threading.Thread(target=print); t.start(); t.join()",
    ],
)
def test_what_notebooks_do_is_no_error(session, source):
    result = session.run_cell(source)
    assert result.status == "ok", result


def test_an_error_is_told_with_its_line_and_ends_only_its_cell(session):
    result = session.run_cell("before = 1\nbefore / 0\nafter = 1")
    assert result.status == "error" and result.reason == "ZeroDivisionError: division by zero"
    assert error_of(result)["ename"] == "ZeroDivisionError"
    assert "before" in "".join(error_of(result)["traceback"])
    assert printed(session.run_cell("print(before, 'after' in globals())")) == "1 False\n"


def test_the_first_error_loads_nothing_and_is_told_without_colours(session):
    """What it needs is loaded once for all, and colours would reach no reader."""
    session.run_cell("import sys\nbefore = set(sys.modules)")
    story = error_of(session.run_cell("def halve(x):\n    return x / 0\nhalve(1)"))["traceback"]
    assert "return x / 0" in "".join(story) and "\x1b" not in "".join(story)
    assert printed(session.run_cell("print(set(sys.modules) - before)")) == "set()\n"
    assert printed(session.run_cell("print('broken' in globals())")) == "False\n"


def test_an_error_is_told_without_a_look_through_all_modules(session):
    """Which are thousands with torch, and whoever looks at one has it in memory twice."""
    session.run_cell(
        "import sys, types\nlooks = []\nclass Watched(types.ModuleType):\n    @property\n"
        "    def __file__(self):\n        looks.append(1)\n        return 'x.py'\n"
        "sys.modules['watched'] = Watched('watched')\ndef halve(x):\n    return x / 0"
    )
    story = error_of(session.run_cell("halve(1)"))["traceback"]
    assert "return x / 0" in "".join(story) and "halve(1)" in "".join(story)
    assert printed(session.run_cell("print(looks)")) == "[]\n"


@pytest.mark.parametrize(
    "source",
    [
        "def f(:",
        "   x = 1\n y = 2",
        "%%nonsense\n1",
        "exit()",
        "import sys; sys.exit('bye')",
        "raise KeyboardInterrupt",
        "raise BaseException('x')",
        "x = input()",
    ],
)
def test_other_errors_end_only_their_cell_too(session, source):
    result = session.run_cell(source)
    assert result.status == "error" and result.reason
    assert session.run_cell(HONEST).status == "ok" and doubles(session) == 6


def test_output_comes_in_order_from_python_and_from_below(session):
    result = session.run_cell(
        "import os, sys\nprint('a')\nos.write(1, b'b\\n')\nprint('c', file=sys.stderr)"
    )
    assert printed(result) == "a\nb\n"
    assert result.outputs[-1] == {"output_type": "stream", "name": "stderr", "text": "c\n"}
    assert session.run_cell("pass").outputs == []


def test_too_much_output_is_cut_and_said_and_the_rest_still_runs(session):
    result = session.run_cell("print('x' * 100_000)")
    assert result.status == "error" and "without end" in result.reason
    assert printed(result) == "x" * (LIMITS.output_kb << 10)
    assert session.run_cell(HONEST).status == "ok" and doubles(session) == 6


def test_a_long_log_is_cut_and_costs_nothing(session):
    """A student may print each step of a training; what follows in that cell must run, too."""
    length = LIMITS.printed_kb << 9
    assert LIMITS.output_kb << 10 < length
    result = session.run_cell(f"for _ in range({length // 50}):\n    print('x' * 49)\nafter = 1")
    assert result.status == "ok" and not result.flooded
    assert len(printed(result)) == LIMITS.output_kb << 10
    assert session.run_cell("assert after == 1").status == "ok"


def test_all_cells_together_keep_no_more_than_their_share(session):
    full, cells = "print('x' * 10_000)", 30
    assert cells * 10_000 > LIMITS.all_output_kb << 10
    kept = [session.run_cell(full) for _ in range(cells)]
    assert {result.status for result in kept} == {"ok"}
    assert sum(len(printed(result)) for result in kept) == LIMITS.all_output_kb << 10
    assert printed(kept[0]) == "x" * 10_000 + "\n" and printed(kept[-1]) == ""
    (error,) = session.run_cell("raise ValueError('y' * 5_000)").outputs
    assert error["ename"] == "ValueError" and len(error["evalue"]) == 100
    assert error["traceback"] == []


def test_one_huge_print_is_dropped_in_time(session):
    result = session.run_cell("print('z' * 60_000_000, end='')\nprint('\\x1b[2J\\r\\0' * 1000)")
    assert result.status == "error" and "without end" in result.reason
    assert doubles_after(session) == 6


def test_endless_output_ends_its_cell_only(session):
    result = session.run_cell("while True:\n    print('x' * 1000)")
    assert result.status == "error" and "without end" in result.reason
    assert doubles_after(session) == 6


def doubles_after(session):
    assert session.run_cell(HONEST).status == "ok"
    return doubles(session)


def test_a_late_cell_is_interrupted_and_later_cells_run(session):
    result = session.run_cell("done = 1\nwhile True:\n    pass", 0.3)
    assert result.status == "timeout" and "0.3 s" in result.reason
    assert doubles_after(session) == 6 and printed(session.run_cell("print(done)")) == "1\n"


STUBBORN = [
    "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException: pass",
    "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
    "import itertools\nsum(itertools.repeat(0))",
]


@pytest.mark.parametrize("source", STUBBORN)
def test_a_cell_that_resists_ends_its_submission(session, source):
    session.run_cell("print('kept')")
    result = session.run_cell(source, 0.3)
    assert result.status == "timeout" and "did not stop" in result.reason
    assert session.run_cell("1").status == "died"
    with pytest.raises(Died, match="did not stop"):
        doubles(session)


BOTTOMLESS = "import sys; sys.setrecursionlimit(10**9)\nclass A:\n"
BOTTOMLESS += "    def __repr__(self): return repr(self)\nrepr(A())"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "status 3"),
        ("import os; os._exit(0)", "ended itself"),
        ("import ctypes; ctypes.string_at(0)", "crashed"),
        ("import os; os.abort()", "crashed"),
        (BOTTOMLESS, ""),
    ],
)
def test_a_process_that_ends_is_told_with_its_reason(source, words):
    with open_session(code=source) as session:
        session.run_cell("print('kept')")
        result = session.run_cell("print('last words')\n" + source, 5)
        assert result.status in ("died", "error") and words in result.reason
        assert printed(result) == "last words\n"
        if result.status == "died":
            assert session.run_cell("1") == type(result)("died", [], result.reason)
            assert session.close().exit_reason == result.reason


def test_a_probe_that_hangs_is_told_within_its_own_limit(session):
    session.run_cell("def double(x):\n    while True: pass")
    request = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "seconds": 0.2}
    assert session.probe("double", request, 10) == [{"error": {"kind": "slow"}}]
    assert doubles_after(session) == 6


def test_a_probe_that_resists_ends_its_submission(session):
    session.run_cell(
        "import signal\ndef double(x):\n    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "    while True: pass"
    )
    request = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "seconds": 0.2}
    with pytest.raises(TimedOut, match="did not stop"):
        session.probe("double", request, 0.5)
    with pytest.raises(Died):
        doubles(session)


def test_a_submission_has_an_end_as_well():
    limits = type(LIMITS)(**{**LIMITS.plain(), "submission_seconds": 1.0})
    with Zygote(limits, imports=("numpy",)) as zygote, zygote.session() as session:
        results = [session.run_cell("import time; time.sleep(0.4)") for _ in range(5)]
    assert [r.status for r in results[:2]] == ["ok", "ok"] and results[-1].status != "ok"
    assert session.seconds < 10


def test_short_cells_and_probes_do_not_go_on_when_the_submissions_time_is_over():
    """Each takes less than the grace in which an interrupted cell may end."""
    limits = dataclasses.replace(LIMITS, submission_seconds=0.5, grace_seconds=5)
    with Zygote(limits, **LIGHT) as zygote, zygote.session() as session:
        session.run_cell(HONEST)
        cells = [session.run_cell("import time; time.sleep(0.15); print('done')") for _ in range(9)]
        assert sum("done" in printed(cell) for cell in cells) <= 3
        assert cells[-1].status == "died" and "longer than 0.5 s" in cells[-1].reason
        with pytest.raises(Died, match="longer than 0.5 s"):
            doubles(session)
    with Zygote(limits, **LIGHT) as zygote, zygote.session() as session:
        session.run_cell(HONEST)
        with pytest.raises(TimedOut, match="longer than 0.5 s"):
            while doubles(session):
                pass


def test_what_prints_in_a_probe_is_not_shown_and_not_kept(session):
    session.run_cell(
        "import os\ndef double(x):\n    print('a' * 10**6)\n"
        "    os.write(2, b'b' * 10**6)\n    return 2 * x"
    )
    assert doubles(session) == 6
    assert session.run_cell("pass").outputs == []


def test_a_question_is_answered_by_the_grader(session):
    session.run_cell("def double(x):\n    return 0\ndef quadruple(x):\n    return 2 * double(x)")
    asked = []

    def ask(question):
        asked.append(question)
        return {"value": 2 * question["args"][0]}

    assert call(session, "quadruple", x=3.0)["value"]["value"] == 0
    seen = call(session, "quadruple", ask=ask, replace=["double"], x=3.0)
    assert seen["value"]["value"] == 12
    assert asked == [{"name": "double", "args": [3.0], "kwargs": {}}]
    assert doubles(session) == 0


def test_a_question_that_doesnt_fit_is_the_callers_error(session):
    session.run_cell("def double(x):\n    return 0\ndef quadruple(x):\n    return 2 * double(x, x)")

    def ask(question):
        raise TypeError("a secret detail")

    seen = call(session, "quadruple", ask=ask, replace=["double"], x=3.0)
    assert seen["error"]["type"] == "ValueError" and "secret" not in str(seen)
    assert doubles(session) == 0


def test_questions_without_end_cost_their_exercise_alone(session):
    session.run_cell("def double(x):\n    return 0\ndef f(x):\n    while True: double(x)")
    seen = call(session, "f", ask=lambda question: {"value": 0.0}, replace=["double"], x=3.0)
    assert "called too often" in seen["error"]["message"]
    assert doubles(session) == 0


def test_an_answer_that_is_too_large_costs_only_itself(session):
    session.run_cell("import numpy as np\ndef big(x):\n    return np.ones(3_000_000)")
    session.run_cell("def many(x):\n    return [[[1.0] * 50] * 50] * 50\n" + HONEST)
    seen = call(session, "big", x=1.0)["error"]
    assert seen["kind"] == "untold" and "too large" in seen["message"]
    assert call(session, "many", x=1.0)["value"]["length"] == 50
    assert doubles(session) == 6


def test_what_cannot_be_looked_at_costs_only_itself(session):
    session.run_cell(
        "class Odd:\n    def __getattr__(self, name):\n        raise SystemExit\n"
        "    def __len__(self):\n        raise SystemExit\n"
        "def odd(x):\n    return Odd()\ndef loop(x):\n    a = []\n    a.append(a)\n"
        "    a = a * 5000\n    a[0] = a\n    return a\n" + HONEST
    )
    assert "error" in session.probe("odd", {"probe": "call", "cases": [{"inputs": {"x": 1}}]}, 5)[0]
    assert call(session, "loop", x=1.0)["value"]["kind"] == "list"
    assert doubles(session) == 6


def test_an_unknown_name_or_probe_is_told(session):
    assert call(session, "nothing", x=1.0) == {"error": {"kind": "undefined"}}
    session.run_cell(HONEST)
    seen = session.probe("double", {"probe": "nonsense", "cases": []}, 5)
    assert seen[0]["error"]["type"] == "KeyError"


def test_allowed_files_lie_beside_the_notebook_and_no_others(session):
    files = {"data.csv": b"1,2\n", "helper.py": b"x = 7\n"}
    with open_session(code="", allowed_files=files) as other:
        result = other.run_cell("import helper\nprint(open('data.csv').read(), helper.x)")
        assert printed(result) == "1,2\n 7\n"
        there = other.run_cell("import os; print(sorted(os.listdir('.')))")
        assert printed(there) == "['data.csv', 'helper.py']\n"
    assert session.run_cell("import helper").status == "error"


def test_a_regrade_draws_the_same_random_numbers_and_another_seed_others():
    draw = "import random, torch, numpy as np\n"
    draw += "print(random.random(), np.random.rand(), torch.rand(1).item(), hash('a'))"
    drawn = []
    for seed in (0, 0, 1):
        with open_session(seed=seed) as session:
            drawn.append(printed(session.run_cell(draw)))
    assert drawn[0] == drawn[1] != drawn[2] and drawn[0]


def test_messages_of_the_course_come_in_the_submissions_language():
    with open_session(code="", language="es") as session:
        result = session.run_cell("import policy_gradients as pg; print(pg.i18n.language())")
    assert printed(result) == "es\n"


def test_peak_memory_is_the_growth_of_this_submission():
    with open_session() as idle, open_session() as busy:
        idle.run_cell("pass")
        busy.run_cell("import numpy as np\nx = np.ones(200 << 17)\ndel x")
        small, large = idle.close(), busy.close()
    assert small.peak_mb < 100 and 180 < large.peak_mb - small.peak_mb < 260
    assert small.exit_reason == large.exit_reason == ""


def test_two_sessions_at_once_keep_apart():
    with open_session(code="") as one, open_session(code="") as two:
        one.run_cell("x = 1")
        two.run_cell("x = 2")
        assert [printed(s.run_cell("print(x)")) for s in (one, two)] == ["1\n", "2\n"]


def test_waiting_for_a_slow_cell_costs_the_grader_nothing():
    with open_session(code="") as session:
        before = time.process_time()
        session.run_cell("import time; time.sleep(1)")
        assert time.process_time() - before < 0.5
