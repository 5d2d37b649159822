"""Further calls of a wrong answer: which input moves its result, and what a whole input's change
does, on toy exercises that list no mistake."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from grader.checking import Case, Expected, FunctionExercise, Number, Tensor, TensorOf
from grader.checking.relations import VAGUE
from grader.checking.relations.effects import Answer, effect_relations, in_proportion
from grader.checking.relations.symmetries import EFFECTS
from grader.checks.judge import run_check
from grader.checks.registry import get
from grader.marking.hidden import for_the_student
from grader.probes import runtime
from grader.probes.inputs import Trajectory
from grader.sandbox.errors import BadReply, Died
from tests.sandboxes import WARM_TOGETHER, needs_walls, open_session


def told(exercise, answer, asked=None):
    """(name, hint) of what the check says of the answer; asked: gets the number of cases of each
    time the answer was called."""

    def probe(request, ask):
        if asked is not None:
            asked.append(len(request["cases"]))
        return runtime.run({exercise.name: answer}, exercise.name, request, ask)

    verdict = run_check(exercise, probe, 0)
    return (verdict.mistake, verdict.problem.hint) if verdict.problem else (None, "")


def score(x, y, rate):
    """Of each place, a bent function of both arrays and of all that comes after it."""
    return np.tanh(x) * y**2 + rate * np.cumsum(np.cos(x[::-1]))[::-1]


def drawn(rng):
    sizes = (4, 5, 6, 7)
    rates = (0.3, 0.7, 0.4, 0.9)
    pairs = [(rng.normal(size=(2, n)), rate) for n, rate in zip(sizes, rates)]
    return [Case({"x": pair[0], "y": pair[1], "rate": rate}) for pair, rate in pairs]


SCORE = FunctionExercise("f", drawn, score)


def after(x, rate):
    return rate * np.cumsum(np.cos(x[::-1]))[::-1]


@pytest.mark.parametrize(
    ("answer", "name", "words"),
    [
        (
            lambda x, y, rate: np.tanh(x) * np.abs(y) ** 1.5 + after(x, 0.55),
            "input-without-effect",
            "when `rate` changes",
        ),
        (
            lambda x, y, rate: score(x, y, rate) + np.cos(x) * np.sin(np.sum(3 * y)),
            "effect-across-places",
            "`y` of other places",
        ),
        (
            lambda x, y, rate: score(x, np.where(np.arange(len(y)) == 1, 0.3, y), rate),
            "entries-without-effect",
            "`y` changes in the second place",
        ),
        (
            lambda x, y, rate: np.tanh(x) * y**2 * 1.3 + np.sin(rate) ** 2 * np.cos(x),
            "no-effect-across-places",
            "`x` of later steps",
        ),
        (
            lambda x, y, rate: score(x, y, rate) - 2.3 * np.sin(y),
            "effect-of-one-input",
            "`x`, `rate` count as they should; not so `y`",
        ),
    ],
)
def test_what_moves_a_wrong_result_is_told(answer, name, words):
    got, hint = told(SCORE, answer)
    assert (got, words in hint) == (name, True), hint


def test_an_input_that_should_not_move_the_result_is_told():
    def unused(rng):
        return [Case({"x": rng.normal(size=n), "y": rng.normal(size=n)}) for n in (4, 5, 6)]

    exercise = FunctionExercise("f", unused, lambda x, y: np.tanh(x) + 0 * y)
    got = told(exercise, lambda x, y: np.tanh(x) + 0.1 * np.sin(3 * np.sum(y) * x) ** 3)
    assert got == ("effect-of-other-input", "Your result changes with `y`; the right one doesn't.")


def test_where_a_right_result_may_move_no_input_is_called_foreign():
    """In the calls that were changed nothing should move; in others it should."""

    def far_and_near(rng):
        return [Case({"x": rng.normal(size=n) + level}) for n, level in ((4, 9), (5, 9), (90, 0))]

    exercise = FunctionExercise("f", far_and_near, lambda x: np.minimum(x, 2) + 0.0)
    name, _hint = told(exercise, lambda x: np.where(x > 2, 2 + np.sin(x * x) ** 2 / 9, x))
    assert name != "effect-of-other-input"


def variance_cases(rng):
    return [Case({"x": rng.normal(size=(n, 2)) * n}) for n in (4, 5, 6, 7)]


SPREAD = FunctionExercise("f", variance_cases, lambda x: float(np.var(x)), kind=Number())


@pytest.mark.parametrize(
    ("answer", "name", "words"),
    [
        (
            lambda x: float(np.abs(x - x.mean()).sum() ** 0.7 * np.abs(x).max() ** 1.3 + 1),
            "when-repeated",
            "the right result stays as it is; yours doesn't follow",
        ),
        (
            lambda x: float(np.sum((x - x[0]) ** 2) / 4),
            "when-repeated",
            "the right result stays as it is; yours is doubled",
        ),
        (
            lambda x: float(3 * np.std(x) + x[0, 0]),
            "when-raised",
            "the right result stays as it is; yours grows by that number",
        ),
        (
            lambda x: float(np.var(x) + (x[0, 0] - x[1, 1]) ** 2),
            "when-reordered",
            "With all rows (or entries) in another order, the right result stays as it is",
        ),
        (
            lambda x: float(np.abs(x - x.mean()).mean() + np.std(x)),
            "when-doubled",
            "the right result is four times as large; yours is doubled",
        ),
    ],
)
def test_what_a_whole_input_does_is_told(answer, name, words):
    got, hint = told(SPREAD, answer)
    assert (got, words in hint) == (name, True), hint


def test_two_inputs_that_belong_together_are_raised_together():
    def pairs(rng):
        return [Case({"x": rng.normal(size=n), "y": rng.normal(size=n)}) for n in (4, 5, 6)]

    exercise = FunctionExercise("f", pairs, lambda x, y: np.exp(x - y) * (x - y) ** 2)
    name, hint = told(exercise, lambda x, y: np.exp(x - y) * (x - 1.3 * y) ** 2 + 0.2 * x * y)
    assert name == "when-raised" and "all of `x` and `y`" in hint


def test_trajectories_in_another_order_and_twice_are_told():
    def one(rng, n):
        return Trajectory(np.arange(n), np.arange(n) % 2, rng.normal(size=n))

    def lists(rng):
        return [Case({"ts": [one(rng, n) for n in lengths]}) for lengths in ((2, 3), (3, 5, 4))]

    def best(ts):
        return float(np.exp(np.mean([np.sin(t.rewards).sum() for t in ts])))

    exercise = FunctionExercise("f", lists, best, kind=Number())

    def weighed(ts):
        return float(np.exp(sum(np.sin(t.rewards).sum() / (k + 2) for k, t in enumerate(ts))))

    name, hint = told(exercise, weighed)
    assert name == "when-reordered" and hint.startswith("With `ts` in another order")


def test_what_is_kept_between_calls_is_told():
    count = []

    def counting(x, y, rate):
        count.append(1)
        return score(x, y, rate) + 0.01 * len(count) ** 1.5 * np.sin(9 * x)

    assert told(SCORE, counting)[0] == "differs-each-time"


def test_a_root_of_the_whole_is_told():
    """What came is a bent function of the right number, another one in each call."""
    rows = []
    for base, case in enumerate(SPREAD.cases(np.random.default_rng(0))[:2]):
        x = case.inputs["x"]
        for at in np.ndindex(x.shape):
            changed = x.copy()
            changed[at] *= 1.05
            pairs = [(np.array(np.var(a) ** 0.6 + base), np.array(np.var(a))) for a in (x, changed)]
            rows.append(Answer(base, "entry", "x", at, {"x": changed}, *pairs))
    assert in_proportion(rows).name == "effects-in-proportion"
    turned = [
        replace(one, before=(-one.before[0], one.before[1]), after=(-one.after[0], one.after[1]))
        for one in rows
    ]
    assert in_proportion(turned) is None
    names = [one.name for one in effect_relations(turned, lambda *_: True)]
    assert names[0] == "effect-turned"


def test_a_gradient_that_moves_with_the_wrong_input_is_told():
    def cases(rng):
        return [
            Case({"x": Tensor(rng.normal(size=n), grad=True), "y": Tensor(rng.normal(size=n))})
            for n in (4, 5, 6)
        ]

    def truth(x, y):
        return Expected((np.sin(x) * y).sum(), {"x": np.cos(x) * y})

    exercise = FunctionExercise("f", cases, truth, kind=TensorOf())

    def odd(x, y):
        right = (torch.sin(x) * y).sum()
        bent = (x - x.detach()) * torch.cos(x.detach()) * (y + y.flip(0) ** 3)
        return right.detach() + bent.sum()

    name, hint = told(exercise, odd)
    assert name == "effect-across-places"
    assert hint.startswith("Of the gradient with respect to x: ") and "`y` of other places" in hint


def test_right_answers_are_asked_nothing_more():
    asked = []
    assert told(SCORE, score, asked) == (None, "") and asked == [4]
    asked.clear()
    assert told(SCORE, lambda x, y, rate: -score(x, y, rate), asked)[0] == "other-sign"
    assert asked == [4]  # nor is who was told already


def test_answers_of_any_structure_leave_the_verdict_as_it_is():
    """A hostile process may reply anything to the further calls."""
    for reply in ([], [{}], [{"value": 3}] * 500, [{"value": {"kind": "array"}}] * 9):
        calls = []

        def probe(request, ask, reply=reply, calls=calls):
            calls.append(request)
            wrong = {"f": lambda x, y, rate: np.sin(99 * score(x, y, rate)) * 7}
            return runtime.run(wrong, "f", request, ask) if len(calls) == 1 else reply

        verdict = run_check(SCORE, probe, 0)
        assert not verdict.passed and len(calls) == 2 and verdict.step == "value"


@pytest.mark.parametrize("name", ["normalize_advantages", "grpo_advantages"])
@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ([{"error": {"kind": "slow"}}], "too-slow"),
        ([], ""),
        ([{"value": {"kind": "array"}}] * 40, ""),
    ],
)
def test_a_choice_that_is_left_open_is_judged_whatever_came_back(name, seen, told):
    def probe(request, ask):
        return seen[: len(request["cases"])]

    verdict = run_check(get(name), probe, 0)
    assert not verdict.passed and verdict.mistake == told


@pytest.mark.parametrize("error", [BadReply("too large"), Died("killed")])
def test_a_process_that_ends_in_further_calls_leaves_the_verdict_as_it_is(error):
    calls = []

    def probe(request, ask):
        calls.append(request)
        if len(calls) > 1:
            raise error
        wrong = {"f": lambda x, y, rate: np.sin(99 * score(x, y, rate)) * 7}
        return runtime.run(wrong, "f", request, ask)

    verdict = run_check(SCORE, probe, 0)
    assert len(calls) == 2 and verdict.step == "value" and not verdict.passed


def test_a_choice_that_is_left_open_is_asked_by_the_nearest_truth():
    """Of an exercise with several truths, the one that the answer agrees with most."""
    exercise = get("grpo_advantages")
    assert type(exercise).__name__ == "AnyTruth"

    def odd(scores, groups, divide=True, eps=1e-4):
        adv = torch.zeros_like(scores)
        for g in groups.unique():
            own = groups == g
            s = scores[own]
            if s.min() < s.max():
                c = s - s.mean()
                adv[own] = c / (s.std() + eps) * (1 + 0.3 * torch.tanh(c * c)) if divide else c
        return adv

    name, hint = told(exercise, odd)
    assert name and not name.startswith("step") and hint


def test_effects_are_told_apart():
    """No effect's rule fits another's result."""
    before = np.array([1.0, -2.0, 4.5])
    for at, (_right, _yours, effect) in enumerate(EFFECTS):
        others = [other(before) for n, (_r, _y, other) in enumerate(EFFECTS) if n != at]
        made = effect(before)
        assert not any(o.shape == made.shape and np.allclose(o, made) for o in others)


def test_further_calls_of_a_slow_answer_are_given_up_soon():
    """A hundred calls of a slow one would take longer than its check."""
    requests = []

    def probe(request, ask):
        requests.append(request)
        wrong = {"f": lambda x, y, rate: np.sin(99 * score(x, y, rate)) * 7}
        if len(requests) == 1:
            return runtime.run(wrong, "f", request, ask)
        return [{"error": {"kind": "slow"}}]

    verdict = run_check(SCORE, probe, 0)
    assert requests[0]["seconds"] == SCORE.seconds and requests[1]["seconds"] == 1.0
    assert verdict.step == "value" and not verdict.passed


def test_a_call_of_many_numbers_is_never_changed():
    """Its truth may take seconds, for each of a hundred changes."""

    def long_ones(rng):
        return [Case({"x": rng.normal(size=n)}) for n in (3, 4, 5000)]

    exercise = FunctionExercise("f", long_ones, lambda x: np.tanh(x))
    asked = []
    told(exercise, lambda x: np.tanh(x) + (len(x) > 9) * np.sin(np.cumsum(x) ** 2), asked)
    assert asked == [3]


def best_of_a_grid(scores, returns):
    grid = np.linspace(-3, 3, 7)
    return float(min(grid, key=lambda b: ((scores * (returns - b)[:, None]) ** 2).sum()))


def cut_to_integers(ratio, adv, clip=0.2):
    return np.minimum(ratio * adv, np.clip(ratio, 1 - clip, 1 + clip) * adv).astype(int)


def eos_is_the_last_number(tokens, prompt_length, eos):
    chosen = (torch.arange(tokens.shape[1]) >= prompt_length).expand(tokens.shape)
    ends = (tokens == tokens.max()) & chosen
    return (chosen & (ends.long().cumsum(1) - ends.long() == 0))[:, 1:]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("optimal_baseline", best_of_a_grid),
        ("clip_gradient", cut_to_integers),
        ("completion_mask", eos_is_the_last_number),
    ],
)
def test_of_odd_answers_something_is_told_whatever_was_drawn(name, answer, seed):
    """What it is hangs on the draw: a grid is coarse for one drawn number and fine for another."""
    exercise = get(name)

    def probe(request, ask):
        return runtime.run({name: answer}, name, request, ask)

    verdict = run_check(exercise, probe, seed)
    assert not verdict.passed and verdict.mistake not in VAGUE, verdict.text()


@needs_walls
@WARM_TOGETHER
def test_further_calls_go_through_the_walls_of_grading():
    """In grading the same is told of the same answer, with hidden cases."""
    exercise = get("total_variance")
    cell = (
        "import numpy as np\n"
        "def total_variance(samples):\n"
        "    x = np.asarray(samples, float).reshape(len(samples), -1)\n"
        "    return float(np.linalg.norm(x - x.mean(0), axis=1).sum() / (len(x) - 1))"
    )
    with open_session(code=cell) as session:
        assert session.run_cell(cell).status == "ok"
        verdict = run_check(
            exercise, lambda request, ask: session.probe(exercise.name, request, 20, ask), 5
        )
    assert verdict.mistake == "when-doubled"
    assert for_the_student(verdict, exercise, 5).problem.hint == verdict.problem.hint
    assert "four times as large; yours is doubled" in verdict.problem.hint
