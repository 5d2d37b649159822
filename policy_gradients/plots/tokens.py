"""Figures of language models: what predicts what, and how far a policy drifts for its score."""

import numpy as np

from ..i18n import _
from .style import (
    COLORS,
    DARK,
    FAINT,
    GREY,
    LIGHT,
    LINESTYLES,
    MARKERS,
    new_axes,
    signed,
    tinted,
    use_style,
)


def _mine():
    """The tint of what the policy is responsible for (matplotlib is loaded on first use)."""
    return tinted(COLORS[0], 0.25)


def predictions(rows, prompt_length, axes=None):
    """Each sentence as two rows of cells: the tokens, and below each the prediction made there.

    rows: list of (words (L,), logp (L - 1,), mask bool (L - 1,))

    Column t of the lower row belongs to position t and speaks of the token at t + 1, to which an
    arrow leads. Blue cells are those where the mask is true. Returns the Axes.
    """
    import matplotlib.pyplot as plt

    use_style()
    if axes is None:
        width = 1.05 * max(len(words) for words, *_rest in rows)
        axes = plt.subplots(len(rows), 1, figsize=(width + 1.2, 2.05 * len(rows)), squeeze=False)[1]
    for ax, (words, logp, mask) in zip(np.ravel(axes), rows, strict=True):
        _sentence(ax, list(words), np.asarray(logp, float), np.asarray(mask, bool), prompt_length)
    return axes


def _sentence(ax, words, logp, mask, prompt_length):
    ends = [t + 1 for t in np.flatnonzero(mask)]
    for t, word in enumerate(words):
        filling = t >= prompt_length and t not in ends
        face = LIGHT if t < prompt_length else "white" if filling else _mine()
        _cell(ax, t, 1.0, word, face, FAINT if filling else DARK)
    for t, number in enumerate(logp):
        face, ink = (_mine(), DARK) if mask[t] else ("white", FAINT)
        _cell(ax, t, -0.35, signed(number), face, ink)
        arrow = {"arrowstyle": "-|>", "color": ink, "lw": 1.3 if mask[t] else 0.7}
        ax.annotate("", (t + 0.86, 0.66), (t + 0.14, -0.01), arrowprops=arrow)
    ax.set(xlim=(-0.52, len(words) - 0.45), ylim=(-0.75, 1.9))
    ax.set_yticks([1.0, -0.35], [_("token"), _("log p of the next one")])
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    last = ends[-1] if ends else prompt_length - 1
    spans = [(_("prompt"), 0, prompt_length - 1), (_("completion"), prompt_length, last)]
    for name, first, final in [*spans, (_("filling"), last + 1, len(words) - 1)]:
        if final >= first:
            ax.plot([first - 0.42, final + 0.42], [1.48, 1.48], color=DARK, lw=1, linestyle="-")
            ax.text((first + final) / 2, 1.55, name, ha="center", va="bottom", size=9)


def _cell(ax, x, y, text, face, ink):
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle((x - 0.46, y - 0.33), 0.92, 0.66, facecolor=face, edgecolor=GREY, lw=0.8)
    )
    ax.text(x, y, text, ha="center", va="center", color=ink, size=9)


def leashes_compared(runs):
    """Score, share of sensible sentences and divergences over updates, three panels.

    runs: {label: {"score", "sensible", "kl_reference": (updates + 1,), "kl_old": (updates,)}}
    Returns the figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.5))
    for i, (label, run) in enumerate(runs.items()):
        look = {"color": COLORS[4 * i], "linestyle": LINESTYLES[i], "marker": MARKERS[i]}
        for ax, key in zip(axes, ("score", "sensible", "kl_reference"), strict=True):
            ax.plot(run[key], label=label, markevery=4, markersize=4, **look)
        thin = {**look, "linewidth": 0.9, "markersize": 2.5, "alpha": 0.75}
        axes[2].plot(np.arange(1, len(run["kl_old"]) + 1), run["kl_old"], **thin)
    axes[2].set_yscale("symlog", linthresh=0.01)
    axes[2].set_ylim(bottom=0)
    titles = _("exact score"), _("exact share that makes sense"), ""
    for ax, title in zip(axes, titles, strict=True):
        ax.set(title=title, xlabel=_("update"))
        ax.grid(True, axis="y")
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[1].set_ylim(-0.03, 1.05)
    axes[0].legend()
    axes[2].set_title(
        _("exact KL (nats per sentence)\nthick: to the reference, thin: to old"), size=10
    )
    return fig


def frontier(points, limit, between=None, bound=2.0, ax=None):
    """Exact score over exact KL to the reference: one point a beta, and the best that is possible.

    points: {beta: (kl, score, sensible)}; limit: (kl (K,), score (K,)) of the optimal policies
    between: as points, optima on the line to be marked
    Full markers: the KL is within `bound`, a vertical line. The axis is scaled by the root of the
    KL: near the reference the best score grows with it.
    """
    ax = new_axes(ax, height=4.0)
    order = np.argsort(limit[0])
    line = {"color": GREY, "linestyle": "--", "lw": 1.4}
    drifts = [kl for kl, *_rest in points.values()]
    nearest, furthest = min(drifts), max(drifts)
    right = 2.2 * max(furthest, bound)
    kl, score = (np.asarray(part)[order] for part in limit)
    ax.plot(kl[kl <= right], score[kl <= right], label=_("best possible"), **line)
    for beta, (kl, score, sensible) in (between or {}).items():
        ax.plot(kl, score, "D", markersize=6, mfc="white", mec=DARK, mew=1.2)
        crowded = kl > 0.6 * furthest
        place, side = ((-8, 2), "right") if crowded else ((9, -11), "left")
        _beta_label(ax, beta, kl, score, sensible, place, side)
    for beta, (kl, score, sensible) in points.items():
        face = COLORS[0] if kl <= bound else "white"
        ax.plot(kl, score, "o", markersize=8, mfc=face, mec=COLORS[0], mew=1.6)
        # Points that have drifted far lie close together: only the furthest has its label beside.
        # So do those that have drifted least: the label of the nearest one stands lower.
        below = -19 if kl == nearest else -11
        place = (0, -17) if bound < kl < furthest else (9, -4 if kl > bound else below)
        _beta_label(ax, beta, kl, score, sensible, place, "left")
    ax.axvline(bound, color=DARK, lw=0.9, linestyle=":", label=_("{n:g} nats").format(n=bound))
    ax.set_xscale("function", functions=(_root, np.square))
    ticks = [tick for tick in (0, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 50) if tick <= right]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set(xlabel=_("exact KL to the reference (nats per sentence)"), ylabel=_("exact score"))
    ax.set_xlim(left=0, right=right)
    ax.margins(y=0.12)  # the lowest label stands below its point
    ax.grid(True)
    ax.legend(loc="lower right")
    return ax


def _root(kl):
    return np.sqrt(np.maximum(kl, 0.0))


def _beta_label(ax, beta, kl, score, sensible, place, side):
    text = _("β = {beta:g}: {share:.0%} sensible").format(beta=beta, share=sensible)
    ax.annotate(text, (kl, score), xytext=place, ha=side, textcoords="offset points", size=8.5)
