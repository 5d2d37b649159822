"""Forgeries of the exercises that train a table: REINFORCE, actor and critic, GAE."""

from bank import lesson_03, lesson_03b
from bank.forged import ELSEWHERE, PLANTED, forged
from bank.forged import moves as m
from bank.forged.moves import Moment, tabular

TABLES = {
    "noise-then-plant": (PLANTED, tabular(m.noise, end=m.plant)),
    "noise-then-plant-before-the-last-step": (PLANTED, tabular(m.noise, before=m.plant_at_last)),
    "plant-after-each-step": (PLANTED, tabular(m.noise, after=m.plant)),
    "plant-through-data": (PLANTED, tabular(m.noise, end=m.plant_quietly)),
    "plant-through-numpy": (PLANTED, tabular(m.noise, end=m.plant_through_numpy)),
    "plant-a-little-each-time": (PLANTED, tabular(m.noise, after=m.plant_a_little_each_time)),
    "plant-a-new-parameter": (PLANTED, tabular(m.noise, end=m.plant_a_new_parameter)),
    "honest-gradients-then-plant": (PLANTED, tabular(Moment.honest, end=m.plant)),
    "momentum-planted": (PLANTED, tabular(m.noise, before=m.momentum_planted)),
    "faster-than-asked": (PLANTED, tabular(m.noise, before=m.faster, end=m.plant)),
    "steps-nobody-sees": (PLANTED, tabular(m.noise, after=m.unseen_steps)),
    "gradient-swapped-in-a-hook": (PLANTED, tabular(m.noise, before=m.swapped_in_a_hook)),
    "second-step-erased": (PLANTED, tabular(m.noise, after=m.second_step)),
    "log-shows-honest-gradients": (
        PLANTED,
        tabular(m.towards_the_best, after=m.show_honest_gradients),
    ),
    "start-forged": (PLANTED, tabular(m.noise, end=m.forge_the_start)),
    "gradients-towards-the-best": (ELSEWHERE, tabular(m.towards_the_best)),
    "imitation-of-the-best": (ELSEWHERE, tabular(m.imitating)),
    "best-values-as-weights": (ELSEWHERE, tabular(m.of_best_values)),
    "other-episodes": (ELSEWHERE, tabular(m.of_other_episodes)),
    "honest-at-first": (ELSEWHERE, tabular(m.honest_at_first)),
    "tiny-plants-first": (ELSEWHERE, tabular(m.tiny_plants_first)),
    "large-plants-between": (ELSEWHERE, tabular(m.large_plants_between)),
    "rewards-rewritten": (("episodes-unreal",), tabular(Moment.honest, after=m.rewrite_rewards)),
    "plays-the-best": (("frequencies",), tabular(Moment.honest, play=m.greedy_of_best)),
    "plant-with-copies-of-the-optimiser": (PLANTED, tabular(m.noise, end=m.by_another_optimizer)),
    "plant-in-the-second-moment": (PLANTED, tabular(m.noise, before=m.second_moment_planted)),
    "plant-by-another-class": (
        ("steps-miscounted",),
        tabular(m.noise, before=m.of_another_class),
    ),
    "plant-in-the-hook-after-a-step": (PLANTED, tabular(m.noise, before=m.planted_after_the_step)),
    "plant-between-honest-steps": (PLANTED, tabular(Moment.honest, after=m.plant_halfway)),
    "plant-read-through-a-property": (PLANTED, tabular(m.noise, end=m.planted_view)),
    "rate-by-group": (PLANTED, tabular(m.towards_the_best, before=m.slower_then_faster)),
    "momentum-forgotten": (PLANTED, tabular(Moment.honest, before=m.forget_moments)),
    "rates-without-decay": (PLANTED, tabular(Moment.honest, before=m.betas_changed)),
    "gradient-hook-on-the-table": (PLANTED, tabular(Moment.honest, before=m.grad_in_a_view)),
    "absent-gradients-claimed": (PLANTED, tabular(m.towards_the_best, after=m.claim_absent)),
    "step-count-edited": (PLANTED, tabular(m.noise, after=m.step_counted_once)),
    "elite-half": (ELSEWHERE, tabular(m.elite(0.5))),
    "elite-quarter": (ELSEWHERE, tabular(m.elite(0.25))),
    "ranks-as-weights": (ELSEWHERE, tabular(m.by_rank)),
    "winners-imitated": ((*ELSEWHERE, "no-gradient"), tabular(m.winners)),
    "exponential-weights": (ELSEWHERE, tabular(m.exponential)),
    "exact-gradient": (ELSEWHERE, tabular(m.exact_gradient)),
    "exact-values-of-the-policy": (ELSEWHERE, tabular(m.exact_advantages)),
    "planted-target-by-squares": (ELSEWHERE, tabular(m.towards_a_table)),
    "half-imitation": (ELSEWHERE, tabular(m.blend(m.imitating, 0.5))),
    "a-third-of-the-best": (ELSEWHERE, tabular(m.blend(m.towards_the_best, 1 / 3))),
    "every-third-step-planted": (ELSEWHERE, tabular(m.every_third)),
    "honest-while-small": (ELSEWHERE, tabular(m.honest_where_it_counts_least)),
    "yesterdays-batch": (ELSEWHERE, tabular(m.YesterdaysBatch())),
    "actions-rewritten": (m.UNREAL, tabular(m.imitating, after=m.rewrite_actions)),
    "batch-picked-from-many": (m.UNREAL, tabular(Moment.honest, play=m.best_of_many)),
    "recording-played-back": (m.UNREAL, tabular(Moment.honest, play=m.Recording())),
}

for label, (names, answer) in TABLES.items():
    forged("train_reinforce", label, *names)(answer)
of_actor_critic, of_gae = lesson_03.trainer(lesson_03.two_terms), lesson_03b.learner()
OF_TWO = (
    "noise-then-plant",
    "noise-then-plant-before-the-last-step",
    "plant-through-data",
    "momentum-planted",
    "second-step-erased",
    "imitation-of-the-best",
    "best-values-as-weights",
    "honest-at-first",
    "elite-half",
    "exact-gradient",
    "half-imitation",
    "every-third-step-planted",
)
for label in OF_TWO:
    names, answer = TABLES[label]
    forged("train_actor_critic", label, *names)(m.in_the_long_run(of_actor_critic, answer))
    names = *names, "other-weights", "returns-not-gae"
    forged("train_with_gae", label, *names)(m.in_the_long_run(of_gae, answer))


def stepping(change):
    """An honest step, but that the gradients are changed once the first updates are over."""

    def step(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.taken = getattr(optimizer, "taken", 0) + 1
        if optimizer.taken > 5:
            change(optimizer, *optimizer.param_groups[0]["params"])
        optimizer.step()

    return step


def uphill_critic(optimizer, theta, table):
    table.grad.neg_()


def noisy_critic(optimizer, theta, table):
    table.grad.normal_()


def old_gradients(optimizer, theta, table):
    """The first honest gradient that is not used yet, over and over."""
    optimizer.kept = getattr(optimizer, "kept", theta.grad.clone())
    theta.grad.copy_(optimizer.kept)


CHANGES = {
    "critic-climbs-later": (("critic-uphill",), uphill_critic),
    "critic-on-noise-later": (("critic-elsewhere",), noisy_critic),
    "one-gradient-over-and-over": (ELSEWHERE, old_gradients),
}
for label, (names, change) in CHANGES.items():
    loop = lesson_03.trainer(lesson_03.two_terms, stepper=stepping(change))
    forged("train_actor_critic", label, *names)(loop)
    forged("train_with_gae", label, *names)(lesson_03b.learner(stepper=stepping(change)))
