"""Truths of lesson 04's checks against something else than themselves, and its figures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import policy_gradients as pg
from grader.checking import Expected, plain, seed_of
from grader.checks.lesson_04 import clip, clip_gradient, kl, penalty, ratio
from grader.checks.shared.ratios import logs


def calls(exercise, seeds=range(30)):
    """(plain inputs, truth) of every case that the check may draw."""
    for seed in seeds:
        for case in exercise.cases(seed_of(exercise.name, seed)):
            yield {k: plain(v) for k, v in case.inputs.items()}, exercise.expected(case), case


def by_autograd(formula, given):
    """Value and gradient by logp of a formula in torch."""
    tensors = {
        k: torch.tensor(v, dtype=torch.float64) if isinstance(v, np.ndarray) else v
        for k, v in given.items()
    }
    tensors["logp"].requires_grad_()
    value = formula(**tensors)
    value.backward()
    return value.item(), tensors["logp"].grad.numpy()


@pytest.mark.parametrize(
    ("exercise", "formula"),
    [
        (ratio.SURROGATE_LOSS, lambda logp, logp_old, adv: -((logp - logp_old).exp() * adv).mean()),
        (
            clip.PPO_CLIP_LOSS,
            lambda logp, logp_old, adv, clip=0.2: torch.where(
                adv > 0,
                -adv * (logp - logp_old).exp().clamp(max=1 + clip),
                -adv * (logp - logp_old).exp().clamp(min=1 - clip),
            ).mean(),
        ),
        (
            penalty.PPO_PENALTY_LOSS,
            lambda logp, logp_old, adv, kl, beta: (
                beta * kl - ((logp - logp_old).exp() * adv).sum() / len(adv)
            ),
        ),
    ],
)
def test_truths_of_the_losses_agree_with_autograd(exercise, formula):
    for given, truth, _case in calls(exercise):
        value, gradient = by_autograd(formula, given)
        assert truth.value == pytest.approx(value, rel=1e-6, abs=1e-7)
        np.testing.assert_allclose(truth.gradients["logp"], gradient, rtol=1e-5, atol=1e-6)


def test_truth_of_the_slope_is_the_losss_gradient_over_the_ratio():
    for given, truth, _case in calls(clip_gradient.CLIP_GRADIENT):
        r, adv, width = given["ratio"], given["adv"], given.get("clip", 0.2)
        logp = np.log(r.astype(float))
        loss = clip.clip_truth(logp, np.zeros_like(logp), adv, width)
        np.testing.assert_allclose(truth.value, -loss.gradients["logp"] * len(r) / r, atol=1e-6)


def test_truth_of_the_kl_is_exact_on_a_whole_policy():
    """Every action as often as the old policy plays it: k1 and k3 are the KL itself."""
    new, old, actions = np.array([0.125, 0.125, 0.75]), np.array([0.5, 0.25, 0.25]), [0, 0, 1, 2]
    found = kl.kl_truth(np.log(new)[actions], np.log(old)[actions])
    exact = pg.exact.kl(old[None], new[None])
    assert (found["k1"], found["k3"]) == pytest.approx((exact, exact))
    other_way = pg.exact.kl(new[None], old[None])
    assert abs(other_way - exact) > 0.01  # so the case tells the direction


def test_no_gradient_is_asked_on_an_edge():
    """Ratios as the student's code sees them, float32 included."""
    for exercise in (clip.PPO_CLIP_LOSS, clip_gradient.CLIP_GRADIENT):
        for given, _truth, _case in calls(exercise, range(150)):
            width = given.get("clip", 0.2)
            r = given["ratio"] if "ratio" in given else np.exp(given["logp"] - given["logp_old"])
            near = np.minimum(abs(r - 1 - width), abs(r - 1 + width))
            assert near.min() > 5e-3


def test_edges_of_the_fraction_are_exact_in_every_float():
    for given, _truth, _case in calls(clip_gradient.CLIP_FRACTION):
        width, r = given.get("clip", 0.2), np.asarray(given["ratio"])
        for dtype in (np.float32, np.float64):
            x = r.astype(dtype)
            ways = [np.abs(x - 1) > width, (x < 1 - width) | (x > 1 + width), np.abs(1 - x) > width]
            assert all((way == ways[0]).all() for way in ways)
    rows = [given for given, _truth, _case in calls(clip_gradient.CLIP_FRACTION, [0])]
    assert any((abs(np.asarray(g["ratio"]) - 1) == g.get("clip", 0.2)).any() for g in rows)


def test_beta_is_asked_exactly_on_both_bounds():
    rows = [(g["kl"], g["target"]) for g, _truth, _case in calls(penalty.ADAPT_BETA, [0])]
    assert any(k == 1.5 * t for k, t in rows) and any(1.5 * k == t for k, t in rows)


def test_ratios_that_a_case_promises_are_those_of_its_logs():
    logp, logp_old = logs([0.5, 1.5], np.random.default_rng(0), np.float32)
    np.testing.assert_allclose(np.exp(logp.astype(float) - logp_old), [0.5, 1.5], rtol=1e-5)


# The figures ----------------------------------------------------------------------------------


def test_histograms_say_what_is_outside():
    r = np.array([0.02, 0.5, 0.9, 1.0, 1.1, 1.3, 20.0, 1.0])
    shares, kls = {1: 0.5, 10: 0.0}, {1: 0.25, 10: 0.0}
    axes = pg.plots.ratio_histograms({1: r, 10: np.ones(4)}, shares, kls)
    first, second = (ax.texts[0].get_text() for ax in np.ravel(axes))
    assert "50%" in first and "20" in first and "0.250" in first and "outside 0%" in second
    heights = [bar.get_height() for bar in np.ravel(axes)[0].patches[1:]]
    assert sum(heights) == pytest.approx(1)  # what lies beyond the picture stands at its ends
    hatched = [bar for bar in np.ravel(axes)[0].patches if bar.get_hatch()]
    assert sum(bar.get_height() for bar in hatched) == pytest.approx(0.5)
    plt.close("all")


def test_bundles_draw_the_mean_and_the_marked_run():
    runs = np.arange(12.0).reshape(4, 3)
    axes = pg.plots.bundles({"a": runs, "b": -runs}, "x", marked=2, levels={"b": (5, "five")})
    lines = [line.get_ydata() for line in axes[0].lines]
    assert len(lines) == 5
    np.testing.assert_allclose(lines[3], runs.mean(1))
    np.testing.assert_allclose(lines[4], runs[:, 2])
    assert [t.get_text() for t in axes[1].texts] == ["five"] and not axes[0].texts
    plt.close("all")


def test_the_oracles_gradient_depends_on_the_weights_of_its_entries():
    """Without a notebook: what `answer` gives for a helper that returns an array."""
    given = [np.log([0.3, 0.6]), np.log([0.6, 0.3])]
    tensors = [torch.tensor(x, requires_grad=i == 0) for i, x in enumerate(given)]
    weights = np.array([2.0, -3.0])
    (torch.exp(tensors[0] - tensors[1]) * torch.tensor(weights)).sum().backward()
    truth = ratio.ratio_truth(*given)
    assert isinstance(truth, Expected)
    np.testing.assert_allclose(truth.gradients["logp"](weights), tensors[0].grad.numpy())
