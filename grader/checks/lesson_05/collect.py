"""The check of ``collect_rollout``: a scripted environment whose every number is known."""

from dataclasses import dataclass

import numpy as np

from grader.checking import (
    N_,
    Array,
    Case,
    Mismatch,
    Problem,
    RuleExercise,
    _,
    array_text,
    close,
    kind_text,
    number_text,
    shape_text,
)
from grader.checks.shared.episodes import raised, softmax
from grader.checks.shared.ppo_update import log_softmax
from grader.checks.shared.run_slips import likeliest_actions
from grader.checks.shared.sampling import bent_problem, unlikely
from grader.checks.shared.scripted import layer, linear, script
from grader.checks.shared.slips import teller

FIELDS = ("obs", "actions", "logp", "rewards", "values", "next_values", "terminated", "truncated")
ENDS = {
    # step: {environment: how its episode ends there}; four steps, three environments
    "fixed": {0: {1: "t"}, 1: {0: "c", 2: "t"}, 3: {0: "t", 1: "c"}},
    "cut_at_the_edge": {2: {0: "c", 1: "c", 2: "t"}, 3: {0: "c", 1: "t"}},
}


MANY = 64  # actions where draws are judged


def collect_cases(rng):
    def case(envs, steps, before=0, calls=1, seeds=(0, 0)):
        size = envs.shown.shape[2]
        words = _(
            "collect_rollout(envs, policy, critic, obs, num_steps={steps}) with {n} environments"
        )
        networks = {"policy": policies[size], "critic": critics[size]}
        how = {"before": before, "calls": calls, "seeds": list(seeds), "num_steps": steps}
        shown = words.format(steps=steps, n=envs.shown.shape[1])
        return Case({"envs": envs, **networks, **how}, shown=shown)

    policies = {size: linear(rng, size, 3) for size in (2, 3)}
    policies[4] = linear(rng, 4, MANY, scale=1.5)
    critics = {size: linear(rng, size, None) for size in (2, 3, 4)}
    seeded = script(rng, 8, 6, size=4, num_actions=MANY)
    # As many draws as a temperature of 0.8 or 5 % random actions need to show (see sampling.bent):
    # the more actions, the fewer.
    large = script(rng, 40, 60, size=4, num_actions=MANY)
    count = int(rng.integers(1, 5))
    return [
        case(script(rng, 4, 3, ends=ENDS["fixed"]), 4),
        case(script(rng, 4, 3, ends=ENDS["cut_at_the_edge"]), 4),
        case(script(rng, 6, 2, size=3, ends={2: {0: "c"}, 4: {1: "t"}}), 2, before=1, calls=2),
        case(script(rng, 3, 1, ends={}), 1, calls=3),
        case(script(rng, 13, count, size=3), 5, before=3, calls=2),
        case(seeded, 8, seeds=(1, 1)),
        case(seeded, 8, seeds=(1, 2)),
        case(seeded, 8, seeds=(2, 1)),
        case(large, 40),
    ]


def collect_fields(case, seen, call):
    """The right fields of one call, given the actions that the environments were sent."""
    given, length = case.inputs, case.inputs["num_steps"]
    envs, start = given["envs"], case.inputs["before"] + call * length
    rows = slice(start, start + length)
    actions = np.asarray(seen["played"]["actions"])[call * length : (call + 1) * length]
    obs, following = envs.shown[rows], envs.shown[start + 1 : start + length + 1]
    ended = envs.terminated[rows] | envs.truncated[rows]
    logits = layer(given["policy"], obs)
    taken = np.take_along_axis(log_softmax(logits), actions[..., None], -1)[..., 0]
    successor = np.where(ended[..., None], envs.final[rows], following)
    return {
        "obs": obs,
        "actions": actions,
        "logp": taken,
        "rewards": envs.rewards[rows] + envs.bonus[rows] * actions,
        "values": layer(given["critic"], obs),
        "next_values": layer(given["critic"], successor),
        "terminated": envs.terminated[rows],
        "truncated": envs.truncated[rows],
    }


COLLECT_HINTS = {
    "resets-inside": "Go on from obs. Environments whose episode ended start the next one by "
    "themselves.",
    "no-next-obs": "The caller goes on from the last observation: return both.",
    "keeps-gradients": "Collecting is no training step: torch.no_grad().",
    "parameters-frozen": "Collecting needs no gradients, but training does: torch.no_grad() ends "
    "by itself.",
    "next-obs": "Hand back the observation that the next rollout starts from.",
    "logp-of-all": "Which action was played? Keep its log-probability alone.",
    "axes-swapped": "Time is the first axis, environments the second.",
    "obs": "Keep each observation as the policy saw it: the one handed in, then what step() "
    "returned.",
    "obs-after-step": "Which observation did the policy see when it chose?",
    "next-obs-overwritten": "final_obs took the place of the next episode's first observation. Is "
    "it a copy that you write into?",
    "values-carried-over": "Where an episode has just ended, values[t] is of the new one's first "
    "observation: next_values[t - 1] is not.",
    "actions": "Keep the actions that the environments were sent.",
    "values-after-step": "values belong to obs, next_values to what comes after it.",
    "probability": "A log-probability is never positive. Is this a probability?",
    "logit": "A logit is no log-probability until it is normalised.",
    "logp-sign": "A log-probability is never positive.",
    "logp": "Score the very action that was played, under the policy that played it.",
    "flags-merged": "The clock ran out, or the pole fell: only one of them means that nothing "
    "follows. Keep the two flags apart.",
    "flags-swapped": "In which order does step() return its two flags?",
    "flags": "Does the flag speak of leaving a state or of entering it?",
    "next-episode": "Where an episode was cut, obs is already the next episode's. Whose value is "
    "that? infos holds the true last one.",
    "cut-without-value": "The clock ran out; the state still had a value.",
    "last-value": "The rollout stops here, the episode doesn't: what is the last successor worth?",
    "values-twice": "next_values belong to what comes after obs.",
    "next-values": "Inside an episode, next_values[t] is values[t + 1].",
    "one-action-for-all": "Every row of the logits is a policy of its own.",
    "frequencies": "Compare how often each action came with its probability.",
    "not-torchs-generator": "Two runs with one seed of torch must play alike, with another seed "
    "they must not.",
}
_told = teller(COLLECT_HINTS)


def collect_played(case, seen):
    """As many steps as asked, and no reset."""
    steps, wanted = len(seen["played"]["rewards"]), case.inputs["num_steps"] * case.inputs["calls"]
    if seen["played"]["starts"]:
        return _told(_("no reset"), _("reset() was called"), "resets-inside")
    if len(seen["results"]) == case.inputs["calls"] and steps != wanted:
        words = _("{n} steps of the environments")
        return _told(words.format(n=wanted), words.format(n=steps), "step-count")
    return None


def collect_kind(case, seen):
    """(Rollout, next obs), arrays without gradients, flags as bool."""
    words = _("a tuple (Rollout, obs)")
    for result in seen["results"]:
        if result.get("kind") not in ("tuple", "list") or result.get("length") != 2:
            return _told(words, kind_text(result), "no-next-obs", "kind")
        rollout, obs = result["items"]
        if rollout.get("kind") != "record" or not set(FIELDS) <= set(rollout["fields"]):
            hint, got = _("pg.Rollout(obs=..., ...)"), kind_text(rollout)
            return Problem(step="kind", expected=words, got=got, hint=hint)
        parts = [(name, rollout["fields"][name]) for name in FIELDS]
        for name, part in (*parts, ("obs", obs)):
            problem = _field_kind(name, part)
            if problem:
                return problem
    return None


def _field_kind(name, part):
    try:
        array = Array().arrays(part)[""]
    except Mismatch as mismatch:
        got = f"{name}: {mismatch.got}"
        return Problem(step="kind", expected=mismatch.expected, got=got, hint=mismatch.hint)
    if part.get("requires_grad"):
        got = _("{name} still carries a graph").format(name=name)
        return _told(_("data without gradients"), got, "keeps-gradients", "kind")
    if name in ("terminated", "truncated") and array.dtype != bool:
        expected = _("{name} of dtype bool").format(name=name)
        got = _("dtype {dtype}").format(dtype=array.dtype)
        return _told(expected, got, "flags-not-bool", "kind")
    return None


def collect_frozen(case, seen):
    """The networks can still learn afterwards."""
    if not seen.get("frozen"):
        return None
    got = _("requires_grad is False for some of them")
    return _told(_("parameters that can still learn"), got, "parameters-frozen")


def collect_values(case, seen):
    """Every field of every call, and the observation to go on from."""
    given, length = case.inputs, case.inputs["num_steps"]
    for call, result in enumerate(seen["results"]):
        wanted = collect_fields(case, seen, call)
        fields, last = result["items"]
        found = {name: np.asarray(fields["fields"][name]["array"]) for name in FIELDS}
        for name in FIELDS:
            problem = _field(name, found, wanted, case, call)
            if problem:
                return problem
        after = given["envs"].shown[given["before"] + (call + 1) * length]
        if np.shape(last["array"]) != after.shape or not close(last["array"], after).all():
            expected, got = ("obs = " + array_text(one) for one in (after, last["array"]))
            return _told(expected, got, "next-obs", "value")
    return None


def _field(name, found, wanted, case, call):
    right, got = wanted[name], found[name]
    if got.shape != right.shape:
        return _field_shape(name, got, right)
    keep = ~wanted["terminated"] if name == "next_values" else np.ones(right.shape, bool)
    if close(np.where(keep, got, 0), np.where(keep, right, 0), 1e-3).all():
        return None
    mistake = _field_mistake(name, found, wanted, case, call, keep)
    at = tuple(int(i) for i in np.argwhere(keep & ~close(got, right, 1e-3))[0])
    words = _("{name} at index {index}: {value}")
    expected, got = (
        words.format(name=name, index=shape_text(at), value=number_text(array[at]))
        for array in (right, got)
    )
    return _told(expected, got, mistake, "value")


def _field_shape(name, got, right):
    words, mistake = _("{name} of shape {shape}"), "field-shape"
    if name == "logp" and got.shape[:2] == right.shape and got.ndim == 3:
        mistake = "logp-of-all"
    elif got.shape[:2] == right.shape[1::-1]:
        mistake = "axes-swapped"
    expected, got = (words.format(name=name, shape=shape_text(one.shape)) for one in (right, got))
    return _told(expected, got, mistake, "shape")


def _field_mistake(name, found, wanted, case, call, keep):
    """The name of what is wrong with a field."""
    got, given = found[name], case.inputs
    start, length = given["before"] + call * given["num_steps"], given["num_steps"]
    envs = given["envs"]
    following = envs.shown[start + 1 : start + length + 1]

    def same(other):
        return close(np.where(keep, got, 0), np.where(keep, other, 0), 1e-3).all()

    if name == "obs" and same(following):
        return "obs-after-step"
    ended = envs.terminated[start : start + length] | envs.truncated[start : start + length]
    before = np.concatenate([np.zeros_like(ended[:1]), ended[:-1]])  # an episode begins here
    if name == "obs":
        cut = np.concatenate([np.zeros_like(ended[:1]), wanted["truncated"][:-1]])
        kept = (_after_ends(wanted["obs"], envs.final[start:], begins) for begins in (before, cut))
        return "next-obs-overwritten" if any(map(same, kept)) else "obs"
    if name == "values" and same(_after_ends(wanted["values"], found["next_values"], before)):
        return "values-carried-over"
    if name in ("actions", "rewards"):
        return name
    if name == "logp":
        return _logp_mistake(same, wanted, layer(given["policy"], wanted["obs"]))
    after = layer(given["critic"], following)
    going = keep & ~(wanted["terminated"] | wanted["truncated"])
    if name == "values" and close(got[going], after[going], 1e-3).all():
        return "values-after-step"
    if name in ("terminated", "truncated"):
        return _flag_mistake(same, wanted, name)
    if name == "next_values":
        return _successor_mistake(got, wanted, layer(given["critic"], following), keep)
    return ""


def _after_ends(right, other, begins):
    """right (T, ...), but for the steps that follow an end: there what `other` held before."""
    shifted = np.concatenate([right[:1], other[: len(right) - 1]])
    return np.where(begins.reshape(begins.shape + (1,) * (right.ndim - 2)), shifted, right)


def _logp_mistake(same, wanted, logits):
    actions = wanted["actions"][..., None]
    if same(np.exp(wanted["logp"])):
        return "probability"
    if same(np.take_along_axis(logits, actions, -1)[..., 0]):
        return "logit"
    if same(np.take_along_axis(log_softmax(softmax(logits)), actions, -1)[..., 0]):
        return "softmax-twice/log"
    with np.errstate(all="ignore"):
        shares = np.log(logits / logits.sum(-1, keepdims=True))
    if same(np.take_along_axis(shares, actions, -1)[..., 0]):
        return "logits-as-probabilities"
    return "logp-sign" if same(-wanted["logp"]) else "logp"


def _flag_mistake(same, wanted, name):
    if same(wanted["terminated"] | wanted["truncated"]):
        return "flags-merged"
    other = "truncated" if name == "terminated" else "terminated"
    return "flags-swapped" if same(wanted[other]) else "flags"


def _successor_mistake(got, wanted, naive, keep):
    """next_values that are wrong: at a time limit, or at the rollout's edge?"""
    wrong = keep & ~close(got, wanted["next_values"], 1e-3)
    cut = wanted["truncated"]
    if close(got[wrong], naive[wrong], 1e-3).all() and cut[wrong].all():
        return "next-episode"
    if cut[wrong].all() and not got[wrong].any():
        return "cut-without-value"
    if not wrong[:-1].any() and not cut[-1][wrong[-1]].all():
        return "last-value"
    values_twice = close(got[keep], wanted["values"][keep], 1e-3).all()
    return "values-twice" if values_twice else "next-values"


def collect_sampling(cases, seen):
    """Actions are draws from the policy, through torch's generator."""
    *seeded, actions = (np.asarray(one["played"]["actions"]) for one in seen[-4:])
    case = cases[-1].inputs
    obs = case["envs"].shown[: case["num_steps"]]
    probs = softmax(layer(case["policy"], obs)).reshape(-1, MANY)
    flat = actions.ravel()
    likeliest = probs.argmax(1)
    if (flat == likeliest).all():
        return likeliest_actions(len(flat))
    if (actions == actions[:, :1]).all():
        expected = _("an action drawn for each environment")
        got = _("the same one for all of them at each step")
        return _told(expected, got, "one-action-for-all")

    def odd(action, probs):
        return unlikely(flat == action, probs[:, action]) or unlikely(
            (flat == likeliest) == (flat == action), _agreement(probs, likeliest, action)
        )

    def fits(alternative):
        return not any(odd(action, alternative) for action in range(MANY))

    bent = bent_problem(flat, probs, fits)
    if bent:
        return bent
    for action in range(MANY):
        if odd(action, probs):
            words = _("action {action}: {k} of {n} times")
            texts = (
                words.format(action=action, n=len(flat), k=k)
                for k in (round(probs[:, action].sum()), int((flat == action).sum()))
            )
            return _told(*texts, "frequencies")
    first, again, other = seeded
    if not np.array_equal(first, again) or np.array_equal(first, other):
        expected = _("actions drawn through torch's generator")
        got = _("actions that torch.manual_seed doesn't decide")
        return _told(expected, got, "not-torchs-generator")
    return None


def _agreement(probs, likeliest, action):
    """Probability that "this action came" and "the likeliest came" are both true or both false."""
    mine, top = probs[:, action], probs.max(1)
    return np.where(likeliest == action, 1.0, 1 - mine - top)


@dataclass(frozen=True)
class Collect(RuleExercise):
    """Answers for later exercises: noise that draws actions, and fields of what was seen."""

    def answer(self, question):
        kind, *given = question["args"]
        if kind == "noise":
            return {"value": np.random.default_rng(given[1]).gumbel(size=given[0])}
        logits, actions, values, following, final, terminated, truncated = given
        logp = np.take_along_axis(log_softmax(logits), actions[..., None], -1)[..., 0]
        successor = np.where(terminated | truncated, final, following)
        return {"value": {"logp": logp, "values": values, "next_values": successor}}


COLLECT = Collect(
    "collect_rollout",
    "collect",
    collect_cases,
    rules=(raised, collect_played, collect_kind, collect_values, collect_frozen),
    overall=(collect_sampling,),
    hint=N_("Run two environments for three steps, and print what each step gives beside it."),
)
