"""One batch used many times: bundles of runs, what a batch claims, how far a policy has moved."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LIGHT, LINESTYLES, MARKERS, new_axes, use_style


def bundle(runs, title="", marked=None, start=None, ax=None, index=0):
    """Many runs as thin lines, their mean bold, one of them marked.

    runs: (steps, R); marked: number of a run; start: a level to compare with, drawn dotted
    """
    runs = np.asarray(runs, dtype=np.float64)
    ax, steps = new_axes(ax), np.arange(len(runs))
    ax.plot(steps, runs, "-", color=GREY, lw=0.6, alpha=0.45)
    color, every = COLORS[index], max(1, len(runs) // 8)
    ax.plot(steps, runs.mean(1), LINESTYLES[0], color=color, lw=2.6, marker=MARKERS[index],
            markevery=every, label=_("mean of {n}").format(n=runs.shape[1]))  # fmt: skip
    if marked is not None:
        ax.plot(steps, runs[:, marked], "--", color="black", lw=1.5, label=_("the bad batch"))
    if start is not None:
        ax.axhline(start, color=DARK, linestyle=":", lw=1.1)
    ax.set_title(title)
    ax.grid(True, axis="y")
    return ax


def bundles(panels, xlabel, marked=None, starts=None, ylabel=None, sharey=False, height=3.0):
    """One `bundle` a panel, side by side. panels: {title: (steps, R)}; starts: a level for each."""
    import matplotlib.pyplot as plt

    use_style()
    width = max(7.0, 2.6 * len(panels))
    fig, axes = plt.subplots(1, len(panels), figsize=(width, height), sharey=sharey)
    starts = [None] * len(panels) if starts is None else starts
    for i, (title, runs) in enumerate(panels.items()):
        bundle(runs, title, marked, starts[i], axes[i], index=i)
        axes[i].set_xlabel(xlabel)
    axes[0].set_ylabel(ylabel or "")
    axes[0].legend(fontsize=8)
    return axes


def claims(moved, exact, spread, own, fresh):
    """What a batch says about policies further and further away, beside the truth.

    moved: (P,) how far along the path; exact: (P,) true gain; spread: (P,) standard deviation of
    an estimate from one batch; own, fresh: (P,) what the batch that chose the path says, and what
    another batch of the old policy says.
    """
    ax = new_axes(height=3.4)
    band = _("where 95 % of fresh batches lie")
    ax.fill_between(moved, exact - 2 * spread, exact + 2 * spread, color=LIGHT, label=band)
    ax.plot(moved, exact, "-", color="black", label=_("exact gain"))
    ax.plot(moved, own, "--", color=COLORS[4], marker=MARKERS[4], markevery=2,
            label=_("said by the batch that we optimised on"))  # fmt: skip
    ax.plot(moved, fresh, "-.", color=COLORS[0], marker=MARKERS[0], markevery=2,
            label=_("said by a fresh batch"))  # fmt: skip
    ax.axhline(0, color=GREY, lw=0.8)
    ax.set(xlabel=_("share of the way from the old policy to the one after K steps"))
    ax.set_ylabel(_("gain in expected reward"))
    ax.legend(fontsize=8)
    return ax


def ratio_histograms(ratios, kls, clip=0.2):
    """Distribution of the ratio after some steps, with the band. ratios: {step: (B,)}; kls: {step: float}."""
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, len(ratios), figsize=(8, 2.7), sharex=True, sharey=True)
    edges = np.geomspace(0.05, 12, 70)
    for ax, (step, ratio) in zip(axes, ratios.items(), strict=True):
        ax.axvspan(1 - clip, 1 + clip, color="#FFE9A8", zorder=0)
        ax.hist(np.clip(ratio, edges[0], edges[-1]), edges, color=COLORS[0],
                weights=np.full(len(ratio), 100 / len(ratio)))  # fmt: skip
        outside = np.mean((ratio < 1 - clip) | (ratio > 1 + clip))
        text = _("outside {share:.0%}\nlargest {top:.1f}\nexact KL {kl:.3f}")
        ax.text(0.98, 0.97, text.format(share=outside, top=ratio.max(), kl=kls[step]), size=8,
                ha="right", va="top", transform=ax.transAxes)  # fmt: skip
        ax.set(xscale="log", title=_("after {n} steps").format(n=step), xlabel=_("ratio r"))
        ax.set_xticks([0.1, 0.5, 1, 2, 10], ["0.1", "0.5", "1", "2", "10"])
        ax.minorticks_off()
    axes[0].set_ylabel(_("% of samples"))
    return axes


def kl_estimates_figure(exact, means, spreads):
    """Bias and scatter of estimates of a KL, both as a share of the exact one.

    exact: (P,); means, spreads: {name: (P,)}, mean and standard deviation over many batches
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.2))
    for i, name in enumerate(means):
        look = {"color": COLORS[(0, 1, 2)[i]], "linestyle": LINESTYLES[i], "marker": MARKERS[i]}
        axes[0].plot(exact, means[name] / exact, label=name, **look)
        axes[1].plot(exact, spreads[name] / exact, label=name, **look)
    axes[0].axhline(1, color=DARK, linestyle=":", lw=1)
    axes[1].axhline(1, color=DARK, linestyle=":", lw=1)
    axes[0].set(title=_("mean estimate / exact KL"), ylim=(0, None))
    axes[1].set(title=_("scatter of one estimate / exact KL"), yscale="log")
    for ax in axes:
        ax.set(xscale="log", xlabel=_("exact KL"))
        ax.grid(True)
        ax.legend()
    return axes


def leashes(frontiers, kl_runs, betas):
    """The clip beside the penalty: what each makes of how much KL, and when it spends it.

    frontiers: {name: (P, 2)}, mean KL and score of each setting
    kl_runs: {name: (iterations,)}, KL of each iteration at equal mean; betas: (iterations,)
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(8.6, 3.0))
    for i, (name, points) in enumerate(frontiers.items()):
        look = {"color": COLORS[(0, 4)[i]], "marker": MARKERS[i], "linestyle": LINESTYLES[i]}
        axes[0].plot(*np.asarray(points).T, label=name, **look)
        axes[1].plot(kl_runs[name], label=name, color=look["color"], linestyle=look["linestyle"])
    axes[0].set(xlabel=_("mean exact KL of an iteration"), ylabel=_("score after the last batch"))
    axes[1].set(xlabel=_("iteration"), title=_("KL of each iteration"), yscale="log")
    axes[2].step(np.arange(len(betas)), betas, color=COLORS[4], where="post")
    axes[2].set(xlabel=_("iteration"), title=_("coefficient $\\beta$"), yscale="log")
    axes[0].legend(fontsize=8)
    for ax in axes:
        ax.grid(True)
    return axes
