"""Lesson 05: what its text claims, its checks' truths, and the cost of a single mistake."""

import copy
import functools

import numpy as np
import pytest
import torch

import policy_gradients as pg
from bank import lesson_05 as bank
from bank import load
from grader.checking import seed_of
from grader.checks import lesson_05
from grader.checks.judge import run_check
from grader.checks.lesson_05 import collect, numbers, replayed, train, update
from grader.checks.registry import get
from grader.checks.shared import cartpole, scripted
from grader.probes import runtime
from publish import runs
from publish.solved import namespace
from tests.solved import replaced, verdicts

NAMES = [exercise.name for exercise in lesson_05.EXERCISES]
QUICK = [name for name in NAMES if name != "train_ppo"]
SOLVED = namespace("05_ppo_loop")


def networks(seed, rate=0.01):
    torch.manual_seed(seed)
    policy, critic = pg.MLP(4, 2, gain=0.01), pg.MLP(4)
    return policy, critic, torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=rate)


@functools.cache
def trained():
    """The policy after the run that the lesson shows, and the run's history."""
    policy, critic, optimizer = networks(2)
    envs, rng = pg.envs.VectorCartPole(32), np.random.default_rng(2)
    return policy, SOLVED["train_ppo"](envs, policy, critic, optimizer, 24, 64, rng)


# The checks as a whole


@pytest.mark.parametrize("seed", [0, 4711])
def test_the_solutions_pass_every_check(seed):
    asked = [name for name in NAMES if name in SOLVED]
    found = verdicts(SOLVED | bank_answers(), asked if seed else NAMES, seed)
    assert not [verdict.text() for verdict in found.values() if not verdict.passed]


def bank_answers():
    return {"q_first_step": "a", "bug_hunt": bank.FOUND}


# Wrong answers of which a later exercise makes use.
SINGLE_MISTAKES = [
    ("entropy", "negative"),
    ("entropy", "averaged"),
    ("entropy", "without_graph"),
    ("minibatches", "whole_ones_only"),
    ("minibatches", "counted_from_one"),
    ("minibatches", "torchs_generator"),
    ("normalize_advantages", "flattened"),
]


@pytest.mark.parametrize("name, label", SINGLE_MISTAKES)
def test_one_mistake_costs_one_exercise(name, label):
    (entry,) = [e for e in load() if e.exercise == name and e.label == label and e.mistake]
    found = verdicts(replaced(SOLVED, **bank_answers(), **{name: entry.answer}), QUICK)
    assert [n for n, verdict in found.items() if not verdict.passed] == [name]


@pytest.mark.parametrize(
    "answers",
    [
        {"collect_rollout": bank.greedy},
        {"ppo_update": bank.objective_as_a_loss, "normalize_advantages": lambda adv: adv * np.nan},
    ],
    ids=["collect", "update"],
)
def test_training_is_right_once_its_parts_are(answers):
    names = ["normalize_advantages", "collect_rollout", "ppo_update", "train_ppo"]
    found = verdicts(replaced(SOLVED, **answers), names)
    assert {n for n, verdict in found.items() if not verdict.passed} == set(answers)
    assert all(name in found["train_ppo"].note for name in answers)


def test_exercises_left_out_cost_their_own_points_alone():
    names = copy.copy(SOLVED)
    left_out = ["collect_rollout", "minibatches", "entropy", "ppo_update", "explained_variance"]
    names = replaced(names)
    for name in left_out:
        exec(f"def {name}(*args, **kwargs):\n    raise NotImplementedError", names)
    found = verdicts(names, ["normalize_advantages", *left_out, "train_ppo"])
    assert [n for n, verdict in found.items() if not verdict.passed] == left_out
    assert all(found[name].mistake == "not-written" for name in left_out)


# Training is judged in the grader's own environment


def test_weights_made_elsewhere_do_not_pass():
    """A policy that solves the usual CartPole fails in one whose labels are mixed up."""
    policy, _history = trained()
    weights = {name: p.detach().numpy() for name, p in policy.named_parameters()}
    assert cartpole.sampled_returns(weights, {"num_envs": 100}, seed=1).mean() >= 475
    relabelled = 0
    for seed in range(12):
        case = train.train_cases(seed_of("train_ppo", seed))[1]
        kwargs = {**case.inputs["envs"].kwargs, "num_envs": 50}
        relabelled += cartpole.sampled_returns(weights, kwargs, seed=1).mean() >= 475
    assert relabelled <= 1


def test_numbers_that_the_student_reports_earn_nothing():
    def reporter(envs, policy, critic, optimizer, num_updates, num_steps, rng, **options):
        history = SOLVED["train_ppo"](
            envs, policy, critic, optimizer, num_updates, num_steps, rng, **options
        )
        if num_updates > 2:  # the two updates of known size are followed one by one
            with torch.no_grad():
                for parameter in policy.parameters():
                    parameter.mul_(0.0)
        return history

    verdict = run_check(
        get("train_ppo"), lambda q, a: runtime.run({"train_ppo": reporter}, "train_ppo", q, a), 0
    )
    assert verdict.mistake == "moved-without-steps"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report.clear(),
        lambda report: report["attempts"].clear(),
        lambda report: report["attempts"][0].pop("modules"),
        lambda report: report["attempts"][0]["modules"]["policy"].update(after={}),
        lambda report: report["attempts"][0]["envs"]["envs"].update(rewards=np.zeros(3)),
        lambda report: report["attempts"][0].update(
            value={"kind": "list", "length": 20, "items": 1}
        ),
        lambda report: report.update(attempts=[5]),
    ],
)
def test_a_forged_reply_never_passes_and_never_raises(spoil):
    """From an honest report one part is taken away or replaced."""
    exercise = get("train_ppo")
    cases = exercise.cases(seed_of("train_ppo", 0))
    honest = _honest_report(cases)
    spoil(honest[1])
    assert not exercise.judge(cases, honest).passed


_reports = {}


def _honest_report(cases):
    if not _reports:
        names = {"train_ppo": SOLVED["train_ppo"]}
        _reports["honest"] = runtime.run(names, "train_ppo", get("train_ppo").request(cases))
        assert get("train_ppo").judge(cases, _reports["honest"]).passed
    return copy.deepcopy(_reports["honest"])


# Truths against something else than themselves


def test_replay_agrees_with_autograd():
    """One minibatch after another, by torch: every weight and every metric."""
    for case in update.update_cases(np.random.default_rng(3)):
        inputs = case.inputs
        samples, start = replayed.samples_of(inputs), replayed.start_weights(inputs)
        rng = np.random.default_rng(0)
        count, part = len(samples.actions), inputs["minibatch_size"]
        rows = [idx for _ in range(inputs["epochs"]) for idx in bank.permuted(count, part, rng)]
        weights = {n: torch.tensor(w.astype(float), requires_grad=True) for n, w in start.items()}
        optimizer = torch.optim.SGD(weights.values(), lr=inputs["optimizer"].kwargs["lr"])
        wanted, log = replayed.replayed(inputs, rows)
        for idx, metrics in zip(rows, log, strict=True):
            found = _by_torch(weights, samples.take(idx), inputs)
            optimizer.zero_grad()
            found.pop("total").backward()
            optimizer.step()
            for name, value in found.items():
                np.testing.assert_allclose(metrics[name], value.item(), rtol=1e-8, atol=1e-12)
        for name, weight in weights.items():
            np.testing.assert_allclose(wanted[name], weight.detach(), rtol=1e-8)


def _by_torch(weights, batch, inputs):
    parts = (torch.as_tensor(part) for part in vars(batch).values())
    obs, actions, logp_old, adv, ret = parts
    drawn = torch.distributions.Categorical(
        logits=obs @ weights["policy.weight"].T + weights["policy.bias"]
    )
    values = (obs @ weights["critic.weight"].T + weights["critic.bias"])[:, 0]
    log_ratio = drawn.log_prob(actions) - logp_old
    ratio, clip = log_ratio.exp(), inputs["clip"]
    found = {
        "policy_loss": -torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean(),
        "value_loss": torch.nn.functional.mse_loss(values, ret),
        "entropy": drawn.entropy().mean(),
        "approx_kl": (torch.expm1(log_ratio) - log_ratio).mean(),
        "clip_fraction": ((ratio < 1 - clip) | (ratio > 1 + clip)).double().mean(),
    }
    total = found["policy_loss"] + inputs["value_coef"] * found["value_loss"]
    return found | {"total": total - inputs["entropy_coef"] * found["entropy"]}


def test_truth_of_entropy_agrees_with_torch():
    for case in numbers.entropy_cases(np.random.default_rng(0)):
        logits = torch.tensor(case.inputs["logits"].array.astype(float), requires_grad=True)
        drawn = torch.distributions.Categorical(logits=logits)
        truth = numbers.entropy_truth(logits.detach().numpy())
        np.testing.assert_allclose(truth.value, drawn.entropy().detach(), atol=1e-9)
        (drawn.entropy() * torch.as_tensor(case.upstream)).sum().backward()
        slopes = truth.gradients["logits"](case.upstream)
        np.testing.assert_allclose(slopes, logits.grad, atol=1e-7)


def test_truth_of_the_advantages_in_closed_form():
    """Errors of 1 everywhere: sums of a geometric series, cut where an episode ends."""
    steps, ratio = 6, 0.9 * 0.5
    zeros, flags = np.zeros((steps, 1)), np.zeros((steps, 1), bool)
    fields = {
        "rewards": zeros + 1,
        "values": zeros,
        "next_values": zeros,
        "terminated": flags.copy(),
        "truncated": flags.copy(),
    }
    fields["truncated"][2] = True
    left = np.array([3, 2, 1, 3, 2, 1])
    found = train.gae_truth(fields, 0.9, 0.5)[:, 0]
    np.testing.assert_allclose(found, (1 - ratio**left) / (1 - ratio))


def test_truth_of_a_rollout_is_what_the_environment_shows():
    """The scripted environment against a plain loop over its own steps."""
    case = collect.collect_cases(np.random.default_rng(0))[0]
    envs = case.inputs["envs"].materialize()
    critic = case.inputs["critic"].materialize()
    obs, _ = envs.reset()
    actions = np.random.default_rng(1).integers(3, size=(4, 3))
    wanted = collect.collect_fields(case, {"played": {"actions": actions}}, 0)
    for t in range(4):
        np.testing.assert_array_equal(wanted["obs"][t], obs)
        obs, rewards, terminated, truncated, infos = envs.step(actions[t])
        np.testing.assert_allclose(wanted["rewards"][t], rewards)
        for i in range(3):
            last = infos["final_obs"][i] if terminated[i] or truncated[i] else obs[i]
            np.testing.assert_allclose(wanted["next_values"][t, i], critic(last).item(), rtol=1e-5)
    assert terminated.any() and truncated.any()


def test_the_graders_networks_and_play_are_the_package_s():
    torch.manual_seed(0)
    policy = pg.MLP(4, 2, gain=1.0)
    weights = {name: p.detach().numpy() for name, p in policy.named_parameters()}
    obs = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    np.testing.assert_allclose(cartpole.mlp(weights, obs), policy(obs).detach(), atol=1e-5)
    mine = cartpole.sampled_returns(weights, {"num_envs": 2000}, seed=0)
    package = pg.evaluation.sampled_returns(policy, pg.envs.VectorCartPole(2000), seed=1)
    error = np.sqrt(mine.var() / 2000 + package.var() / 2000)
    assert abs(mine.mean() - package.mean()) < 5 * error


def test_a_steady_hand_scores_500_in_the_grader_s_evaluation():
    """Weights that turn a known good linear rule into logits, seen through other labels."""
    rule = np.array([0.5, 1.0, 10.0, 3.0]) * 50
    for seed in range(3):
        kwargs = train.train_cases(seed_of("train_ppo", seed))[1].inputs["envs"].kwargs
        seen = rule[kwargs["obs_order"]] * kwargs["obs_signs"]
        logits = np.stack([-seen, seen])[kwargs["action_order"]]
        weights = {"layers.0.weight": logits, "layers.0.bias": np.zeros(2)}
        returns = cartpole.sampled_returns(weights, {**kwargs, "num_envs": 20}, seed=seed)
        assert returns.mean() == 500


def test_networks_of_one_layer_are_what_the_truths_take_them_for():
    rng = np.random.default_rng(0)
    for out in (3, None):
        module = scripted.linear(rng, 2, out)
        obs = rng.normal(size=(4, 5, 2))
        np.testing.assert_allclose(
            scripted.layer(module, obs), module.materialize()(obs).detach(), atol=1e-5
        )


# What the lesson claims


@pytest.fixture(scope="module")
def first_rollout():
    policy, critic, _optimizer = networks(0)
    envs = pg.envs.VectorCartPole(32)
    rollout, _obs = SOLVED["collect_rollout"](envs, policy, critic, envs.reset(seed=0)[0], 64)
    flags = rollout.terminated, rollout.truncated
    adv = SOLVED["gae"](rollout.rewards, rollout.values, rollout.next_values, *flags, 0.98, 0.9)
    return policy, critic, rollout, adv


def reused(first_rollout, clip, sizes):
    """KL and the like of one epoch after the other on one rollout."""
    policy, critic, rollout, adv = first_rollout
    nets = copy.deepcopy(policy), copy.deepcopy(critic)
    optimizer = torch.optim.Adam([p for net in nets for p in net.parameters()], lr=0.01)
    options = {"epochs": 1, "clip": clip, "value_coef": 0.5, "entropy_coef": 0.0}
    whitened = SOLVED["normalize_advantages"](adv)
    return [
        SOLVED["ppo_update"](
            *nets,
            optimizer,
            rollout,
            whitened,
            adv + rollout.values,
            **options,
            minibatch_size=size,
            rng=np.random.default_rng(epoch),
        )
        for epoch, size in enumerate(sizes)
    ]


def test_the_first_ratios_are_one(first_rollout):
    (log,) = reused(first_rollout, 0.2, [2048])
    assert log["clip_fraction"] == 0
    assert log["approx_kl"] == pytest.approx(0, abs=1e-8)
    assert log["policy_loss"] == pytest.approx(0, abs=1e-6)
    assert log["entropy"] == pytest.approx(np.log(2), abs=1e-3)


def test_the_clip_holds_the_kl_of_a_reused_batch(first_rollout):
    held = reused(first_rollout, 0.2, [512] * 8)
    free = reused(first_rollout, np.inf, [512] * 8)
    assert max(log["approx_kl"] for log in held) < 0.05
    assert free[-1]["approx_kl"] > 1 and free[-1]["entropy"] < 0.1
    assert free[-1]["policy_loss"] < 3 * held[-1]["policy_loss"] < 0


def test_a_wrong_end_changes_the_value_of_a_standing_pole():
    left = np.array([1, 10, 500])
    by_sum = [sum(0.98**k for k in range(n)) for n in left]
    np.testing.assert_allclose((1 - 0.98**left) / (1 - 0.98), by_sum)
    assert by_sum[0] == 1 and by_sum[-1] == pytest.approx(50, abs=0.01)


def test_cartpole_is_solved_in_24_rounds_and_the_gauges_look_as_the_text_says():
    policy, history = trained()
    tests = pg.envs.VectorCartPole(100)
    assert pg.evaluation.sampled_returns(policy, tests, seed=1).mean() >= 475
    gauges = {key: np.array([row[key] for row in history]) for key in runs.GAUGES[:-1]}
    assert gauges["entropy"][0] > 0.68 and gauges["entropy"][-1] < 0.55
    assert 0.001 < np.median(gauges["approx_kl"]) < 0.03
    assert gauges["explained_variance"][5:15].max() > 0.7
    assert gauges["mean_return"][0] < 30


def test_live_panels_watch_and_step_aside():
    names = {"ppo_update": SOLVED["ppo_update"], "explained_variance": SOLVED["explained_variance"]}
    policy, critic, optimizer = networks(0)
    envs = pg.envs.VectorCartPole(4)
    rollout, _obs = SOLVED["collect_rollout"](envs, policy, critic, envs.reset(seed=0)[0], 40)
    panels = pg.plots.LivePanels(num_envs=4, updates=2)
    adv = np.ones_like(rollout.rewards)
    with panels.watching(names):
        log = names["ppo_update"](
            policy,
            critic,
            optimizer,
            rollout,
            adv,
            returns=adv,
            epochs=1,
            minibatch_size=16,
            clip=0.2,
            value_coef=0.5,
            entropy_coef=0.0,
            rng=np.random.default_rng(0),
        )
    assert names["ppo_update"] is SOLVED["ppo_update"]
    (row,) = panels.rows
    assert row["first_ratio"] == pytest.approx(0, abs=1e-5) and row["entropy"] == log["entropy"]
    assert row["mean_return"] == pg.EpisodeReturns(4).mean_return(rollout)


@pytest.mark.parametrize(("updates", "drawings"), [(1, [1]), (4, [2, 4]), (5, [2, 4, 5])])
def test_live_panels_draw_every_few_updates_and_the_last_one(monkeypatch, updates, drawings):
    """Each drawing costs as much as several updates, so that none is made twice."""
    nothing = {"policy": None, "rollout": None, "returns": None}
    names = {"ppo_update": lambda policy, rollout, returns: {}}
    panels, seen = pg.plots.LivePanels(num_envs=1, updates=updates, every=2), []
    monkeypatch.setattr(panels, "_before", lambda *_: {})
    monkeypatch.setattr(panels, "show", lambda: seen.append(len(panels.rows)))
    with panels.watching(names):
        for _ in range(updates):
            names["ppo_update"](**nothing)
    assert seen == drawings


# Stored runs


def decoy(bug):
    """The gauges of a stored run, {key: (updates,)}."""
    stored = np.load(runs.UNSEEN / "decoys.npz")
    return {gauge: stored[f"{bug}/{gauge}"] for gauge in runs.GAUGES}


def test_stored_runs_are_those_that_the_script_makes():
    """The first updates again; later ones may drift apart with another machine's rounding."""
    stored, lesson = pg.stored_runs("bug_hunt"), namespace("05_ppo_loop")
    stored |= {bug: decoy(bug) for bug in runs.DECOYS}
    bugs = runs.BROKEN | runs.DECOYS
    for name in ("B", "C", "F", "healthy", *runs.DECOYS):
        again = runs.bug_run(lesson, **bugs[name], updates=2)
        for gauge, values in again.items():
            np.testing.assert_allclose(stored[name][gauge][:2], values, rtol=0.02, atol=2e-3)


def test_a_broken_run_leaves_the_functions_as_they_were():
    lesson = namespace("05_ppo_loop")
    before = dict(lesson)
    runs.bug_run(lesson, **runs.BROKEN["B"], updates=1)
    assert lesson == before


def test_the_gauges_of_the_bug_hunt_tell_the_bugs_apart():
    hunt = pg.stored_runs("bug_hunt")
    healthy = hunt.pop("healthy")
    assert np.nanmean(healthy["mean_return"][-10:]) > 475
    assert all(np.nanmean(run["mean_return"][-10:]) < 250 for run in hunt.values())
    assert np.abs(hunt["A"]["explained_variance"]).max() < 0.1
    still = ("approx_kl", "clip_fraction")
    for name in "BF":
        assert max(np.abs(hunt[name][gauge]).max() for gauge in still) < 1e-6
    assert hunt["B"]["entropy"][-1] < 0.01 < 0.69 < hunt["F"]["entropy"].min()
    assert hunt["C"]["approx_kl"].min() > 1e-4 and hunt["C"]["entropy"].min() > 0.65
    assert hunt["D"]["approx_kl"].max() > 0.5 and hunt["D"]["mean_return"].max() > 200
    assert np.nanmean(hunt["E"]["mean_return"][-10:]) < 12
    assert hunt["G"]["approx_kl"].max() < 0.5 < hunt["E"]["approx_kl"].max()
    assert np.nanmean(hunt["G"]["mean_return"][-10:]) < 12
    first = {name: run["first_ratio"].max() for name, run in hunt.items()}
    assert first.pop("H") > 0.2 and max(first.values()) < 1e-4
    assert set(hunt) == set("ABCDEFGH")


@pytest.mark.parametrize("bug", runs.DECOYS)
def test_a_bug_that_is_not_there_would_look_different_from_every_run_shown(bug):
    """By more than a tenth of a panel's height in the median, or in ranges that don't meet."""
    hunt = pg.stored_runs("bug_hunt")
    del hunt["healthy"]
    unseen = decoy(bug)
    for name, run in hunt.items():
        assert _far_apart(unseen, run) or _ranges_apart(unseen, run), name


def _far_apart(one, other):
    panels = (*pg.plots.ppo.PANELS, pg.plots.ppo.FIRST_RATIO)
    for key, _title, (low, high) in panels:
        gap = np.abs(np.clip(one[key], low, high) - np.clip(other[key], low, high))
        if np.nanmedian(gap) > 0.1 * (high - low):
            return True
    return False


def _printed(numbers):
    return [float(f"{f(numbers):.2g}") for f in (np.nanmin, np.nanmax)]


def _ranges_apart(one, other):
    """As the lesson prints them: two digits of the smallest and of the largest number."""
    for key in list(one)[1:5]:
        (_least, low), (high, _most) = sorted(_printed(run[key]) for run in (one, other))
        if low < high:
            return True
    return False


def test_learning_curves_show_what_the_text_says():
    curves = pg.stored_runs("learning_curves")
    names = ("reinforce", "actor_critic", "ppo_k1", "ppo_k1_small", "ppo_k4", "ppo_k10")
    names = (*names, "no_clip_k10")
    assert all(len(curves[name]) >= 10 for name in names)
    mean = {name: curves[name].mean() for name in names}
    assert min(mean["ppo_k4"], mean["ppo_k10"]) > 1.2 * max(
        mean["reinforce"], mean["actor_critic"], mean["ppo_k1"], mean["no_clip_k10"]
    )
    ends = {name: curves[name][:, -3:].mean(1) for name in names}
    assert (ends["ppo_k4"] >= 400).all()
    assert (ends["no_clip_k10"] < 400).sum() >= 4 and ends["no_clip_k10"].min() < 20
    solved = {name: (curves[name] >= 475).any(1).mean() for name in names}
    assert solved["ppo_k4"] == solved["ppo_k1_small"] == 1 and solved["ppo_k1"] < 0.5
    first = curves["steps"][(curves["ppo_k4"] >= 475).argmax(1)]
    assert np.median(first) < 25_000
    assert (ends["reinforce"] < 200).sum() == 5
    late = curves["steps"] >= 49_000
    share = {n: (curves[n][:, late] >= 475).mean() for n in ("ppo_k4", "cut_as_terminated")}
    assert share["ppo_k4"] > 0.95 and share["cut_as_terminated"] < 0.75
    rates = dict(zip(curves["rates"], zip(*(curves[f"{n}_tuning"] for n in names[5:]))))
    assert all(rates[rate][0] > 300 for rate in (0.003, 0.01, 0.03)) and rates[0.03][1] < 50
    assert curves["no_clip_k10_rate"] < curves["ppo_k10_rate"]
    for name in names:
        tuning = curves[f"{name}_tuning"]
        assert curves[f"{name}_rate"] == curves["rates"][tuning.argmax()]


def test_one_stored_curve_is_made_again():
    stored = pg.stored_runs("learning_curves")
    run = runs.ppo(namespace("05_ppo_loop"), epochs=4)
    short = _first_points(run, runs.SEEDS[0], float(stored["ppo_k4_rate"]))
    np.testing.assert_allclose(short, stored["ppo_k4"][0, : len(short)], rtol=0.1)


def _first_points(run, seed, rate, updates=2):
    kept, runs.UPDATES = runs.UPDATES, updates
    try:
        return run(seed, rate)[1][:2]
    finally:
        runs.UPDATES = kept


def test_an_unknown_file_of_runs_is_named():
    with pytest.raises(FileNotFoundError, match="bug_hunt"):
        pg.stored_runs("none")


def test_stored_files_are_small():
    folder = runs.FOLDER
    assert sum(path.stat().st_size for path in folder.glob("*.npz")) < 300_000
