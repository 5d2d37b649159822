"""Lesson 07: all sentences listed, the sampler's options, and runs that can be told apart."""

import itertools

import numpy as np
import pytest
import torch

import policy_gradients as pg
from bank import lesson_07 as bank
from grader.checks.lesson_07 import EXERCISES
from policy_gradients.plots.groups import PANELS


def network(language, seed=0):
    torch.manual_seed(seed)
    net = pg.Transformer(language.num_tokens, language.length, 8, width=8)
    with torch.no_grad():
        net.head.weight.mul_(40)
    return net


@pytest.mark.parametrize("length", [2, 3])
def test_every_sentence_is_listed_once_with_its_log_probability(length):
    language = pg.language.Language(max_new=length)
    policy, rows = network(language), pg.language.listed(language)
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)
    logp = pg.language.listed_logp(language, policy)
    assert logp.sum(1).exp().sum().item() == pytest.approx(2)
    with torch.no_grad():
        wanted = bank.scored(policy, rows).double() * bank.own_tokens(rows, language)
    assert torch.allclose(logp, wanted, atol=1e-4)
    logp.sum().backward()
    assert policy.head.weight.grad.abs().sum() > 0


def test_prompts_temperature_and_top_k_reach_the_sampler():
    language = pg.language.Language(max_new=3)
    policy, asked = network(language), language.prompts()[[1, 0, 1]].repeat(200, 1)
    torch.manual_seed(0)
    drawn = language.sample(policy, prompts=asked)
    assert torch.equal(drawn[:, :2], asked)
    with torch.no_grad():
        first = policy(asked)[:, -1]
    two = language.sample(policy, prompts=asked, top_k=2)[:, 2:3]
    assert (first.gather(1, two) >= first.topk(2).values[:, -1:]).all()
    cold = language.sample(policy, prompts=asked, temperature=1e-3)[:, 2]
    assert torch.equal(cold, first.argmax(1))


@pytest.mark.parametrize(
    ("words", "score"),
    [
        ("Ann is happy .", 1),
        ("Bob is sad .", 0),
        ("Ann is happy happy .", 0),
        ("Bob is sad and kind .", 1),
        ("Ann is kind and happy .", 1),
    ],
)
def test_the_checkers_task(words, score):
    language = pg.language.Language(task="once")
    row = [language.symbols.index(word) for word in words.split()]
    row += [language.eos] * (language.length - len(row))
    assert language.score(torch.tensor([row])).tolist() == [score]


def test_every_run_of_the_hunt_can_be_told_from_every_other():
    """Whoever reads the gauges' smallest and largest numbers sees a difference, decoys included."""
    runs = pg.stored_runs("token_bug_hunt")
    for one, other in itertools.combinations(runs, 2):
        apart = []
        for key, _title, limits in PANELS:
            pairs = [(runs[name][key].min(), runs[name][key].max()) for name in (one, other)]
            apart.append(np.abs(np.subtract(*pairs)).max() / (limits[1] - limits[0]))
        assert max(apart) > 0.05, (one, other)


def test_the_checks_names_are_the_syllabus():
    assert [exercise.name for exercise in EXERCISES] == [
        "rloo_advantages",
        "grpo_advantages",
        "aggregate_loss",
        "grpo_loss",
        "kl_reward_loss",
        "kl_in_loss",
        "train_grpo",
        "token_bug_hunt",
        "q_equal_scores",
        "q_divide_by_std",
        "q_k3_as_loss",
        "q_zero_loss",
    ]
