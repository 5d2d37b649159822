"""Wrong ratios and clipped objectives that losses of samples and of tokens share, in torch."""

import torch


def new_over_old(new, old):
    """The right ratio: old is data."""
    return torch.exp(new - old.detach())


def clipped(ratio, adv, clip):
    """The right objective of each sample."""
    return torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv)


def dead_outside(ratio, adv, clip):
    """The right value; no gradient for any sample outside the band."""
    outside = (ratio - 1).abs() > clip
    return clipped(torch.where(outside, ratio.detach(), ratio), adv, clip)


def dual_clipped(bound):
    """For bad samples the objective ends at `bound` times A."""
    return lambda r, a, c: torch.where(
        a < 0, torch.max(clipped(r, a, c), bound * a), clipped(r, a, c)
    )


# Name -> ratio(new, old).
RATIOS = {
    "inverted-ratio": lambda new, old: torch.exp(old.detach() - new),
    "no-exp": lambda new, old: new - old.detach(),
    "ratio-of-logs": lambda new, old: new / old.detach(),
    "gradient-through-old": lambda new, old: torch.exp(new - old),
    "underflow": lambda new, old: new.exp() / old.detach().exp(),
}
# Name -> each sample's objective(ratio, adv, clip).
OBJECTIVES = {
    "max-not-min": lambda r, a, c: torch.max(r * a, r.clamp(1 - c, 1 + c) * a),
    "clip-without-min": lambda r, a, c: r.clamp(1 - c, 1 + c) * a,
    "dead-outside-band": dead_outside,
    "not-clipped": lambda r, a, c: r * a,
    "band-in-logs": lambda r, a, c: torch.min(r * a, r.log().clamp(-c, c).exp() * a),
    "one-side-clipped": (
        lambda r, a, c: torch.min(r * a, r.clamp(max=1 + c) * a),
        lambda r, a, c: torch.min(r * a, r.clamp(min=1 - c) * a),
    ),
    "clip-fixed": lambda r, a, c: clipped(r, a, 0.2),
    "dual-clip": tuple(dual_clipped(bound) for bound in (2.0, 3.0, 4.0, 5.0, 10.0)),
}
