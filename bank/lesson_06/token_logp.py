"""Answers for token_logp."""

import torch
import torch.nn.functional as F

from bank import right, wrong


@right("token_logp")
def gathered(logits, tokens):
    logp = torch.log_softmax(logits, dim=-1)[:, :-1]
    return torch.gather(logp, 2, tokens[:, 1:].unsqueeze(2)).squeeze(2)


@right("token_logp")
def cross_entropy(logits, tokens):
    return -F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


@right("token_logp")
def categorical(logits, tokens):
    return torch.distributions.Categorical(logits=logits[:, :-1]).log_prob(tokens[:, 1:])


@right("token_logp")
def in_loops(logits, tokens):
    rows = []
    for b in range(len(tokens)):
        row = [F.log_softmax(logits[b, t], 0)[tokens[b, t + 1]] for t in range(tokens.shape[1] - 1)]
        rows.append(torch.stack(row))
    return torch.stack(rows)


@right("token_logp")
def one_hot_and_logsumexp(logits, tokens):
    logits, tokens = logits[:, :-1, :], tokens[:, 1:]
    hot = F.one_hot(tokens, logits.shape[-1]).to(logits.dtype)
    return (logits * hot).sum(-1) - torch.logsumexp(logits, -1)


def taken(table, tokens):
    return torch.gather(table, -1, tokens.unsqueeze(-1))[..., 0]


@wrong("token_logp", "off-by-one")
def same_position(logits, tokens):
    return taken(logits.log_softmax(-1)[:, :-1], tokens[:, :-1])


@wrong("token_logp", "off-by-one")
def same_position_late(logits, tokens):
    return taken(logits.log_softmax(-1)[:, 1:], tokens[:, 1:])


@wrong("token_logp", "shifted-backwards")
def backwards(logits, tokens):
    return taken(logits.log_softmax(-1)[:, 1:], tokens[:, :-1])


@wrong("token_logp", "not-shifted")
def unshifted(logits, tokens):
    return taken(logits.log_softmax(-1), tokens)


@wrong("token_logp", "all-tokens")
def whole_vocabulary(logits, tokens):
    return logits.log_softmax(-1)[:, :-1]


@wrong("token_logp", "probability-not-log")
def probabilities(logits, tokens):
    return taken(logits.softmax(-1)[:, :-1], tokens[:, 1:])


@wrong("token_logp", "not-normalised")
def raw_logits(logits, tokens):
    return taken(logits[:, :-1], tokens[:, 1:])


@wrong("token_logp", "wrong-axis")
def over_positions(logits, tokens):
    return taken(logits[:, :-1].log_softmax(dim=1), tokens[:, 1:])


@wrong("token_logp", "wrong-axis")
def over_the_batch(logits, tokens):
    return taken(logits[:, :-1].log_softmax(dim=0), tokens[:, 1:])


@wrong("token_logp", "minus-sign")
def negative_log_likelihood(logits, tokens):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


@wrong("token_logp", "greedy")
def likeliest(logits, tokens):
    return logits[:, :-1].log_softmax(-1).amax(-1)


@wrong("token_logp", "summed")
def sentence(logits, tokens):
    return taken(logits.log_softmax(-1)[:, :-1], tokens[:, 1:]).sum(1)


@wrong("token_logp", "detached")
def without_graph(logits, tokens):
    with torch.no_grad():
        return taken(logits.log_softmax(-1)[:, :-1], tokens[:, 1:])


@wrong("token_logp", "overflow")
def log_after_softmax(logits, tokens):
    return torch.log(taken(logits.softmax(-1)[:, :-1], tokens[:, 1:]))


@wrong("token_logp", "overflow")
def by_hand(logits, tokens):
    weights = logits.exp()
    return torch.log(taken(weights[:, :-1], tokens[:, 1:]) / weights[:, :-1].sum(-1))


@wrong("token_logp", "array-returned")
def as_numpy(logits, tokens):
    return gathered(logits, tokens).detach().numpy()


@wrong("token_logp", "softmax-twice")
def log_softmax_of_probabilities(logits, tokens):
    probs = logits[:, :-1].softmax(-1)
    return probs.log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]


@wrong("token_logp", "logits-as-probabilities")
def categorical_by_position(logits, tokens):
    return torch.distributions.Categorical(logits[:, :-1]).log_prob(tokens[:, 1:])


@wrong("token_logp", "logits-as-probabilities")
def categorical_by_position_unchecked(logits, tokens):
    chosen = torch.distributions.Categorical(logits[:, :-1], validate_args=False)
    return chosen.log_prob(tokens[:, 1:])
