"""Check of token_logp: log-probabilities of the tokens that were written."""

import numpy as np
import torch

from grader.checking import Case, Expected, FunctionExercise, Symptom, Tensor, TensorOf
from grader.checks.lesson_06 import formulas
from grader.checks.shared.categorical import of_logits
from grader.checks.shared.episodes import softmax
from grader.checks.shared.slips import listed


def token_cases(rng):
    """One sentence, then several; other sizes and dtypes; huge logits beside ordinary ones."""
    tiny = np.log(np.array([[[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]]))
    huge = rng.normal(size=(3, 4, 5))
    huge[1] = rng.permutation([1e4, -1e4, 0.0, 50.0, -3.0])
    batch, length, size = (int(rng.integers(*pair)) for pair in ((3, 6), (4, 7), (4, 7)))
    return [
        token_case(tiny, np.array([[0, 2]])),
        token_case(rng.normal(size=(1, 3, 4)), np.array([[3, 1, 0]]), rng),
        token_case(rng.normal(size=(2, 5, 3)) * 2, rng.integers(3, size=(2, 5)), rng),
        # As many positions as tokens: no wrong axis shows itself by its length.
        token_case(rng.normal(size=(4, 4, 4)), rng.integers(4, size=(4, 4)), rng),
        token_case(huge, rng.integers(5, size=(3, 4))),
        token_case(
            rng.normal(size=(batch, length, size)).astype(np.float32),
            rng.integers(size, size=(batch, length)),
            rng,
        ),
    ]


def token_case(logits, tokens, rng=None):
    """With a generator the gradient is asked for, too."""
    shape = logits.shape[0], logits.shape[1] - 1
    upstream = None if rng is None else rng.normal(size=shape).astype(logits.dtype)
    inputs = {"logits": Tensor(logits, grad=rng is not None), "tokens": Tensor(tokens)}
    return Case(inputs, upstream=upstream)


def token_truth(logits, tokens):
    """log p of each token under what its predecessor's position foretold, in float64."""
    logits, tokens = np.asarray(logits, dtype=np.float64), np.asarray(tokens)
    before, after = logits[:, :-1], tokens[:, 1:, None]
    top = before.max(-1, keepdims=True)
    total = top + np.log(np.exp(before - top).sum(-1, keepdims=True))
    value = (np.take_along_axis(before, after, -1) - total)[..., 0]

    def gradient(upstream):
        slope = -softmax(before)
        np.put_along_axis(slope, after, np.take_along_axis(slope, after, -1) + 1, -1)
        return np.concatenate([slope * upstream[..., None], np.zeros_like(logits[:, :1])], 1)

    return Expected(value, {"logits": gradient})


def picked(table, tokens):
    return table.gather(-1, tokens[..., None]).squeeze(-1)


TOKEN_LOGP_HINTS = {
    "off-by-one": "Position t has seen the tokens up to t. Which token does it foretell?",
    "shifted-backwards": "Do your logits foretell the next token, or the one before?",
    "not-shifted": "L tokens have L - 1 successors: the last position's logits foretell nothing "
    "here.",
    "all-tokens": "Which of the V tokens was written?",
    "not-normalised": "A logit is no log-probability yet: what must the exponentials add up to?",
    "wrong-axis": "Which axis holds the vocabulary?",
    "minus-sign": "A log-probability is never positive. Cross entropy is minus the "
    "log-probability.",
    "greedy": "Score the tokens that were written, not the likeliest ones.",
    "summed": "One number for each token: no sum or mean over them yet.",
    "detached": "The policy learns through these numbers. Where was the graph cut?",
    "overflow": "Logits of 1e4 overflow or underflow on the way. Is there a function that takes "
    "both steps at once?",
}
TOKEN_LOGP_FACES = {
    "off-by-one": (
        lambda logits, tokens: picked(logits.log_softmax(-1), tokens)[:, :-1],
        lambda logits, tokens: picked(logits.log_softmax(-1), tokens)[:, 1:],
    ),
    "shifted-backwards": lambda logits, tokens: picked(
        logits[:, 1:].log_softmax(-1), tokens[:, :-1]
    ),
    "not-shifted": (
        lambda logits, tokens: picked(logits.log_softmax(-1), tokens),
        lambda logits, tokens: picked(logits.log_softmax(-1), tokens.roll(-1, 1)),
        lambda logits, tokens: torch.cat(
            [
                logits.new_zeros(len(logits), 1),
                picked(logits[:, :-1].log_softmax(-1), tokens[:, 1:]),
            ],
            1,
        ),
    ),
    "all-tokens": lambda logits, tokens: logits[:, :-1].log_softmax(-1),
    "probability-not-log/log-missing": lambda logits, tokens: picked(
        logits[:, :-1].softmax(-1), tokens[:, 1:]
    ),
    "not-normalised": lambda logits, tokens: picked(logits[:, :-1], tokens[:, 1:]),
    "wrong-axis": (
        lambda logits, tokens: picked(logits[:, :-1].log_softmax(1), tokens[:, 1:]),
        lambda logits, tokens: picked(logits[:, :-1].log_softmax(0), tokens[:, 1:]),
        lambda logits, tokens: picked(logits.log_softmax(1)[:, :-1], tokens[:, 1:]),
    ),
    "minus-sign": lambda logits, tokens: -picked(logits[:, :-1].log_softmax(-1), tokens[:, 1:]),
    "greedy": lambda logits, tokens: logits[:, :-1].log_softmax(-1).max(-1).values,
    "summed": (
        lambda logits, tokens: token_sum(logits, tokens),
        lambda logits, tokens: token_sum(logits, tokens) / (tokens.shape[1] - 1),
    ),
    "detached": lambda logits, tokens: picked(
        logits[:, :-1].log_softmax(-1), tokens[:, 1:]
    ).detach(),
    "overflow": Symptom(
        lambda case, seen, truth: (
            np.abs(case.inputs["logits"].array).max() > 1e3
            and not np.isfinite(seen["value"]["array"]).all()
        )
    ),
    "softmax-twice/log": lambda logits, tokens: picked(
        logits[:, :-1].softmax(-1).log_softmax(-1), tokens[:, 1:]
    ),
    "logits-as-probabilities": (
        lambda logits, tokens: of_logits(logits[:, :-1], True).log_prob(tokens[:, 1:]),
        lambda logits, tokens: of_logits(logits[:, :-1], False).log_prob(tokens[:, 1:]),
    ),
}
TOKEN_LOGP = FunctionExercise(
    "token_logp",
    token_cases,
    token_truth,
    formula=formulas.token_logp_formula,
    kind=TensorOf(),
    mistakes=listed(TOKEN_LOGP_FACES, TOKEN_LOGP_HINTS),
)


def token_sum(logits, tokens):
    return picked(logits[:, :-1].log_softmax(-1), tokens[:, 1:]).sum(-1)
