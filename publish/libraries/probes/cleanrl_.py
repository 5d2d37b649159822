"""CleanRL is no package: what its ppo.py computes, restated in words of our own, without torch."""

import math

from answers import INPUTS, Answers

FILE = "cleanrl/ppo.py of vwxyzjn/cleanrl at 020cf0e"


def gae():
    """Termination and time limit are one flag, `done`; the next value is that of the next row."""
    script = INPUTS["gae"]
    ends = [a or b for a, b in zip(script["terminated"], script["truncated"], strict=True)]
    following, running, found = script["next_values"][-1], 0.0, []
    rows = list(zip(script["rewards"], script["values"], ends, strict=True))
    for reward, value, done in reversed(rows):
        goes_on = 0.0 if done else script["gamma"]
        delta = reward + goes_on * following - value
        running = delta + goes_on * script["lam"] * running
        found.insert(0, running)
        following = value
    return found


def mean(numbers):
    return math.fsum(numbers) / len(numbers)


def whitened(adv):
    spread = math.sqrt(math.fsum((a - mean(adv)) ** 2 for a in adv) / (len(adv) - 1))
    return [(a - mean(adv)) / (spread + 1e-8) for a in adv]


def clip():
    given = INPUTS["clip"]
    log_ratios = [a - b for a, b in zip(given["logp"], given["logp_old"], strict=True)]
    ratios = [math.exp(one) for one in log_ratios]
    held = [min(max(r, 0.8), 1.2) for r in ratios]
    rows = zip(ratios, held, given["adv"], strict=True)
    return {
        "loss": mean([max(-a * r, -a * h) for r, h, a in rows]),
        "clip_fraction": mean([float(abs(r - 1) > 0.2) for r in ratios]),
        "approx_kl": mean([r - 1 - d for r, d in zip(ratios, log_ratios, strict=True)]),
        "old_approx_kl": mean([-d for d in log_ratios]),
    }


def values():
    given = INPUTS["values"]
    found = []
    for v, old, ret in zip(given["values"], given["old_values"], given["returns"], strict=True):
        near = old + min(max(v - old, -given["clip"]), given["clip"])
        found.append(max((v - ret) ** 2, (near - ret) ** 2))
    return 0.5 * mean(found)


answers = Answers("cleanrl")
answers.restated("gae", FILE, gae())
answers.restated("whitening", FILE, {"adv": whitened(INPUTS["whitening"]["adv"])}, "per minibatch")
answers.restated("clip", FILE, clip(), "both KLs are of the last minibatch")
answers.restated("values", FILE, {"with clip": values()}, "with its half; the clip is on")
held = {"learning_rate": 2.5e-4, "num_steps": 128, "update_epochs": 4, "gamma": 0.99}
held |= {"gae_lambda": 0.95, "clip_coef": 0.2, "ent_coef": 0.01, "vf_coef": 0.5}
answers.restated("defaults", FILE, held | {"max_grad_norm": 0.5, "anneal_lr": True})
answers.write()
