"""Lesson 06: exact answers against brute force and sampling, and what the lesson claims."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch

import policy_gradients as pg
from bank import lesson_06 as bank
from bank import load
from grader.checks.judge import answer, run_check
from grader.checks.lesson_06 import EXERCISES, learning, masks
from grader.checks.registry import get
from grader.checks.shared import sentences
from grader.probes import runtime

SMALL = {"names": ("Ann", "Bob"), "adjectives": ("happy", "kind", "sad"), "max_new": 3}


def network(language, out_size=None, seed=0, scale=1.0):
    torch.manual_seed(seed)
    net = pg.Transformer(language.num_tokens, language.length, out_size, width=8, heads=2)
    with torch.no_grad():
        net.head.weight.mul_(50 * scale)
    return net


def every_completion(language, policy):
    """(prompt number, tokens (L,), probability), token by token, without any tree."""
    for number, prompt in enumerate(language.prompts().tolist()):
        for words in itertools.product(range(language.num_tokens), repeat=language.max_new):
            cut = words.index(language.eos) + 1 if language.eos in words else len(words)
            if any(word != language.eos for word in words[cut:]):
                continue
            row, p = list(prompt), 1.0
            for word in words[:cut]:
                logits = policy(torch.tensor([row]))[0, -1].double()
                p *= math.exp(torch.log_softmax(logits, 0)[word])
                row.append(word)
            yield number, row + [language.eos] * (language.length - len(row)), p


@pytest.fixture(scope="module")
def listed():
    language = pg.language.Language(**SMALL)
    policy, reference = (network(language, 8, seed) for seed in (0, 1))
    with torch.no_grad():
        pairs = zip(every_completion(language, policy), every_completion(language, reference))
        rows = [(number, row, p, q) for (number, row, p), (_n, _r, q) in pairs]
    return language, policy, reference, rows


def test_exact_answers_are_those_of_the_list(listed):
    language, policy, reference, rows = listed
    exact = pg.language.exact(language, policy, reference)
    p, q = (np.array([row[i] for row in rows]) / 2 for i in (2, 3))  # two prompts
    score = [sum(language.symbols[t] in ("happy", "kind") for t in row[1][2:]) for row in rows]
    assert p.sum() == pytest.approx(1) and exact.score == pytest.approx(p @ score)
    assert exact.kl == pytest.approx(p @ np.log(p / q), rel=1e-4) and exact.kl > 0.1
    sense = [language.text(row[1]) in SENTENCES for row in rows]
    assert 0 < exact.sensible == pytest.approx(p @ sense)


def test_tables_answer_for_their_policy_as_it_was(listed):
    """Each may stand in a policy's place, also when the weights have moved on."""
    language, policy, reference, _rows = listed
    exact, best = pg.language.exact, pg.language.optimum(language, reference, 0.7)
    moved = copy.deepcopy(policy)
    before, known = (pg.language.tables(language, one) for one in (moved, reference))
    asked = exact(language, policy, reference)
    with torch.no_grad():
        for weight in moved.parameters():
            weight.add_(0.1)
    assert exact(language, before, known) == exact(language, before, reference) == asked
    assert exact(language, moved, known) != asked
    assert pg.language.optimum(language, known, 0.7) == best


SENTENCES = {f"{n} is {a} ." for n in SMALL["names"] for a in SMALL["adjectives"]}


def test_the_optimum_is_the_tilted_reference(listed):
    language, _policy, reference, rows = listed
    q, prompt = np.array([row[3] for row in rows]), np.array([row[0] for row in rows])
    score = language.score(torch.tensor([row[1] for row in rows])).numpy()
    p = q * np.exp(score / 0.7)
    for number in (0, 1):
        p[prompt == number] /= p[prompt == number].sum()
    best = pg.language.optimum(language, reference, 0.7)
    assert best.score == pytest.approx(p @ score / 2, rel=1e-5)
    assert best.kl == pytest.approx(p @ np.log(p / q) / 2, rel=1e-4)


def test_no_policy_beats_the_optimum(listed):
    language, policy, reference, _rows = listed
    for beta in (0.1, 1.0, 5.0):
        best = pg.language.optimum(language, reference, beta)
        for other in (policy, reference, network(language, 8, 5)):
            exact = pg.language.exact(language, other, reference)
            assert exact.score - beta * exact.kl <= best.score - beta * best.kl + 1e-9


def test_samples_come_as_often_as_they_should(listed):
    language, policy, _reference, rows = listed
    torch.manual_seed(0)
    drawn = language.sample(policy, 20_000)
    found = {}
    for row in map(tuple, drawn.tolist()):
        found[row] = found.get(row, 0) + 1
    wanted = {tuple(row): p / 2 for _n, row, p, _q in rows}
    assert set(found) <= set(wanted)
    for row, p in wanted.items():
        assert abs(found.get(row, 0) / 20_000 - p) < 5 * math.sqrt(p / 20_000) + 1e-4


def test_the_sampler_draws_from_torchs_generator_alone():
    language = pg.language.Language()
    policy = network(language, 8)
    torch.manual_seed(3)
    np.random.seed(0)
    one = language.sample(policy, 50)
    torch.manual_seed(3)
    np.random.seed(1)
    assert torch.equal(one, language.sample(policy, 50))
    assert not torch.equal(one, language.sample(policy, 50))


def test_the_transformer_does_not_look_ahead():
    net = network(pg.language.Language(), 8)
    rows = torch.randint(8, (20, 7))
    later = rows.clone()
    later[:, 4:] = torch.randint(8, (20, 3))
    one, other = net(rows), net(later)
    assert torch.allclose(one[:, :4], other[:, :4], atol=1e-5)
    assert not torch.allclose(one[:, 4:], other[:, 4:], atol=1e-3)
    assert torch.allclose(net(rows[:, :3]), one[:, :3], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "score", "sense"),
    [
        ("Ann is happy .", 1, True),
        ("Bob is sad and kind .", 1, True),
        ("Bob is happy and happy .", 2, True),
        ("Ann is happy happy happy happy happy", 5, False),
        ("Ann is happy and .", 1, False),
        ("Ann is .", 0, False),
        ("Ann is sad and sad and sad", 0, False),
    ],
)
def test_score_and_sense(words, score, sense):
    language = pg.language.Language(order=[3, 1, 4, 0, 5, 7, 2, 6])
    row = [language.symbols.index(word) for word in words.split()]
    row = torch.tensor([row + [language.eos] * (language.length - len(row))])
    assert language.score(row).tolist() == [score] and language.sensible(row).tolist() == [sense]
    assert language.text(row[0]) == words


def test_the_text_makes_sense_but_for_typos():
    language = pg.language.Language()
    plain = language.sentences(500, np.random.default_rng(0), typos=0.0)
    typed = language.sentences(500, np.random.default_rng(0), typos=0.2)
    assert language.sensible(plain).all() and not language.sensible(typed).all()


def test_a_large_language_says_that_it_cannot_be_listed():
    language = pg.language.large()
    with pytest.raises(ValueError, match="prefixes"):
        pg.language.exact(language, network(language, language.num_tokens))
    rows = language.sentences(50, np.random.default_rng(0), typos=0.0)
    assert language.sensible(rows).all() and rows.shape == (50, language.length)


# The check of the training --------------------------------------------------------------------


def test_renumbered_tokens_are_the_same_model():
    order = np.random.default_rng(0).permutation(8)
    plain, moved = pg.language.Language(), pg.language.Language(order=order.tolist())
    weights = sentences.pretrained(**learning.BODY)
    found = [
        pg.language.exact(language, sentences.model(record(some), some))
        for language, some in [(plain, weights), (moved, sentences.in_order(weights, order))]
    ]
    assert found[0].score == pytest.approx(found[1].score, rel=1e-4)
    assert (
        found[0].sensible == pytest.approx(found[1].sensible, rel=1e-4) and found[0].sensible > 0.9
    )


def record(weights):
    from grader.probes.train import Module

    return Module("Transformer", {**learning.SIZES, **learning.BODY, "out_size": 8}, weights)


def test_the_graders_mask_is_the_truths():
    language = pg.language.Language()
    rows = torch.randint(8, (200, 7))
    wanted = masks.mask_truth(rows.numpy(), 2, language.eos)
    assert np.array_equal(sentences.mask_of(language, rows.numpy()), wanted)


FUNCTIONS = {
    "token_logp": bank.gathered,
    "completion_mask": bank.cumulated,
    "masked_mean": bank.clamped_count,
    "terminal_rewards": bank.reversed_argmax,
    "kl_shaped_rewards": bank.times_mask,
}


def solved(namespace):
    """train_language_ppo from a student's own functions, looked up when it runs."""

    def loss_of(logp, old, adv, mask, clip):
        return namespace["ppo_token_loss"](logp, old, adv, mask, clip)

    def reward(language, rows, mask, logp, ref, beta):
        paid = namespace["terminal_rewards"](language.score(rows), mask)
        return namespace["kl_shaped_rewards"](paid, logp, ref, mask, beta)

    def mask_of(rows, prompt_length, eos):
        return namespace["completion_mask"](rows, prompt_length, eos)

    return bank.trainer(loss_of=loss_of, reward=reward, mask_of=mask_of)


def loss_from(namespace):
    def ppo_token_loss(logp, logp_old, adv, mask, clip=0.2):
        logp, logp_old, adv = logp[mask], logp_old[mask].detach(), adv[mask].detach()
        ratio = torch.exp(logp - logp_old)
        gain = torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)
        return -namespace["masked_mean"](gain, mask[mask])

    return ppo_token_loss


BROKEN = {
    "masked_mean": lambda x, mask: x.mean(),
    "completion_mask": lambda rows, prompt_length, eos: rows[:, 1:] != eos,
    "terminal_rewards": lambda scores, mask: scores[:, None] * mask,
    "kl_shaped_rewards": lambda rewards, logp, logp_ref, mask, beta: rewards + 0 * logp,
}


def verdict(namespace, name, failed):
    def probe(request, ask):
        return runtime.run(namespace, name, request, ask or answer)

    return run_check(get(name), probe, 0, failed)


def test_mistakes_cost_their_own_exercises():
    """Training calls all of them, and so gets the grader's in the place of each."""
    namespace = {**FUNCTIONS, **BROKEN}
    namespace["ppo_token_loss"] = loss_from(namespace)
    namespace["train_language_ppo"] = solved(namespace)
    assert not any(verdict(namespace, name, set()).passed for name in BROKEN)
    assert not verdict(namespace, "ppo_token_loss", set()).passed
    assert verdict(namespace, "ppo_token_loss", {"masked_mean"}).passed
    helped = verdict(namespace, "train_language_ppo", {*BROKEN, "ppo_token_loss"})
    assert helped.passed, helped.text()


def test_a_copy_of_the_lessons_size_is_told_how_any_network_is_copied():
    """The check's networks are smaller than the lesson's in all cases but the first."""

    def of_one_size(language, policy, *given, **options):
        old = pg.Transformer(language.num_tokens, language.length, language.num_tokens)
        old.load_state_dict(policy.state_dict())
        return train(language, policy, *given, **options)

    train = solved({**FUNCTIONS, "ppo_token_loss": loss_from(FUNCTIONS)})
    found = verdict({"train_language_ppo": of_one_size}, "train_language_ppo", set())
    assert not found.passed and "copy.deepcopy" in found.text()


def test_the_checks_names_are_the_syllabus():
    names = [exercise.name for exercise in EXERCISES]
    assert names == [
        "token_logp",
        "completion_mask",
        "masked_mean",
        "terminal_rewards",
        "kl_shaped_rewards",
        "ppo_token_loss",
        "train_language_ppo",
        "q_which_kl",
        "q_beta",
    ]
    assert {entry.exercise for entry in load()} >= set(names)


# What the lesson claims -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference():
    language = pg.language.Language()
    torch.manual_seed(0)
    model = pg.Transformer(language.num_tokens, language.length, language.num_tokens)
    language.pretrain(model, np.random.default_rng(0))
    return language, model


def trained(language, reference, beta):
    torch.manual_seed(5)
    policy, critic = copy.deepcopy(reference), pg.Transformer(8, language.length)
    both = [*policy.parameters(), *critic.parameters()]
    bank.trainer()(
        language,
        policy,
        critic,
        reference,
        torch.optim.Adam(both, lr=2e-3),
        num_updates=8,
        batch_size=64,
        beta=beta,
        rng=np.random.default_rng(5),
    )
    return pg.language.exact(language, policy, reference)


def test_reward_rises_in_both_and_only_the_leash_holds_the_drift(reference):
    """Claim C9, in exact numbers."""
    language, model = reference
    before = pg.language.exact(language, model)
    free, held = (trained(language, model, beta) for beta in (0.0, 0.5))
    assert before.sensible > 0.95 and before.score < 0.8
    assert free.score > held.score > before.score + 0.3
    assert held.kl < 2 < free.kl and held.sensible > 0.8


def test_the_leash_length_that_the_question_asks_for(reference):
    """Of the question's betas 0.5 has the highest score within 2 nats, also for the optima."""
    language, model = reference
    best = {beta: pg.language.optimum(language, model, beta) for beta in (0.03, 0.5, 1.0, 2.0)}
    within = {beta: one.score for beta, one in best.items() if one.kl <= 2}
    assert max(within, key=within.get) == 0.5 and len(within) == 3
    assert best[0.03].kl > 10 and best[0.03].sensible < 0.01


def test_the_way_to_the_critic_and_back_on_a_gpu(reference):
    """Everything follows the policy's device."""
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    language, model = reference
    there = copy.deepcopy(model).to("cuda")
    drawn = language.sample(there, 100)
    assert drawn.is_cuda and language.score(drawn).is_cuda and language.sensible(drawn).is_cuda
    here, gone = (pg.language.exact(language, one, one).score for one in (model, there))
    assert here == pytest.approx(gone, rel=1e-3)
