"""What lesson 04 claims, and its checks' truths against something else than themselves."""

import ast
import builtins
import math
import threading
import time

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import policy_gradients as pg
from grader.checks.lesson_04 import EXERCISES, case_table, clip
from grader.checks.registry import get
from grader.checks.shared import clip_truth
from grader.probes.observe import observe
from publish.rules import without_markers
from tests.lesson_code import COURSE, solved
from tests.pages import pictured
from tests.solved import replaced, verdicts

NAME = "04_ppo_clip"


STAGE = 5  # so many demonstrations set the stage and take the first walk


IF_KEPT = -0.5 * math.log(1 - 0.2**2)


@pytest.fixture(scope="module")
def lesson():
    """The solved lesson's names, with the stage of its experiments and their functions."""
    namespace = solved.__wrapped__(NAME)  # a fresh one, in which its functions live
    (read,) = COURSE.read([NAME])
    for count, cell in enumerate(cell for cell in read.cells if cell.kind == "demo"):
        tree = ast.parse(without_markers(cell.source))
        if count >= STAGE:
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        exec(compile(tree, NAME, "exec"), namespace)
    plt.close("all")
    return namespace


def walked(lesson, loss, steps):
    """The forty batches, `steps` steps on each: J / best J and exact KL, (steps + 1, 40)."""
    policy = lesson["copies"](lesson["START"], 40)
    walk = lesson["reuse"](policy, lesson["adam"](policy), lesson["batches"], loss, steps)
    return walk, lesson["share_of_best"](walk), lesson["exact_kl"](walk[0], walk)


# The stage ------------------------------------------------------------------------------------


def test_the_batches_are_those_of_the_environment(lesson):
    """Contexts, arms and rewards of `collect` have the means that the environment's steps have."""
    policy = lesson["copies"](lesson["START"], 1)
    obs, act, adv = (x.numpy() for x in lesson["collect"](policy, 40_000, np.random.default_rng(0)))
    pi, env = lesson["table"](policy), lesson["env"]
    counts = np.zeros((10, 5))
    np.add.at(counts, (obs, act), 1)
    np.testing.assert_allclose(counts / 40_000, pi / 10, atol=5 * np.sqrt(0.1 / 40_000))
    assert abs(adv.mean()) < 1e-9
    sums, drawn = np.zeros((10, 5)), np.zeros((10, 5))
    np.add.at(sums, (obs, act), adv)
    for _episode in range(20_000):
        state, _info = env.reset(seed=5 if _episode == 0 else None)
        arm = env.action_space.sample()
        drawn[state, arm] += env.step(arm)[1]
    J = (pi * lesson["MEANS"]).sum() / 10
    often = counts > 400
    error = (sums / np.maximum(counts, 1) - (lesson["MEANS"] - J))[often]
    assert np.abs(error * np.sqrt(counts[often])).max() < 4 * env.noise
    assert np.abs(drawn / 400 - lesson["MEANS"]).max() < 4.5 * env.noise / np.sqrt(400)


def test_share_of_best_and_exact_kl_are_those_of_pg_exact(lesson):
    walk = lesson["walk"]
    for copy in (0, 17):
        rows = slice(10 * copy, 10 * copy + 10)
        old, new = walk[0, rows], walk[6, rows]
        J = pg.exact.objective(lesson["env"], new) / pg.exact.optimal_objective(lesson["env"])
        assert lesson["share_of_best"](walk)[6, copy] == pytest.approx(J, abs=1e-12)
        kl_exact = pg.exact.kl(old, new)
        assert lesson["exact_kl"](walk[0], walk)[6, copy] == pytest.approx(kl_exact, abs=1e-12)


def test_copies_share_nothing(lesson):
    """A run among twenty is the run that it would be alone."""
    policy = lesson["copies"](lesson["START"], 40)
    many = lesson["reuse"](
        policy, lesson["adam"](policy), lesson["batches"], lesson["ppo_clip_loss"], 5
    )
    obs, act, adv = (x.reshape(40, -1)[3] for x in lesson["batches"])
    alone = lesson["copies"](lesson["START"], 1)
    one = lesson["reuse"](
        alone, lesson["adam"](alone), [obs - 30, act, adv], lesson["ppo_clip_loss"], 5
    )
    np.testing.assert_allclose(one, many[:, 30:40], atol=1e-6)


# C5: the collapse, and its absence ------------------------------------------------------------


def test_one_batch_moves_the_policy_too_far_without_the_clip(lesson):
    bad = lesson["BAD"]
    assert (np.diff(lesson["minus_loss"], axis=0) > 0).all()
    for loss in (lesson["repeated_reinforce"], lesson["surrogate_loss"]):
        _walk, share, kl_now = walked(lesson, loss, 10)
        assert (share[10] < share[0]).sum() > 25 and share[10].mean() < share[0, 0] - 0.05
        assert share[10, bad] < 0.5 * share[0, bad] and kl_now[10].mean() > 0.5
    _walk, share, kl_now = walked(lesson, lesson["ppo_clip_loss"], 10)
    assert share[10].mean() > share[0, 0] - 0.05 and share[10, bad] > 0.75 * share[0, bad]
    assert kl_now[10].max() < 0.25


def test_the_batches_after_the_bad_one_do_not_mend_it(lesson):
    lost, kept = lesson["go_on"](lesson["surrogate_loss"]), lesson["go_on"](lesson["ppo_clip_loss"])
    bad, start = lesson["BAD"], lost[0, 0]
    assert lost[2].mean() < lost[1].mean() < start and lost[-1].mean() < start
    assert lost[1:, bad].max() < start
    assert kept[-1].mean() > start + 0.1 and kept[-1, bad] > start + 0.1


def test_most_of_twenty_runs_collapse_and_none_with_the_clip(lesson):
    """With other seeds than the lesson's."""
    ends = {}
    for name in ("repeated_reinforce", "surrogate_loss", "ppo_clip_loss"):
        shares, kls, sure = lesson["train"](lesson[name], steps=10, seed=3)
        ends[name] = shares[-1]
        assert (kls.max() > 1) == (sure[4].mean() > 0.9) == (name != "ppo_clip_loss")
    assert (ends["surrogate_loss"] < 0.7).sum() >= 15
    assert (ends["repeated_reinforce"] < 0.7).sum() >= 12
    assert (ends["ppo_clip_loss"] < 0.69).sum() == 0 and ends["ppo_clip_loss"].mean() > 0.85


def test_one_step_a_batch_is_slower_but_does_not_collapse(lesson):
    one, *_rest = lesson["train"](lesson["surrogate_loss"], steps=1)
    ten, *_rest = lesson["train"](lesson["ppo_clip_loss"], steps=10)
    assert one[-1].min() > 0.7 and one[20].mean() < ten[20].mean() - 0.05


def test_the_batch_promises_what_no_fresh_batch_does(lesson):
    """Its promise for the policy that it led to, against four hundred others of the same policy."""
    walk, share, _kl = walked(lesson, lesson["surrogate_loss"], 10)
    rows = slice(10 * lesson["BAD"], 10 * lesson["BAD"] + 10)
    ratios = walk[10, rows] / walk[0, rows]
    obs, act, adv = (x.numpy().reshape(40, -1)[lesson["BAD"]] for x in lesson["batches"])
    own = (ratios[obs % 10, act] * adv).mean()
    many = lesson["collect"](lesson["copies"](lesson["START"], 400), 256, np.random.default_rng(8))
    obs, act, adv = (x.numpy().reshape(400, -1) for x in many)
    fresh = (ratios[obs % 10, act] * adv).mean(1)
    gain = ((walk[10, rows] - walk[0, rows]) * lesson["MEANS"]).sum() / 10
    assert gain < 0 < fresh.max() < own
    assert fresh.mean() == pytest.approx(gain, abs=4 * fresh.std() / 20)
    # The lesson's formula for the width of the band.
    surplus = (lesson["MEANS"] - (walk[0, rows] * lesson["MEANS"]).sum() / 10) ** 2 + 64
    second = (walk[0, rows] * (ratios - 1) ** 2 * surplus).sum() / 10
    assert fresh.std() == pytest.approx(math.sqrt((second - gain**2) / 256), rel=0.12)


# The ratio ------------------------------------------------------------------------------------


def test_the_ratio_changes_the_measure_exactly(lesson):
    rng = np.random.default_rng(2)
    old, new = rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    f = rng.normal(size=6)
    r = lesson["importance_ratio"](torch.tensor(np.log(new)), torch.tensor(np.log(old))).numpy()
    assert (old * r * f).sum() == pytest.approx((new * f).sum(), abs=1e-12)
    assert (old * r).sum() == pytest.approx(1, abs=1e-12)


def test_the_surrogates_expected_gradient_is_the_policy_gradient(lesson):
    """At equal policies, and at any other: in a bandit the surrogate is J but for a constant."""
    for step in (0, 1, 10):
        new = lesson["walk"][step, lesson["mine"]]
        names = {"old": lesson["START_PI"]}
        names["every_obs"] = torch.arange(10).repeat_interleave(5)
        names["every_act"] = torch.arange(5).repeat(10)
        names["all_adv"] = 5 * torch.tensor(names["old"] * lesson["MEANS"]).ravel()
        exact = pg.exact.policy_gradient(lesson["env"], new)
        enumerate_it = replaced(lesson, **names)["expected_gradient"]
        np.testing.assert_allclose(enumerate_it(lesson["surrogate_loss"], new), exact, atol=1e-12)
        naive = enumerate_it(lesson["repeated_reinforce"], new)
        assert np.allclose(naive, exact, atol=1e-12) == (step == 0)


# C6: six cases --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["below", "inside", "above"])
@pytest.mark.parametrize("sign", ["+", "-"])
@pytest.mark.parametrize("width", [0.1, 0.2, 0.4])
def test_six_cases_by_value_and_by_gradient(lesson, place, sign, width):
    r = {"below": 1 - 2 * width, "inside": 1 + width / 2, "above": 1 + 2 * width}[place]
    adv = {"+": 1.7, "-": -1.7}[sign]
    logp = torch.tensor([math.log(r)], dtype=torch.float64, requires_grad=True)
    one = torch.tensor([adv], dtype=torch.float64)
    loss = lesson["ppo_clip_loss"](logp, torch.zeros_like(one), one, clip=width)
    loss.backward()
    rests = (place, sign) in (("above", "+"), ("below", "-"))
    edge = 1 + width if sign == "+" else 1 - width
    assert -loss.item() == pytest.approx(edge * adv if rests else r * adv)
    assert -logp.grad.item() / r == pytest.approx(0.0 if rests else adv)
    by_hand = lesson["clip_gradient"](np.array([r]), np.array([adv]), width)
    assert by_hand == pytest.approx([0.0 if rests else adv])
    assert lesson["case_table"][place, sign] == ("zero" if rests else "moves")


def test_living_samples_outside_the_band_come_back(lesson):
    """One arm that went the wrong way: the clip alone leads it back into the band."""
    for adv, far in ((1.0, -1.2), (-1.0, 1.2)):
        logits = torch.tensor([far, 0.0, 0.0], dtype=torch.float64, requires_grad=True)
        old, one = torch.log_softmax(torch.zeros(3), 0)[:1].double(), torch.tensor([adv]).double()
        start = math.exp((torch.log_softmax(logits, 0)[:1] - old).item())
        assert start > 1.2 or start < 0.8
        descent = torch.optim.SGD([logits], lr=0.3)
        for _step in range(200):
            descent.zero_grad()
            lesson["ppo_clip_loss"](torch.log_softmax(logits, 0)[:1], old, one).backward()
            descent.step()
        end = math.exp((torch.log_softmax(logits, 0)[:1] - old).item())
        assert (end > 1) == (adv > 0)


def test_the_first_step_is_the_unclipped_one(lesson):
    first = {n: walked(lesson, lesson[n], 1)[0][1] for n in ("surrogate_loss", "ppo_clip_loss")}
    np.testing.assert_allclose(first["surrogate_loss"], first["ppo_clip_loss"], atol=1e-12)


# C7: what the clip does not promise -----------------------------------------------------------


def test_a_kept_band_would_bound_the_kl():
    """No pair of policies whose ratios stay in the band has a larger KL, and one reaches it."""
    rng, largest = np.random.default_rng(0), 0.0
    for _trial in range(1500):
        old = rng.dirichlet(np.ones(int(rng.integers(2, 7))) * 2)
        r = rng.uniform(0.8, 1.2, size=len(old))
        for _repair in range(50):  # the mean of the ratio is one
            r = np.clip(r + 1 - (old * r).sum(), 0.8, 1.2)
        if abs((old * r).sum() - 1) < 1e-6:
            largest = max(largest, -(old * np.log(r)).sum())
    assert 0.5 * IF_KEPT < largest <= IF_KEPT + 1e-6
    assert -(np.log(0.8) + np.log(1.2)) / 2 == pytest.approx(IF_KEPT)


def test_ratios_leave_the_band_and_the_kl_grows_past_it(lesson):
    walk, _share, kl_now = walked(lesson, lesson["ppo_clip_loss"], 40)
    obs, act, _adv = (x.numpy() for x in lesson["batches"])
    ratios = walk[:, obs, act] / walk[0, obs, act]
    outside = [lesson["clip_fraction"](r) for r in ratios]
    assert outside[0] == 0 and outside[1] > 0.05 and outside[10] > 0.2
    assert ratios[10].max() > 3 and ratios[10].min() < 0.1
    mean = kl_now.mean(1)
    assert mean[1] < IF_KEPT and mean[2] > IF_KEPT
    assert mean[10] > 4 * IF_KEPT and mean[40] > mean[20] > mean[10]


def test_estimates_of_the_kl_are_what_the_lesson_says(lesson):
    """Expectations by enumeration: k1 and k3 exact, k2 near where the KL is small, off far away."""
    rng = np.random.default_rng(3)
    old, direction = rng.dirichlet(np.ones(5)), rng.normal(size=5)
    for size, near in ((0.02, True), (3.0, False)):
        new = old * np.exp(size * direction)
        new /= new.sum()
        exact = (old * np.log(old / new)).sum()
        pairs = torch.tensor(np.log([new, old]))
        terms = np.array(
            [[float(k) for k in lesson["kl_estimates"](*pairs[:, [a]])] for a in range(5)]
        )
        expected, second = old @ terms, old @ terms**2
        assert expected[[0, 2]] == pytest.approx([exact, exact], rel=1e-6)
        assert (abs(expected[1] / exact - 1) < 0.05) == near
        scatter = np.sqrt((second - expected**2) / 256)
        assert (terms[:, 1:] >= 0).all() and (terms[:, 0] < 0).any()
        if near:
            assert scatter[0] > 5 * scatter[2] and scatter[0] > exact


def test_the_penalty_holds_the_kl_and_the_clip_makes_more_of_it(lesson):
    shares, kls, betas = lesson["train_penalty"](0.02)
    clip_shares, clip_kls, _sure = lesson["train"](lesson["ppo_clip_loss"], steps=10)
    assert 0.5 * 0.02 < kls.mean() < 2 * 0.02 and kls.mean() == pytest.approx(
        clip_kls.mean(), rel=0.2
    )
    assert kls.mean(1).max() < 0.2 and kls.max() < 1
    assert shares[-1].mean() > 0.65 and clip_shares[-1].mean() > shares[-1].mean() + 0.05
    assert len(set(betas)) > 1 and set(np.log2(betas[1:] / betas[:-1])) <= {-1.0, 0.0, 1.0}
    # Early the clip spends more, late less.
    assert clip_kls[:5].mean() > kls[1:6].mean() and clip_kls[-10:].mean() < kls[-10:].mean()


def test_a_coefficient_that_starts_too_small_comes_too_late(lesson):
    _shares, kls, _betas = lesson["train_penalty"](0.02, beta=1.0, iterations=3)
    assert kls[0].mean() > 0.5


# The checks as a student meets them -----------------------------------------------------------


ORDER = [exercise.name for exercise in EXERCISES]


def answers(lesson):
    return replaced(lesson, q_outside_band="c", q_negative_kl="d")


def test_solutions_pass_every_check(lesson):
    found = verdicts(answers(lesson), ORDER)
    assert all(verdict.passed for verdict in found.values())


@pytest.mark.parametrize(
    ("broken", "answer", "dependants"),
    [
        (
            "importance_ratio",
            lambda logp, logp_old: logp - logp_old,
            ["surrogate_loss", "ppo_clip_loss", "ppo_penalty_loss"],
        ),
        (
            "importance_ratio",
            lambda logp, logp_old: torch.exp(logp - logp_old),
            ["surrogate_loss", "ppo_clip_loss", "ppo_penalty_loss"],
        ),
        ("surrogate_loss", lambda logp, logp_old, adv: logp.sum(), ["ppo_penalty_loss"]),
    ],
)
def test_a_wrong_prerequisite_costs_its_own_points_alone(lesson, broken, answer, dependants):
    """Value and gradient of the dependants are judged with the right helper in its place."""
    namespace = replaced(answers(lesson), **{broken: answer})
    found = verdicts(namespace, ORDER)
    assert [name for name in ORDER if not found[name].passed] == [broken]
    for name in dependants:
        assert broken in found[name].note


def test_a_helper_in_its_place_does_not_hide_the_dependants_own_mistake(lesson):
    def ppo_clip_loss(logp, logp_old, adv, clip=0.2):
        r = importance_ratio(logp, logp_old)  # noqa: F821 - the notebook's
        return -(r.clamp(1 - clip, 1 + clip) * adv.detach()).mean()

    namespace = answers(lesson)
    namespace["importance_ratio"] = lambda logp, logp_old: logp - logp_old
    made = type(ppo_clip_loss)(ppo_clip_loss.__code__, namespace, "ppo_clip_loss", (0.2,))
    namespace["ppo_clip_loss"] = made
    found = verdicts(namespace, ["importance_ratio", "ppo_clip_loss"])
    assert not found["ppo_clip_loss"].passed


def test_a_table_that_is_not_filled_in_says_so():
    exercise = get("case_table")
    blank = observe(dict.fromkeys(case_table.KEYS))
    verdict = exercise.judge(exercise.cases(np.random.default_rng(0)), [{"value": blank}])
    assert verdict.mistake == "not-answered"


def test_hints_do_not_print_a_solution():
    """No line of a solution stands in a hint."""
    (read,) = COURSE.read([NAME])
    for exercise in EXERCISES:
        cell = next(
            c for c in read.cells if c.kind in ("exercise", "question") and c.name == exercise.name
        )
        solution = cell.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        lines = [line.strip() for line in solution.splitlines() if len(line.strip()) > 12]
        hints = [m.hint for m in getattr(exercise, "mistakes", ())]
        assert not any(line in hint for line in lines for hint in hints)


def test_points_add_up_to_twenty():
    (read,) = COURSE.read([NAME])
    checks = [cell for cell in read.cells if cell.kind == "check"]
    assert [cell.name for cell in checks] == ORDER
    assert sum(cell.keys["points"] for cell in checks) == 20


# The explorer ---------------------------------------------------------------------------------


@pytest.fixture
def explorer(lesson):
    return pg.plots.ClipExplorer(
        lesson["ppo_clip_loss"], lesson["clip_gradient"], lesson["case_table"]
    )


def test_the_explorer_says_each_case_as_the_truth_has_it(explorer):
    for place, r in case_table.PLACES.items():
        for sign, adv in (("+", 1.0), ("-", -1.0)):
            assert explorer.place(r) == place
            assert explorer.slope(r, sign) == pytest.approx(clip_truth.slope(r, adv))
            unclipped = clip_truth.objective(r, adv) == r * adv
            expected = "both" if place == "inside" else "rA" if unclipped else "clip"
            assert explorer.branch(r, sign) == expected
            word = "moves" if clip_truth.slope(r, adv) else "at rest"
            assert word in explorer.words(r, sign) and place in explorer.words(r, sign)


def test_sentence_picture_and_table_follow_slider_and_switch(explorer):
    box = explorer.controls()
    (slider, switch, _band), words, picture = box.children[0].children, *box.children[1:]
    seen = []
    for r, sign in ((1.4, "+"), (0.6, "+"), (0.6, "-"), (1.0, "-")):
        slider.value, switch.value = r, sign
        assert words.value == explorer.words(r, sign)
        drawn, said = pictured(picture.value)
        seen.append(drawn)
        # Curve and table, for those who cannot see the picture.
        assert said.startswith(explorer.words(r, sign)) and said.count("moves") >= 4
        assert "A > 0, above: zero" in said and "A < 0, above: moves" in said
    assert len(set(seen)) == 4


def test_a_band_that_is_wider_above_moves_the_upper_edge_alone(explorer):
    """Truth: min(r A, clip(r, 0.8, 1.28) A) by NumPy, against the composition of two widths."""
    box = explorer.controls()
    (slider, switch, band), words, _picture = box.children[0].children, *box.children[1:]
    slider.value, band.index = 1.25, 1
    assert "moves" in words.value and "inside" in words.value
    slider.value = 1.3
    assert "is at rest" in words.value and "above" in words.value
    slider.value, switch.value = 0.75, "-"
    assert "is at rest" in words.value and "below" in words.value
    higher = band.value
    for sign, adv in (("+", 1.0), ("-", -1.0)):
        truth = np.minimum(higher.grid * adv, np.clip(higher.grid, 0.8, 1.28) * adv)
        np.testing.assert_allclose(higher.curves[sign], truth, atol=1e-12)


def test_the_explorer_draws_once_at_a_time_and_out_of_pyplots_sight(explorer, monkeypatch):
    """JupyterLab serves slider and switch in two threads, and shows and closes pyplot's figures
    after each message: pictures came half drawn."""
    drawing, met, draw = [], [], type(explorer).draw

    def slowly(self, ax, ratio, sign):
        drawing.append((ratio, sign))
        time.sleep(0.02)
        met.append((len(drawing), plt.get_fignums()))
        draw(self, ax, ratio, sign)
        drawing.pop()

    monkeypatch.setattr(type(explorer), "draw", slowly)
    box = explorer.controls()
    (slider, switch, _band), _words, picture = box.children[0].children, *box.children[1:]

    def move(knob, settings):
        for setting in settings:
            knob.value = setting

    knobs = ((slider, [0.5, 0.6, 0.7, 0.8, 0.9]), (switch, ["-", "+", "-"]))
    threads = [threading.Thread(target=move, args=each) for each in knobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(met) == 9 and set(map(repr, met)) == {"(1, [])"}
    drawn, said = pictured(picture.value)
    assert said.startswith(explorer.words(0.9, "-"))
    assert drawn == pg.plots.style.png(explorer.figure(0.9, "-"))


def test_one_cell_of_the_table_is_lit(explorer):
    for r, sign, row, column in ((1.4, "-", 2, 1), (0.5, "+", 0, 0), (1.0, "-", 1, 1)):
        _left, right = explorer.figure(r, sign).axes
        bold = [t for t in right.texts if t.get_fontweight() == "bold"]
        assert [t.get_position() for t in bold] == [(column + 0.5, row + 0.5)]
        plt.close("all")


def test_the_explorer_draws_what_the_student_wrote(lesson):
    """A wrong loss is seen as what it is."""
    no_min = clip.clip_like(lambda r, a, c: r.clamp(1 - c, 1 + c) * a)
    wrong = pg.plots.ClipExplorer(no_min, lesson["clip_gradient"], {})
    assert wrong.branch(1.5, "-") == "clip" and "?" in wrong.words(1.5, "-")
    assert wrong.branch(0.5, "+") == "clip"


def test_a_picture_stands_where_widgets_do_not_run(explorer, monkeypatch):
    assert {"image/png", "text/plain"} < set(explorer._repr_mimebundle_())
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("ipywidgets"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert set(explorer._repr_mimebundle_()) == {"image/png", "text/plain"}
    assert len(explorer.still().axes) == 6
    plt.close("all")
