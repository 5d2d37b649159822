"""How small a deviation the checks of random behaviour tell, and how seldom they accuse."""

import math
from pathlib import Path

import numpy as np
import pytest

from grader.checking import seed_of
from grader.checks.lesson_01.rollout import rollout_cases
from grader.checks.lesson_05 import batches
from grader.checks.lesson_05.collect import collect_cases
from grader.checks.shared import sampling
from grader.checks.shared.episodes import softmax
from grader.checks.shared.scripted import layer

SECRETS = range(100)
PAGE = Path(__file__).parents[1] / "docs" / "grading.md"
WORDS = {
    "temperature": lambda size: f"temperature {size:g}",
    "random-actions": lambda size: f"{100 * size:g} % random actions",
}


def collected(secret):
    """The probabilities of all actions that collect_rollout's draws are judged by, (n, A)."""
    case = collect_cases(seed_of("collect_rollout", secret))[-1].inputs
    obs = case["envs"].shown[: case["num_steps"]]
    probs = softmax(layer(case["policy"], obs))
    return probs.reshape(-1, probs.shape[-1])


def played(secret):
    """The same for rollout's case of many actions, whose states follow one another."""
    case = rollout_cases(seed_of("rollout", secret))[5].inputs
    states = np.arange(case["env"].kwargs["max_steps"]) % 3
    return np.tile(softmax(case["theta"])[states], (case["episodes"], 1))


@pytest.fixture(scope="module")
def powers():
    """(exercise, deviation) -> the least power over the secrets."""
    found = {}
    for secret in SECRETS:
        draws = {"collect_rollout": collected(secret)}
        if secret < 5:  # the probabilities are those of every secret, in another order
            draws["rollout"] = played(secret)
        for exercise, probabilities in draws.items():
            for deviation in sampling.SMALLEST:
                key = exercise, deviation
                found[key] = min(sampling.power(probabilities, deviation), found.get(key, 1.0))
    return found


def test_the_smallest_deviations_are_told_in_99_of_100_secrets(powers):
    assert min(powers.values()) >= 0.99, powers


def test_an_honest_player_is_accused_once_in_a_thousand_million():
    """At most: nine comparisons of a check, each of them at ALARM."""
    assert 9 * sampling.ALARM <= 1e-9 and 9 * sampling.FALSE_ALARM <= 1e-9


def test_the_page_names_each_deviation(powers):
    """docs/grading.md has one row for each exercise and deviation."""
    page = PAGE.read_text(encoding="utf-8")
    for exercise, (kind, size) in powers:
        row = f"| `{exercise}` | {WORDS[kind](size)} |"
        assert row in page, row
    assert f"| `rollout` | an episode repeated once in {1 / sampling.REUSED:.0f} |" in page
    for row in (
        f"an order used again once in {1 / batches.AGAIN:.0f} calls",
        f"nothing shuffled once in {1 / batches.SORTED:.0f} calls",
        f"two of six indices in one minibatch in {batches.TOGETHER:.0%} of the calls".replace(
            "%", " %"
        ),
        f"an index in one of three minibatches in {batches.THERE:.0%} of the calls".replace(
            "%", " %"
        ),
    ):
        assert f"| `minibatches` | {row} | 99 of 100 secrets |" in page, row


def test_a_power_holds_where_it_is_tried():
    """The normal law of the sum against draws."""
    rng = np.random.default_rng(0)
    probs = softmax(rng.normal(size=(400, 3)) * 1.5)
    alternative = dict(sampling._alternatives(probs))["temperature", 0.5]
    told = 0
    for _ in range(300):
        draws = (rng.random((400, 1)) > alternative.cumsum(-1)[:, :-1]).sum(-1)
        told += sampling.bent(draws, probs) is not None
    assert abs(told / 300 - sampling.power(probs, ("temperature", 0.5))) < 0.1


def test_an_episode_repeated_once_in_ten_is_told_in_99_of_100_secrets():
    """On rollout's case of many actions; which one is repeated is drawn, too."""
    case = rollout_cases(seed_of("rollout", 0))[5].inputs
    steps = range(case["env"].kwargs["max_steps"])
    probabilities = softmax(case["theta"])[np.arange(len(steps)) % 3]
    told = 0
    for secret in SECRETS:
        rng = np.random.default_rng(secret)
        parts = [rng.choice(64, size=case["episodes"], p=row) for row in probabilities]
        draws = np.stack(parts, axis=1)
        for number in range(1, len(draws)):
            if rng.random() < sampling.REUSED:
                draws[number] = draws[rng.integers(number)]
        chances = np.log(probabilities[steps, draws]).sum(1)
        told += sampling.repeated([row.tobytes() for row in draws], chances)
    assert told >= 99


def test_repeated_episodes_are_told_and_chance_repetitions_are_not():
    rng = np.random.default_rng(1)
    entropy = 30 * np.log(2)
    fresh = rng.integers(2, size=(100, 30))
    assert not sampling.repeated([row.tobytes() for row in fresh], np.full(100, -entropy))
    reused = fresh.copy()
    reused[::10] = fresh[0]
    assert sampling.repeated([row.tobytes() for row in reused], np.full(100, -entropy))
    short = rng.integers(2, size=(100, 2))  # four episodes there are: all come again
    assert not sampling.repeated([row.tobytes() for row in short], np.full(100, -2 * np.log(2)))


@pytest.mark.parametrize("deviation", ["again", "sorted"])
def test_minibatches_that_are_right_in_most_calls_are_told(deviation):
    told = 0
    for secret in SECRETS:
        rng, orders = np.random.default_rng(secret), []
        for _call in range(batches.CALLS):
            slip = rng.random() < (batches.AGAIN if deviation == "again" else batches.SORTED)
            if slip and deviation == "sorted":
                orders.append(list(range(40)))
            elif slip and orders:
                orders.append(orders[rng.integers(len(orders))])
            else:
                orders.append(rng.permutation(40).tolist())
        told += batches.now_and_then(orders) is not None
    assert told >= 99


@pytest.mark.parametrize("chance, deviation", [(1 / 5, batches.TOGETHER), (1 / 3, batches.THERE)])
def test_uneven_minibatches_are_told(chance, deviation):
    """How often the count of such calls is unlikely, from the binomial law of the deviation."""
    times = batches.TIMES
    told = 0.0
    for count in range(times + 1):
        if sampling.unlikely(np.arange(times) < count, np.full(times, chance)):
            logs = math.lgamma(times + 1) - math.lgamma(count + 1) - math.lgamma(times - count + 1)
            logs += count * math.log(deviation) + (times - count) * math.log(1 - deviation)
            told += math.exp(logs)
    assert told >= 0.99
    assert 33 * sampling.FALSE_ALARM <= 1e-9
