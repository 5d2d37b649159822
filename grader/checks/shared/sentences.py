"""Training on sentences, as checks see it: small models, and what gradients at their logits say."""

import functools

import numpy as np
import torch

from grader.checks.shared.episodes import softmax
from grader.probes.train import Module


@functools.cache
def pretrained(**body) -> dict:
    """Weights of a model of the language in its usual order: parameter name -> array.

    body: width, heads, layers of the model, where they aren't the lessons' own
    """
    import policy_gradients as pg

    language = pg.language.Language()
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(0)
        sizes = language.num_tokens, language.length, language.num_tokens
        model = pg.Transformer(*sizes, **body)
        language.pretrain(model, np.random.default_rng(0), num_steps=200)
    return {name: p.detach().numpy().copy() for name, p in model.named_parameters()}


def in_order(weights, order) -> dict:
    """The same model where token i is what token order[i] was."""
    moved = {name: weights[name][order] for name in ("token.weight", "head.weight", "head.bias")}
    return {**weights, **moved}


def nudged(weights, rng, size) -> dict:
    """The model with noise on its weights: another policy, not too far away."""
    return {n: (w + rng.normal(size=w.shape) * size).astype(np.float32) for n, w in weights.items()}


def language_of(case):
    return case.inputs["language"].materialize()


def model(record, weights):
    """A network of the case with these weights, in the grader's process."""
    shapes = {name: np.shape(array) for name, array in record.weights.items()}
    if {name: np.shape(weights[name]) for name in shapes} != shapes:
        raise ValueError("weights of another shape")
    return Module(record.name, record.kwargs, weights).materialize()


def looked_at(tokens, watched):
    """(tokens, output, grad) of each watched step, (B, L), (B, L, ...) twice, rows in one order;
    None where the module was shown anything else than all sentences at each step, whole or
    without their last token."""
    whole, steps = tokens[np.lexsort(tokens.T)], []
    for passes in watched:
        widths = {np.shape(p["tokens"])[1:] for p in passes}
        if len(widths) != 1 or not widths <= {(whole.shape[1],), (whole.shape[1] - 1,)}:
            return None
        parts = [np.concatenate([p[name] for p in _added_up(passes)]) for name in PARTS]
        shown = whole[:, : parts[0].shape[1]]
        here, there = np.lexsort(shown.T), np.lexsort(parts[0].T)
        one_each = len(np.unique(shown, axis=0)) == len(np.unique(whole, axis=0))
        if not one_each or not np.array_equal(shown[here], parts[0][there]):
            return None
        steps.append([whole.astype(float), *(_placed(x[there], here, whole) for x in parts[1:])])
    return steps


def _placed(rows, places, whole):
    """Rows at their places, and zeros where a column is missing."""
    found = np.zeros((*whole.shape, *rows.shape[2:]))
    found[places, : rows.shape[1]] = rows
    return found


PARTS = ("tokens", "output", "grad")


def _added_up(passes):
    """One pass for each set of rows: where the same ones were shown twice, gradients add up."""
    found = []
    for one in passes:
        same = [p for p in found if np.array_equal(p["tokens"], one["tokens"])]
        if same:
            same[0]["grad"] = same[0]["grad"] + one["grad"]
        else:
            found.append(dict(one))
    return found


def mask_of(language, tokens):
    """(B, L - 1): predictions of the completion's tokens, up to the first end."""
    mask = np.zeros((len(tokens), tokens.shape[1] - 1), bool)
    for row, kept in zip(tokens, mask, strict=True):
        ends = np.flatnonzero(row[language.prompt_length :] == language.eos)
        kept[language.prompt_length - 1 :][: ends[0] + 1 if len(ends) else None] = True
    return mask


def directions(tokens, logits):
    """(B, L - 1, V): derivative of each written token's log-probability by its logits."""
    slope = -softmax(logits[:, :-1])
    written = tokens[:, 1:, None].astype(int)
    np.put_along_axis(slope, written, np.take_along_axis(slope, written, -1) + 1, -1)
    return slope


def weights_of(tokens, logits, grad):
    """(weight of each token's log-probability in the objective, what is left of the gradient)."""
    slope, grad = directions(tokens, logits), grad[:, :-1]
    weight = -(grad * slope).sum(-1) / (slope**2).sum(-1)
    return weight, grad + weight[..., None] * slope


def log_probs(tokens, logits):
    table = np.log(softmax(logits[:, :-1]))
    return np.take_along_axis(table, tokens[:, 1:, None].astype(int), -1)[..., 0]


def proportional(found, form, room=2e-3) -> bool:
    """Whether found is a positive multiple of form, but for this share of the largest entry."""
    scale = (found * form).sum() / max((form**2).sum(), 1e-12)
    return scale > 0 and np.abs(found - scale * form).max() < room * np.abs(found).max()
