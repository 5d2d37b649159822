"""No text that a learner reads goes past the catalogues: a language of marks shows each that does.

In that language every message is itself between ⟦ and ⟧, what is put in for {placeholders} left
outside. What a check, a page or a figure then shows outside the marks never saw a catalogue, so it
would stay English in Spanish. Only names may stand there.
"""

import ast
import io
import json
import os
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from matplotlib.figure import Figure
from matplotlib.text import Text

import policy_gradients as pg
from bank import load
from bank.judge import told
from grader.__main__ import main
from grader.checking import Case, FunctionExercise, Mistake, error_problem
from grader.checking.kinds import Array, Mismatch, TensorOf
from grader.checking.verdict import Problem, Verdict
from grader.checks.judge import run_check
from grader.checks.registry import get, registry
from grader.course.notes import Refused
from grader.grading import autograde
from grader.intake.document import read_document
from grader.intake.folder import collect
from grader.marking.suspicions import PATTERNS, suspicions_in
from grader.probes import runtime
from grader.records.gradebook import Record
from grader.records.outcome import (
    BLANK,
    FAILED,
    GRADED,
    NOT_RUN,
    NOTED,
    PASSED,
    REFUSED,
    STOPPED,
    WAITING,
    WRONG,
    Mark,
    Outcome,
)
from grader.reports import class_page, student_page
from grader.student import progress
from policy_gradients import i18n
from tests.publishing import messages

ROOT = Path(__file__).parents[1]
PLACEHOLDER = re.compile(r"(\{\w*(?:![rsa])?(?::[^{}]*)?\})")
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
EDGES = "()[]{}<>.,:;\"'`!?✓✗≠|=·–-*#"
# softmax(logits=..., pg.envs.Grid, and the names of mistakes: softmax-axis.
CODE = re.compile(r"[_=()\[\]{}/\\.@\d]|^[a-z]+(-[a-z]+)+$")
# The names that may stand outside the marks without looking like code.
NAMES = {
    "None", "True", "False", "nan", "inf", "np", "list", "tuple", "object",  # Python, NumPy
    "generator", "ValueError",
    "adv", "logits", "logp", "values", "returns", "theta", "rng", "kl", "gamma",  # arguments
    "env", "optimizer", "critic",
    "temperature",  # a bug's name
    "CartPole", "Rollout", "obs", "policy", "tensor", "Grid", "Ring",  # of the helper package
    "pits",
    "GAE", "KL", "PPO", "clip", "log", "best", "nats", "AND",
    "above", "below", "inside", "moves", "zero",  # the case table's own code
    "ada", "ben", "cora", "dan", "eva", "fred", "gus",  # students of this file
    "the", "cat", "dog", "sleeps", "barks",  # words of the tiny language
}  # fmt: skip


def marked(message):
    """The message in the language of marks."""
    parts = PLACEHOLDER.split(message)
    return "".join(p if PLACEHOLDER.fullmatch(p) or not p.strip() else f"⟦{p}⟧" for p in parts)


def unmarked(text, names=NAMES):
    """The words outside the marks that are neither code nor among the names."""
    while MARKED.search(text):
        text = MARKED.sub(" ", text)
    text = re.sub(r"\$[^$]*\$", " ", text)
    words = [word.strip(EDGES) for word in text.split()]
    plain = [w for w in words if re.search(r"[^\W\d_]{2}", w) and not CODE.search(w)]
    return [word for word in plain if word not in names and word not in registry()]


def assert_marked(text, *names):
    assert not unmarked(text, NAMES | set(names)), f"{unmarked(text)} in: {text}"
    assert "⟦" in text, text


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """The folder of a catalogue in which "es" is the language of marks."""
    catalogue, packed = Catalog(locale="es"), io.BytesIO()
    for text in messages():
        catalogue.add(text, marked(text))
    write_mo(packed, catalogue)
    folder = tmp_path_factory.mktemp("marks")
    place = folder / "es" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "messages.mo").write_bytes(packed.getvalue())
    return folder


@pytest.fixture(autouse=True)
def language_of_marks(catalogue, monkeypatch):
    monkeypatch.setattr(i18n, "_LOCALES", (catalogue,))
    monkeypatch.delenv("COURSE_LANGUAGE", raising=False)
    i18n.set_language("es")
    yield
    i18n.set_language(None)


# The check finds what it should -----------------------------------------------------------------


def test_words_outside_the_marks_are_found():
    assert marked("step {n} of {m:>4}") == "⟦step ⟧{n}⟦ of ⟧{m:>4}"
    assert unmarked("⟦at least ⟧softmax(logits=[0, 1]) 3.5 ✓ train_ppo x") == []
    assert unmarked("⟦hint⟧ Look at (the) sign.", set()) == ["Look", "at", "the", "sign"]
    assert unmarked("⟦a ⟦nested⟧ message⟧ outside") == ["outside"]


def test_an_unmarked_hint_is_found():
    exercise = FunctionExercise(
        "double",
        lambda rng: [Case({"x": np.ones(2)})],
        truth=lambda x: 2 * x,
        mistakes=(Mistake("half", "Halved it went, not doubled.", like=lambda x: x / 2),),
    )
    verdict = judged(exercise, lambda x: x / 2)
    assert verdict.mistake == "half"
    assert unmarked(verdict.text()) == ["double", "Halved", "it", "went", "not", "doubled"]


def test_an_unmarked_label_and_an_unmarked_page_are_found(monkeypatch):
    monkeypatch.setattr(pg.plots.maps, "_", lambda message: message)
    assert unmarked(drawn(lambda: pg.plots.values(pg.envs.Grid(), np.zeros(16)), monkeypatch))
    monkeypatch.setitem(student_page.SAID, "total", "{score} points out of {most}")
    assert {"points", "out", "of"} <= set(unmarked(shown(a_feedback_page())))


# Checks -----------------------------------------------------------------------------------------

# A function, a gradient, rules over rollouts, a loss, a question, a table, training.
EXERCISES = (
    "softmax",
    "grad_log_prob",
    "rollout",
    "td_errors",
    "ppo_clip_loss",
    "minibatches",
    "completion_mask",
    "case_table",
    "q_all_positive",
    "bug_hunt",
)
TRAINING = (
    "train_reinforce-wrong-no_history",
    "train_reinforce-wrong-uphill",
    "train_reinforce-wrong-argmax",
    "train_reinforce-wrong-one_episode_each",
)
# Where a check quotes an answer's own words, these are the student's.
BANK = [e for e in load() if e.exercise in EXERCISES or e.id in TRAINING]
BANK = [e for e in BANK if e.label != "own_words"]


def judged(exercise, answer):
    def probe(request, ask):
        return runtime.run({exercise.name: answer}, exercise.name, request, ask)

    return run_check(exercise, probe, 0)


@pytest.mark.parametrize("entry", BANK, ids=lambda entry: entry.id)
def test_what_a_check_says(entry):
    verdict, _mistake = told(entry, 0)
    if verdict.step == "runs" and verdict.problem.got.split(":")[0].endswith("Error"):
        # What Python says of an error is not ours to translate; the rest is.
        verdict = Verdict(
            verdict.exercise, False, 1, Problem(step="runs", hint=verdict.problem.hint)
        )
    letters = [str(entry.answer)] if entry.exercise.startswith("q_") else []
    if entry.label == "one_written_over":  # names an entry by its arguments
        letters += ["state", "action"]
    assert_marked(verdict.text(), *letters)
    assert_marked(shown(verdict.html()), *letters)


@pytest.mark.parametrize("name", [*EXERCISES, "train_reinforce"])
def test_what_a_check_says_of_a_stub(name):
    def stub(*_args, **_kwargs):
        raise NotImplementedError

    answer = None if name.startswith("q_") or name in ("case_table", "bug_hunt") else stub
    assert_marked(judged(get(name), answer).text(), "stub")


def test_what_a_check_says_where_nothing_can_be_read():
    undefined = run_check(get("softmax"), lambda *_: runtime.run({}, "softmax", *_), 0)
    assert_marked(undefined.text())
    for reply in (None, [], [{"error": {"kind": "slow"}}], [{"value": 3}]):
        assert_marked(get("softmax").judge([Case({})], reply).text(), "KeyError", "TypeError")
    assert_marked(error_problem({"bases": ["NotImplementedError"]}, "").got)
    with pytest.raises(KeyError) as unknown:
        get("sofmax")
    assert_marked(str(unknown.value), "sofmax")
    assert_marked(run_check(get("softmax"), lambda *_: [{}], 0, {"softmax"}).text())


def test_odd_results_in_words():
    odd = [np.array(["a"], object), np.zeros(10**7), torch.zeros(10**7), "x", None, {1: 2}, [1, 2]]
    for kind in (Array(), TensorOf("float32")):
        for value in odd:
            request = {"probe": "call", "cases": [Case({}).request()]}
            seen = runtime.run({"f": lambda value=value: value}, "f", request)[0]["value"]
            with pytest.raises(Mismatch) as told_so:
                kind.arrays(seen)
            assert not unmarked(told_so.value.got, NAMES | {"'x'"})
            assert_marked(told_so.value.expected)


# Pages ------------------------------------------------------------------------------------------


class Shown(HTMLParser):
    """What a reader sees or hears of a page: its text, and the words of attributes."""

    def __init__(self):
        super().__init__()
        self.parts, self.hidden, self.language = [], False, None

    def handle_starttag(self, tag, attrs):
        self.hidden = tag == "style"
        attributes = dict(attrs)
        self.language = attributes.get("lang", self.language)
        self.parts += [attributes.get(name) or "" for name in ("alt", "title", "aria-label")]

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)


def shown(page):
    reader = Shown()
    reader.feed(page)
    return "\n".join(reader.parts)


def some_marks():
    """A mark of each kind, as grading makes them."""
    right, wrong = Verdict("softmax", True, 3), judged(get("softmax"), lambda logits: logits)
    late = Verdict(
        "entropy", False, 0, Problem(step=NOT_RUN, hint=i18n._("it printed without end"))
    )
    found = [(right, PASSED), (wrong, WRONG), (late, NOT_RUN)]
    return [
        *(mark_of(*pair) for pair in found),
        Mark("q_free", 0.0, 1.0, BLANK),
        Mark("q_text", None, 1.0, WAITING),
    ]


def mark_of(verdict, word):
    lines = tuple(verdict.lines())
    got = verdict.problem.got if verdict.problem else ""
    return Mark(verdict.exercise, 0.0, 2.0, word, verdict.mistake, verdict.headline(), lines, got)


def an_outcome(status=GRADED, **more):
    notes = _refusals() + _notes()
    cells = [
        {
            "cell_type": "markdown",
            "id": "a",
            "source": "x = 1",
            "attachments": {"p": {"t": "d"}},
            "metadata": {"policy_gradients": {"kind": "free"}, "nbgrader": {"grade_id": "q_text"}},
        },
        {
            "cell_type": "code",
            "id": "b",
            "source": "x = 1",
            "outputs": [],
            "metadata": {"policy_gradients": {"kind": "extra"}},
        },
    ]
    return Outcome(
        status,
        notes,
        some_marks(),
        notes=notes,
        language="es",
        seconds=1.0,
        notebook={"cells": cells},
        **more,
    )


def a_feedback_page():
    given = {"q_free": (1.0, "2 / 3")}
    return student_page.page_of("ada", an_outcome(), "01_tiny", given, unsafe=True)


def _refusals():
    """The reasons of notebooks that can't be read."""
    deep = "[" * 200 + "]" * 200
    files = [
        b"",
        b"\xff\xfe\xff",
        b"{",
        b"[]",
        b'{"nbformat": 5}',
        b'{"nbformat": 4}',
        json.dumps({"nbformat": 4, "cells": [{}] * 3000}).encode(),
        deep.encode(),
        b"[" + b"," * 2_000_001 + b"]",
    ]
    found = []
    for data in files:
        with pytest.raises(Refused) as refused:
            read_document(data)
        found.append(refused.value.note)
    return found


def _notes():
    odd = {"nbformat": 3, "worksheets": [{"cells": [5]}], "metadata": {"kernelspec": {"name": "r"}}}
    return read_document(b"\xef\xbb\xbf" + json.dumps(odd).encode()).notes


def test_the_feedback_page():
    page = a_feedback_page()
    assert_marked(shown(page))
    reader = Shown()
    reader.feed(page)
    assert reader.language == "es"


def test_the_report(monkeypatch):
    monkeypatch.setattr(class_page, "told", lambda ledger: [])

    class Ledger:
        def by_hand(self):
            return {}

        def states(self):
            found = suspicions_in(
                SimpleNamespace(
                    cells=[
                        SimpleNamespace(text=text, written=True, cell_type="code")
                        for text in (
                            "set_custom_exc()",
                            "'gradebook/'",
                            "subprocess.run",
                            "http.client",
                            "open('/proc')",
                            "ctypes.c",
                            "gc.get_x",
                            "run_check()",
                            "signal.x",
                        )
                    ]
                )
            )
            assert len(found) == len(PATTERNS)
            statuses = GRADED, NOTED, STOPPED, REFUSED, FAILED
            students = "ada", "ben", "cora", "dan", "eva"
            for student, status in zip(students, statuses, strict=True):
                outcome = an_outcome(status, suspicions=found)
                yield Record(student, "01_tiny", "", outcome, unsafe=student == "ada")
            unsolved = Mark("softmax", 0.0, 2.0, "failed", "not-written")
            yield Record("fred", "01_tiny", "", Outcome(GRADED, marks=[unsolved]))

    page = class_page.page(Ledger())
    assert_marked(shown(page), "step:value", "set_custom_exc")
    reader = Shown()
    reader.feed(page)
    assert reader.language == "es"
    for picture in (
        class_page.figures.histogram([1, 2], 3),
        class_page.figures.rates({"softmax": 0.5}),
    ):
        assert_marked(shown(picture), "softmax")


def test_what_is_said_of_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.py").symlink_to("/etc")
    (tmp_path / "numpy.py").write_text("")
    (tmp_path / "x.ipynb").write_text("{}")
    found = collect(tmp_path, "01_tiny")
    for note in (*found.notes, *found.suspicions):
        assert_marked(str(note), "pipe")
    (tmp_path / "y.ipynb").symlink_to("/etc")
    for lesson in ("y", "z"):
        (tmp_path / "w.ipynb").write_text("{}")
        with pytest.raises(Refused) as refused:
            collect(tmp_path, lesson)
        assert_marked(str(refused.value))


def test_the_progress():
    words = judged(get("softmax"), lambda logits: logits).problem.hint
    items = [progress.Item("softmax", 2.0, True), progress.Item("entropy", 1.0, False, words)]
    begun = progress.LessonProgress("01_x", "01", Path("x"), items, (1, 2), 3.0, True)
    done = progress.LessonProgress("02_x", "02", Path("y"), items[:1], begun=True)
    new = progress.LessonProgress("03_x", "03", Path("z"), items[1:])
    for lessons in ([begun, done, new], [done], [new]):
        page = progress.Progress(Path(), lessons)
        assert_marked(page.text())
        assert_marked(shown(page.html()))
    quiet = progress.Item("entropy", 1.0)
    one = progress.LessonProgress("04_x", "04", Path("z"), [quiet])
    assert_marked(progress.Progress(Path(), [one]).text())


def test_the_command_line(tmp_path, capsys):
    counts = Counter({GRADED: 3, NOTED: 1, STOPPED: 1, REFUSED: 1, FAILED: 1})
    assert_marked(autograde.total_words(counts))
    lines = io.StringIO()
    watch = autograde.watch_lines(lines)(7)
    for status in counts:
        watch("ada", "01_tiny", an_outcome(status))
    watch("ada", "01_tiny", None)
    assert_marked(lines.getvalue())
    assert lines.getvalue().count("\n") == 6
    assert main(["progress", "--notebooks", str(tmp_path)]) == 1
    assert main(["report", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 2
    assert_marked(said.err.replace(str(tmp_path), ""))


# The helper package -----------------------------------------------------------------------------

CORRIDOR = pg.envs.Corridor
CELLS = CORRIDOR().num_states
TABLE = np.full((CELLS, 2), 0.5)
ERRORS = {
    "trajectory": lambda: pg.Trajectory([0], [1, 2], [3]),
    "rollout": lambda: pg.Rollout(*[np.zeros((2, 2))] * 7, np.zeros(3)),
    "early step": lambda: CORRIDOR().step(0),
    "no action": lambda: started(CORRIDOR()).step(7),
    "odd action": lambda: started(CORRIDOR()).step("x"),
    "state": lambda: CORRIDOR().reset(options={"state": 99}),
    "means": lambda: pg.envs.Bandit(means=[[1.0]]),
    "contexts": lambda: pg.envs.ContextualBandit(means=[1.0]),
    "slip": lambda: pg.envs.Grid(slip=2),
    "goal": lambda: pg.envs.Grid(goal=(9, 9)),
    "way": lambda: pg.envs.Grid(max_steps=1),
    "pit": lambda: pg.envs.Grid(pits=[(0, 0)]),
    "ring": lambda: pg.envs.Ring(pay=[1.0]),
    "order": lambda: pg.envs.Ring(action_order=(0, 0)),
    "mode": lambda: pg.envs.Grid(render_mode="loud"),
    "carts": lambda: pg.envs.VectorCartPole(0),
    "cart's step": lambda: started(pg.envs.VectorCartPole(1)).step([5]),
    "signs": lambda: pg.envs.VectorCartPole(1, obs_signs=(2, 1, 1, 1)),
    "tokens": lambda: pg.envs.TokenEnv(max_length=0),
    "policy": lambda: pg.exact.state_values(CORRIDOR(), np.zeros((CELLS, 2))),
    "shape": lambda: pg.exact.state_values(CORRIDOR(), np.zeros(5)),
    "estimator": lambda: pg.exact.gradient_moments(CORRIDOR(), TABLE, "best"),
    "lam": lambda: pg.exact.gradient_moments(CORRIDOR(), TABLE, "gae", values=np.zeros(CELLS)),
    "no lam": lambda: pg.exact.gradient_moments(CORRIDOR(), TABLE, "return", lam=1.0),
    "baseline": lambda: pg.exact.gradient_moments(
        CORRIDOR(), TABLE, "baseline", baseline=np.zeros(3)
    ),
    "many": lambda: list(pg.exact.enumerate_trajectories(CORRIDOR(), TABLE, max_count=2)),
    "kl": lambda: pg.exact.kl(TABLE, np.zeros((3, 2))),
    "language": lambda: pg.language.Language(names=("is",)),
    "large language": lambda: pg.language.large().tree(),
    "map": lambda: pg.plots.trajectory(pg.envs.Bandit(), None),
    "strip": lambda: pg.plots.token_strip(["x"], [1.0, 2.0]),
    "cloud": lambda: pg.plots.gradient_cloud([1.0], [2.0]),
    "runs": lambda: pg.stored_runs("loud"),
}


def raised(case):
    with pytest.raises((ValueError, TypeError, RuntimeError, FileNotFoundError)) as error:
        case()
    return str(error.value)


def started(env):
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_the_helper_package(name):
    names = "means", "rewards", "truncated", "baseline", "loud", "gae", "lam", "return", "Bandit"
    stored = "beside", "contest", "placements", "practice"
    assert_marked(raised(ERRORS[name]), *names, *stored)


def test_no_two_of_these_errors_are_the_same():
    assert len({raised(case) for case in ERRORS.values()}) == len(ERRORS)


def test_no_error_of_the_helper_package_is_raised_with_a_bare_sentence():
    bare = []
    for path in sorted((ROOT / "policy_gradients").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                texts = [a for a in node.exc.args if isinstance(a, (ast.Constant, ast.JoinedStr))]
                bare += [
                    f"{path.name}:{node.lineno}"
                    for _text in texts
                    if node.exc.func.id != "AttributeError"
                ]
    assert bare == []


def test_words_of_environments():
    for name in (*pg.envs.Grid().action_names, *pg.envs.Ring().action_names):
        assert pg.tr(name) == f"⟦{name}⟧"
    env = pg.envs.TokenEnv()
    for state in (env.num_states - 2, env.num_states - 1):
        assert_marked(env.text(state))
    reasons = {r for words in ("cat sleeps", "sleeps cat cat") for r, _points in env.explain(words)}
    assert reasons and all(pg.tr(reason) == f"⟦{reason}⟧" for reason in reasons)


# Figures ----------------------------------------------------------------------------------------

# These make no words of their own.
NO_FIGURES = {
    "COLORS",
    "LINESTYLES",
    "MARKERS",
    "angles",
    "gauge_table",
    "gradient_plane",
    "new_axes",
    "use_style",
    "differences",  # writes no words of its own
    "sliders",
}


def clipped(logp, logp_old, adv, clip=0.2):
    ratio = torch.exp(logp - logp_old)
    return -torch.minimum(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()


def explored():
    words = {("below", "+"): "moves", ("above", "+"): "zero"}
    return pg.plots.ClipExplorer(clipped, lambda ratio, adv, clip: ratio * 0 + adv, words)


def figures():
    """name -> how to draw it, for each function of pg.plots that draws."""
    p, rng = pg.plots, np.random.default_rng(0)
    grid, corridor, tokens = pg.envs.Grid(), CORRIDOR(), pg.envs.TokenEnv()
    walk = pg.Trajectory([2, 1], [0, 0], [-0.1, -10.1])
    uniform = np.full((grid.num_states, 4), 0.25)
    x, two = np.arange(1.0, 9.0), rng.normal(size=(8, 2))
    runs = np.cumsum(rng.normal(size=(3, 8)), axis=1)
    gauges = {key: np.zeros(8) for key, _title, _limits in p.ppo.PANELS}
    tokens_gauges = {key: np.zeros(8) for key, _title, _limits in p.groups.PANELS}
    ended = np.array([[True, False], [False, False]])
    rollout = pg.Rollout(*[np.zeros((2, 2))] * 6, ended, ~ended)
    leash = {"score": x, "sensible": x / 9, "kl_reference": x, "kl_old": x[1:]}
    live = p.LivePanels(1, 8)
    live.rows = [dict.fromkeys(gauges, 0.5)] * 2
    return {
        "ClipExplorer": lambda: (explored().still(), explored().figure(1.4, "-")),
        "LivePanels": live.show,
        "angle_histogram": lambda: p.angle_histogram({"1": x * 20}),
        "bars": lambda: p.bars(["1", "2"], [3, 4], [3, 4]),
        "by_rate": lambda: p.by_rate([0.1, 0.2], {"1": runs[:2]}),
        "gauges": lambda: p.gauges({"1": x, "2": x}),
        "middle": lambda: p.middle(two, [1.0, 0.0], 2.0),
        "tuned": lambda: p.tuned({"1": [runs, runs]}, [0.1, 0.2], 1.0, "1"),
        "value_clip": lambda: p.value_clip(x, x, x, 1.0, 2.0, 0.5),
        "broken_runs": lambda: p.broken_runs({"A": gauges, "B": gauges}, gauges),
        "broken_token_runs": lambda: p.broken_token_runs({"A": tokens_gauges}, tokens_gauges),
        "beside": lambda: p.beside({"1": (x, runs)}),
        "contest": lambda: p.contest(x, {"1": runs}, {"1": two}, two.T, 1.0),
        "cosine_cloud": lambda: p.cosine_cloud(x, {"1": x / 9}),
        "drifts": lambda: p.drifts({"1": runs}),
        "prompt_weights": lambda: p.prompt_weights(x / 9, {"1": x}, {"2": (0.5, 1.0)}),
        "scattered_frontier": lambda: p.scattered_frontier({"1": two}, two.T),
        "bundle": lambda: p.bundle(runs.T, marked=0).legend(),
        "bundles": lambda: p.bundles({"1": runs.T, "2": runs.T}, "3", marked=0),
        "cart_clip": lambda: p.cart_clip([np.zeros((3, 4))], ["1"], frames=2),
        "claims": lambda: p.claims(x, x, x, x, two),
        "clip_curves": lambda: p.clip_curves(x, {1.0: x}),
        "cloud": lambda: p.cloud(two, [1, 1], 2),
        "convergence": lambda: p.convergence(x, [x, 2 * x]),
        "credit_strip": lambda: p.credit_strip(["left"], [1.0], [2.0]),
        "exact_and_measured": lambda: p.exact_and_measured(
            {"1": {"exact": (x, x), "measured": (x, x)}}, "2", "3"
        ),
        "frontier": lambda: p.frontier({0.1: (1.0, 2.0, 0.5)}, (x, x)),
        "gradient_cloud": lambda: p.gradient_cloud(two, [1, 1]),
        "gradients": lambda: p.gradients(["1"], [2.0], {"3": [2.0]}),
        "kl_estimates_figure": lambda: p.kl_estimates_figure(x, {"k1": x}, {"k1": np.ones((8, 3))}),
        "learning_curves": lambda: p.learning_curves({"1": runs}, 3.0, runs[0]),
        "leashes": lambda: p.leashes({"1": {0.1: (1.0, 1.0)}}, {"1": x}, x),
        "leashes_compared": lambda: p.leashes_compared({"1": leash}),
        "loss_and_return": lambda: p.loss_and_return(x, x),
        "mark_lowest": lambda: p.mark_lowest(p.convergence(x, x), 1, 1, "1"),
        "over_steps": lambda: p.over_steps(x, {"1": runs}, 3.0, live=(x, x)),
        "policy": lambda: (p.policy(grid, uniform), p.policy(pg.envs.Bandit(), np.ones((1, 3)))),
        "predictions": lambda: p.predictions([(["1", "2", "3", "4"], [0] * 3, [0, 1, 0])], 2),
        "probabilities": lambda: p.probabilities(np.ones((3, 2)), ["1", "2"]),
        "race": lambda: p.race({"1": runs, "2": runs}, 3.0, 1.0, "3"),
        "ratio_histograms": lambda: p.ratio_histograms(
            {1: x, 10: x}, {1: 0.5, 10: 0.5}, {1: 0.1, 10: 0.1}
        ),
        "returns": lambda: p.returns(x, 3.0),
        "rollout_board": lambda: p.rollout_board(rollout),
        "slider": lambda: p.slider(lambda ax, n: p.values(grid, np.zeros(16), ax=ax), [1, 2], "3"),
        "strip": lambda: p.strip(lambda ax, n: p.values(grid, np.zeros(16), ax=ax), [1, 2]),
        "token_strip": lambda: p.token_strip(["cat"], [1.0], [2.0], prompt="the"),
        "token_tree": lambda: p.token_tree(
            tokens, np.full((tokens.num_states, tokens.num_actions), 1 / tokens.num_actions)
        ),
        "training_panels": lambda: p.training_panels(gauges),
        "trajectory": lambda: (
            p.trajectory(corridor, walk, TABLE),
            p.trajectory(grid, pg.Trajectory([0], [1], [-0.1]), uniform),
        ),
        "values": lambda: p.values(grid, np.zeros(16)),
    }


def drawn(draw, monkeypatch):
    """All that is written on the figures which `draw` made, whether pyplot knows them or not."""
    figures, begin = [], Figure.__init__

    def noted(self, *args, **kwargs):
        figures.append(self)
        begin(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Figure, "__init__", noted)
        draw()
    written = []
    for figure in figures:
        # Ticks get their words when they are laid out; the place of a word is of no matter here.
        figure.set_layout_engine("none")
        figure.draw_without_rendering()
        written += [text.get_text() for text in figure.findobj(Text)]
    plt.close("all")
    return "\n".join(written)


def test_every_figure_is_looked_at():
    assert set(figures()) | NO_FIGURES == set(pg.plots.__all__)


@pytest.mark.parametrize("name", sorted(figures()))
def test_labels_of_figures(name, monkeypatch, capsys):
    assert_marked(drawn(figures()[name], monkeypatch))


def test_widgets():
    explorer = explored()
    bundle = explorer._repr_mimebundle_()
    assert_marked(bundle["text/plain"])
    row, words, _picture = explorer.widget.children
    assert_marked(words.value)
    assert_marked(row.children[0].description)
    for ratio, sign in ((0.5, "+"), (1.0, "-"), (1.5, "+")):
        assert_marked(explorer.words(ratio, sign))
    shown_instead = pg.plots.frames.Fallback()._repr_mimebundle_()["text/plain"]
    assert_marked(shown_instead)
