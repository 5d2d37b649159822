"""What a command loads and what a submission gets: nothing heavy before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import UnsafeZygote, Zygotes, zygote
from grader.sandbox.zygote import uses_figures, uses_torch
from tests.sandboxes import LIMITS, WARM_TOGETHER, needs_walls, printed

ROOT = Path(__file__).resolve().parents[1]


def loaded_after(code):
    """Which heavy modules a fresh interpreter has loaded after running this code."""
    heavy = ("numpy", "torch", "matplotlib.figure", "nbgrader", "nbformat")
    code += f"\nimport sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return ast.literal_eval(run.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import grader.__main__; from grader.lms import download", []),
        ("import policy_gradients, grader", []),
        ("import grader.executor.worker", ["numpy"]),
        ("from grader.checks.registry import get; get('gradient_samples')", ["numpy"]),
        ("from grader.checks.registry import get; get('ppo_clip_loss')", ["numpy", "torch"]),
        (
            (
                "from grader.checks.judge import run_check\n"
                "from grader.checks.lesson_02 import EXERCISES\n"
                "from grader.probes import runtime\n"
                "for one in EXERCISES:\n"
                "    answer = {one.name: lambda *given, **named: given[0]}\n"
                "    probe = lambda request, ask: runtime.run(answer, one.name, request, ask)\n"
                "    assert not run_check(one, probe, 0).passed"
            ),
            ["numpy"],
        ),
        (
            (
                "from grader.probes import runtime\n"
                "request = {'probe': 'call', 'cases': [{'inputs': {'x': 1.0}}]}\n"
                "assert 'value' in runtime.run({'f': abs}, 'f', request)[0]"
            ),
            ["numpy"],
        ),
        (  # an earlier exercise that was wrong gives way to the grader's answer
            (
                "from grader.probes import runtime\n"
                "answers = {'f': lambda x: answers['g'](x) + 1, 'g': abs}\n"
                "request = {'probe': 'call', 'cases': [{'inputs': {'x': 1.0}}], 'replace': ['g']}\n"
                "seen = runtime.run(answers, 'f', request, lambda question: {'value': 5.0})\n"
                "assert seen[0]['value']['value'] == 6.0"
            ),
            ["numpy"],
        ),
    ],
)
def test_heavy_libraries_are_loaded_on_first_use_only(code, loaded):
    assert loaded_after(code) == loaded


def test_a_process_that_imports_nbformat_builds_no_parser():
    code = "import nbformat, sys; assert 'lark' not in sys.modules"
    assert loaded_after(code) == ["nbformat"]


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("import numpy as np", False),
        ("import torch", True),
        (b"from torch import nn", True),
        ("policy = pg.TabularPolicy(2, 2)", True),
        ("net = pg.MLP(4, 2)", True),
        ("pg.exact.objective(env, policy)", False),
    ],
)
def test_who_names_torch_gets_it(text, needed):
    assert uses_torch(text) == needed


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("import numpy as np", False),
        ("import matplotlib.pyplot as plt", True),
        (b"pg.plots.corridor()", True),
        ("%config InlineBackend.figure_format = 'retina'", True),
        ("def softmax(logits): ...", False),
    ],
)
def test_who_draws_gets_matplotlib(text, needed):
    assert uses_figures(text) == needed


LOADED = """
import sys
print(*[name for name in ("matplotlib", "torch") if name in sys.modules])
"""
DRAW = "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()"


def test_a_submission_gets_the_least_process_that_has_what_it_names(monkeypatch):
    running = set()
    monkeypatch.setattr(zygote, "_cache", {})  # no other test's processes
    monkeypatch.setattr(UnsafeZygote, "alive", lambda self: self in running)
    of = Zygotes(LIMITS, unsafe=True).of
    light, drawing, full = (of(text) for text in ("import numpy", DRAW, "import torch"))
    kinds = zygote.LIGHT, zygote.DRAWING, zygote.LIBRARIES
    assert (light.imports, drawing.imports, full.imports) == kinds
    running |= {full}
    assert of("") is of(DRAW) is full, "one that runs serves everybody"
    running |= {drawing}
    assert of("") is of(DRAW) is drawing, "one that runs serves those below it"
    assert of("import torch") is full
    running |= {light}
    assert of("") is light and of(DRAW) is drawing and of("import torch") is full


@needs_walls
@WARM_TOGETHER
def test_a_process_has_what_its_submission_names_and_no_more():
    light, drawing, full = (
        zygote.zygote_for(LIMITS, True, kind)
        for kind in (zygote.LIGHT, zygote.DRAWING, zygote.LIBRARIES)
    )
    with light.session() as session:
        assert printed(session.run_cell(LOADED)) == "\n"
        # Somebody hid the name: it is there all the same, only not in memory yet.
        assert session.run_cell("import torch; torch.zeros(2)").status == "ok"
        assert session.run_cell("import policy_gradients as pg; pg.MLP").status == "ok"
        assert session.run_cell(DRAW).status == "ok"
    with drawing, drawing.session() as session:
        assert printed(session.run_cell(LOADED)) == "matplotlib\n"
        assert session.run_cell(DRAW).status == "ok"
    with full.session() as session:
        assert printed(session.run_cell(LOADED)) == "matplotlib torch\n"
