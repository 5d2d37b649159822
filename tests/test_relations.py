"""Relations: what an answer has to do with the right one, on toy exercises that list no mistake."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from grader.checking import (
    Case,
    Expected,
    FunctionExercise,
    Number,
    Tensor,
    TensorOf,
    TupleOf,
)
from grader.checking.relations.errors import explained
from grader.checking.relations.evidence import Evidence, Seen
from grader.checking.relations.shapes import bounds_relation
from grader.checking.relations.splits import split_relation
from grader.checking.relations.symmetries import lesser_symmetries
from grader.checks.judge import run_check
from grader.probes import runtime
from grader.probes.inputs import Trajectory


def told(exercise, answer):
    """(name, hint) of what the check says of the answer."""
    verdict = run_check(exercise, lambda q, ask: runtime.run({"f": answer}, "f", q, ask), 0)
    assert not verdict.passed
    return verdict.mistake, verdict.problem.hint


def drawn(rng):
    return [Case({"x": rng.normal(size=n) + 1, "scale": float(n) / 2}) for n in (3, 4, 5, 6)]


def weighed(x, scale=1.0):
    return scale * np.cumsum(x)


WEIGHED = FunctionExercise("f", drawn, weighed)


def odd(x):
    return np.arange(len(x)) % 2 == 1


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda x, scale: np.round(weighed(x, scale), 2), "rounded"),
        (lambda x, scale: np.minimum(weighed(x, scale), 2.0), "cut-at-a-bound"),
        (lambda x, scale: weighed(x, scale) + 0.3 * x, "share-of-input"),
        (lambda x, scale: 0.7 * weighed(x, scale) + 0.2, "line-of-the-right"),
        (lambda x, scale: weighed(x, scale) * np.random.default_rng(len(x)).uniform(2, 3), ""),
        (lambda x, scale: weighed(x, 1 + scale), "changed-argument"),
        (lambda x, scale: weighed(np.append(x[:-1], 0), scale), "left-out"),
        (lambda x, scale: -weighed(np.abs(x), scale), "two-at-once"),
        (lambda x, scale: np.cumsum(x) / scale, "changed-argument"),
        (lambda x, scale: weighed(x, scale) ** 3, "when-doubled"),
        (lambda x: weighed(x), "other-signature"),
        (lambda x, scale: weighed(x, scale) * np.where(odd(x), -1, 1), "some-signs"),
        (lambda x, scale: weighed(x, scale) * np.where(odd(x), 3.7, 1), "some-factor"),
        (lambda x, scale: weighed(x, scale) * ~odd(x), "left-at-zero"),
        (lambda x, scale: weighed(x, scale)[[1, 2, 0, *range(3, len(x))]], "misplaced"),
        (lambda x, scale: weighed(np.append(x[:-1], 2 * x[-1]), scale), "counted-twice"),
    ],
)
def test_what_nobody_listed_has_a_name(answer, name):
    got, _hint = told(WEIGHED, answer)
    # A factor drawn anew for each call has no words but "one common factor".
    assert got == name if name else got in ("common-factor", "first-alone", "one-short")


def test_a_hint_never_says_a_number_that_was_read_off_the_answer():
    """An answer could hand a hidden input back as a factor, a bound or an offset."""
    secret = 0.123456
    for answer in (
        lambda x, scale: secret * weighed(x, scale) + 1,
        lambda x, scale: weighed(x, scale) + secret * x,
        lambda x, scale: np.minimum(weighed(x, scale), secret),
        lambda x, scale: np.full(len(x), secret),
    ):
        name, hint = told(WEIGHED, answer)
        assert name and "0.12" not in hint


def test_parts_of_a_result_are_told_apart():
    both = FunctionExercise(
        "f",
        lambda rng: [Case({"x": rng.normal(size=4)}) for _ in range(3)],
        lambda x: {"low": x.min(), "high": x.max(), "mean": x.mean()},
        kind=TupleOf({"low": Number(), "high": Number(), "mean": Number()}),
    )
    assert told(both, lambda x: (x.max(), x.min(), x.mean()))[0] == "parts-swapped"
    name, hint = told(both, lambda x: (x.min(), x.max(), np.exp(x).sum() - 1))
    assert name == "part-wrong" and "mean" in hint


def test_rows_taken_one_by_one_are_told():
    def mean_of_all(x, mask):
        return (x * mask).sum() / max(1, mask.sum())

    def case(rng):
        return Case({"x": rng.normal(size=(3, 4)), "mask": np.tri(3, 4, 1).astype(bool)})

    exercise = FunctionExercise(
        "f", lambda rng: [case(rng) for _ in range(3)], mean_of_all, kind=Number()
    )

    def of_rows(x, mask):
        return float(np.mean((x * mask).sum(1) / mask.sum(1)))

    assert told(exercise, of_rows)[0] == "each-part-alone"


def returns(trajectories):
    return np.array([t.rewards.sum() for t in trajectories])


RETURNS = FunctionExercise(
    "f",
    lambda rng: [
        Case(
            {
                "trajectories": [
                    Trajectory(np.arange(n), np.arange(n) % 2, rng.normal(size=n)) for n in lengths
                ]
            }
        )
        for lengths in ((2, 3), (3, 5, 4), (4, 2))
    ],
    returns,
)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda ts: np.array([t.rewards[-1] for t in ts]), "changed-rewards"),
        (lambda ts: np.array([t.rewards[:-1].sum() for t in ts]), "changed-rewards"),
        (lambda ts: np.array([t.rewards.mean() for t in ts]), "length-weighted"),
        (lambda ts: returns(ts)[-1:].repeat(len(ts)), "last-everywhere"),
        (
            lambda ts: np.array([np.abs(t.rewards).max() * 0 + len(t.rewards) for t in ts]),
            "changed-rewards",
        ),
    ],
)
def test_trajectories_changed_on_the_way_are_told(answer, name):
    assert told(RETURNS, answer)[0] == name


def test_an_error_is_told_in_words():
    scaled = FunctionExercise(
        "f",
        lambda rng: [Case({"x": Tensor(rng.uniform(1, 2, size=3), grad=True)})],
        lambda x: 2 * x,
        kind=TensorOf(),
    )
    for answer, name in (
        (lambda x: torch.as_tensor(2 * x.numpy()), "numpy-of-a-graph"),
        (lambda x: x + torch.ones(2), "shapes-dont-fit"),
        (lambda x: x[5], "index-out-of-range"),
        (lambda x: x if x > 0 else -x, "no-single-truth"),
        (
            lambda x: torch.distributions.Categorical(x * torch.tensor([1, -9, 1])).probs,
            "logits-as-probabilities",
        ),
        (lambda x: {}["final_observation"], "key-of-older-releases"),
        (lambda x: "".reshaped, "no-such-attribute"),
    ):
        got, hint = told(scaled, answer)
        assert got == name and hint


def test_calls_are_parted_by_what_they_hold():
    class Call:
        def __init__(self, x, right):
            self.inputs, self.right = {"x": np.array(x)}, right

    calls = [Call([1.0, 2.0], True), Call([3.0, 4.0], True), Call([5.0, 0.5], True)]
    found = split_relation([*calls, Call([1.0, -2.0], False), Call([-1.0, 2.0], False)])
    assert found.name == "wrong-for-some-calls" and "negative" in found.hint
    assert split_relation([*calls, Call([6.0, 7.0], False)]) is None


def test_a_word_parts_calls_though_some_of_its_calls_are_right_by_luck():
    class Call:
        def __init__(self, how, right):
            self.inputs, self.right = {"how": how}, right

    calls = [Call("sum", True), Call("sum", True), *[Call("mean", False)] * 3]
    assert "wrong where it is 'mean'" in split_relation(calls).hint
    assert "some calls with 'mean'" in split_relation([*calls, Call("mean", True)]).hint
    assert split_relation([*calls, Call("sum", False), Call("mean", True)]) is None


def test_zeros_that_are_due_and_mixtures_of_parts_are_told():
    tables = FunctionExercise(
        "f",
        lambda rng: [Case({"x": rng.normal(size=(n, 9))}) for n in (3, 4, 5)],
        lambda x: np.maximum(x.mean(0), 0),
    )
    leaky = told(tables, lambda x: np.where(x.mean(0) > 0, x.mean(0), 0.1 * x.mean(0) - 2))
    assert leaky[0] in ("not-zero", "wrong-for-a-sign")
    means = FunctionExercise("f", tables.make_cases, lambda x: x.mean(0))
    assert told(means, lambda x: np.average(x, 0, np.arange(1, len(x) + 1)))[0] == "unequal-weights"
    assert told(means, lambda x: np.random.default_rng(7).normal(size=9))[0] != "unequal-weights"


def test_a_count_of_flags_in_the_place_of_another_is_told():
    def drawn_masks(rng):
        rows = np.array([[1, 0, 4], [3, 0, 2], [2, 0, 5], [4, 0, 3]])
        masks = np.arange(5) < rows[..., None]
        return [Case({"x": rng.normal(size=(3, 5)), "mask": mask}) for mask in masks]

    def mean(x, mask):
        return np.array([x[mask].mean(), 1.0])

    masked = FunctionExercise("f", drawn_masks, mean)
    for divisor, words in (
        (lambda mask: mask.sum() ** 0.5, "root of the number of true entries"),
        (lambda mask: mask.sum(1).max(), "the true entries of the fullest row"),
        (lambda mask: mask[0].sum(), "the true entries of the first row"),
    ):
        name, hint = told(masked, lambda x, mask, by=divisor: mean(x, mask) * mask.sum() / by(mask))
        assert name == "other-factor" and words in hint


def test_a_factor_for_each_group_is_told():
    def drawn_groups(rng):
        groups = [rng.permutation(np.repeat([3, 8, 9], 4)) for _ in range(3)]
        return [Case({"x": rng.normal(size=12), "groups": one}) for one in groups]

    grouped = FunctionExercise("f", drawn_groups, lambda x, groups: 2 * x)
    name, hint = told(grouped, lambda x, groups: x * np.sqrt(groups + 0.5 * x.max()))
    assert name == "common-factor" and "`groups`" in hint


def test_a_gradient_is_told_like_a_result():
    weights = torch.arange(1.0, 5.0, dtype=torch.float64)
    scaled = FunctionExercise(
        "f",
        lambda rng: [Case({"x": Tensor(rng.normal(size=4), grad=True)}) for _ in range(3)],
        lambda x: Expected(x @ weights.numpy(), {"x": weights.numpy()}),
        kind=TensorOf(),
    )
    name, hint = told(scaled, lambda x: x.detach() @ weights + (x - x.detach()) @ weights.flip(0))
    assert name == "reversed" and hint.startswith("The gradient with respect to x: ")


def test_entries_with_an_input_in_them_and_constants_of_groups_are_told():
    tables = FunctionExercise(
        "f",
        lambda rng: [Case({"x": rng.normal(size=n), "y": rng.normal(size=n)}) for n in (6, 7, 9)],
        lambda x, y: 2 * x,
    )
    mixed = told(tables, lambda x, y: np.where(odd(x), 2 * x * y, 2 * x))
    assert mixed == ("some-mixed-with-input", "What is wrong is the right number times `y`.")

    def drawn_groups(rng):
        groups = [rng.permutation(np.repeat([3, 8, 9], 4)) for _ in range(3)]
        return [Case({"x": rng.normal(size=12), "groups": one}) for one in groups]

    grouped = FunctionExercise("f", drawn_groups, lambda x, groups: 2 * x)
    name, hint = told(grouped, lambda x, groups: 2 * x + np.sin(groups * x.max()))
    assert name == "common-factor" and "a constant, one for each group" in hint


def test_a_wrong_gradient_is_told_by_the_values_of_other_calls():
    """Where x is 1 the value is right by luck."""
    powers = FunctionExercise(
        "f",
        lambda rng: [Case({"x": Tensor(x, grad=True)}) for x in (np.ones(3), rng.uniform(2, 3, 4))],
        lambda x: Expected((x**2).mean(), {"x": 2 * x / x.size}),
        kind=TensorOf(),
    )
    name, hint = told(powers, lambda x: (x**4).mean())
    assert name == "changed-argument" and "squares of `x`" in hint


def test_what_is_nearly_right_is_told():
    slope = told(WEIGHED, lambda x, scale: weighed(x + 1e-3 * np.sin(9 * x), scale))
    assert slope[0] == "nearly-right"
    far = told(WEIGHED, lambda x, scale: weighed(x + 0.5 * np.sin(9 * x), scale))
    assert far[0] != "nearly-right"


def test_what_goes_wrong_in_long_calls_alone_is_told():
    def short_and_long(rng):
        return [Case({"x": rng.normal(size=n)}) for n in (3, 4, 5, 6, 30_000)]

    running = FunctionExercise("f", short_and_long, lambda x: np.cumsum(x))
    name, hint = told(running, lambda x: np.cumsum(np.where(np.arange(len(x)) < 1000, x, -x)))
    assert name == "wrong-when-long" and "Short calls" in hint


def test_whole_numbers_that_are_no_index_stop_no_search():
    """A count or a token beyond the last row names no row."""

    def counted(rng):
        return [Case({"x": rng.normal(size=(3, 4)), "k": 17, "m": 40}) for _ in range(3)]

    exercise = FunctionExercise("f", counted, lambda x, k, m: x / k + m)

    def odd_row(x, k, m):
        return np.where(x > 0.3, 0.0, x / k + m)

    assert told(exercise, odd_row)[0] == "left-at-zero"


@pytest.mark.parametrize(
    ("answer", "name", "words"),
    [
        (lambda x: np.sin(x).sum(), "one-number-for-many", "is asked for each row of `x`."),
        (lambda x: np.sin(x), "axis-extra", "A number is asked for each row of `x`."),
        (lambda x: np.sin(x).ravel()[:, None] * x[0, 0], "", ""),
        (lambda x: np.sin(x).sum(1)[:-1] ** 2, "length-off-by-one", "too short"),
        (lambda x: np.append(np.sin(x).sum(1) ** 2, 5.0), "length-off-by-one", "too long"),
        (lambda x: np.cos(x).sum(1)[None], "axis-extra", "the first one"),
    ],
)
def test_wrong_shapes_are_told(answer, name, words):
    rows = FunctionExercise(
        "f",
        lambda rng: [Case({"x": rng.normal(size=(n, 3))}) for n in (4, 5, 6)],
        lambda x: np.exp(x).sum(1) + x[:, 0] ** 3,
    )
    got, hint = told(rows, answer)
    assert (got == name or not name) and words in hint, (got, hint)


def test_numbers_that_no_right_result_can_be_are_told():
    relation = bounds_relation(
        Evidence(
            [Seen({}, frozenset(), "", np.arange(9) / 9, np.arange(9) / 4.5, False)], 1e-4, 1e-6
        )
    )
    assert relation.name == "out-of-range" and "never above 1" in relation.hint


def test_a_learners_own_raise_is_told():
    error = {"type": "ValueError", "bases": ["ValueError"], "message": "one row"}
    assert explained(error | {"line": 'raise ValueError("one row")'}).name == "raises-by-itself"
    assert explained(error | {"line": "n = int(text)"}).name == "value-refused"


def test_a_wrong_truth_value_is_asked_for_its_bound():
    """A wrong True or False is always off by one, and no whole number."""

    def above(x):
        return x > 1.5

    cases = [Case({"x": x}) for x in (0.5, 1.2, 1.4, 1.6, 1.7, 2.0, 3.0)]
    exercise = FunctionExercise("f", lambda rng: cases, above, kind=Number())
    name, hint = told(exercise, lambda x: x > 1.3 and x != 1.7)
    assert name == "off-by-one-result" and "Whole numbers" not in hint


def test_a_single_number_has_no_running_sum():
    tensors = FunctionExercise(
        "f",
        lambda rng: [Case({"x": Tensor(rng.normal(size=n))}) for n in (3, 4, 5)],
        lambda x: np.sum(x),
        kind=TensorOf(),
    )
    assert told(tensors, lambda x: x.sum()[None])[0] == "axis-too-many"


@pytest.mark.parametrize("yours, right", [((0.0, 0.0), (3.0, 3.0)), ((3.0, 3.0), (0.0, 0.0))])
def test_a_result_of_0_is_no_evidence_of_what_a_change_does(yours, right):
    """0 stays 0: neither that it follows a rule, nor that it breaks one."""
    before, after = zip(yours, right, strict=True)
    one = SimpleNamespace(how="doubled", part="x", before=before, after=after)
    assert not list(lesser_symmetries([one], lambda how, part, effects: True))
