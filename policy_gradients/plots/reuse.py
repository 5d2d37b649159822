"""One batch used many times: bundles of runs, what a batch claims, how far a policy has moved."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LIGHT, LINESTYLES, MARKERS, new_axes, use_style


def bundle(runs, title="", marked=None, level=None, ax=None):
    """Many runs as thin lines, their mean bold, one of them marked.

    runs: (steps, R); marked: number of a run; level: (number, words), a dotted line
    """
    runs = np.asarray(runs, dtype=np.float64)
    ax, steps = new_axes(ax), np.arange(len(runs))
    ax.plot(steps, runs, "-", color="#C4C4C4", lw=0.7)
    every = max(1, len(runs) // 8)
    ax.plot(
        steps,
        runs.mean(1),
        "-",
        color=COLORS[0],
        lw=2.6,
        marker=MARKERS[0],
        markevery=every,
        label=_("mean of {n}").format(n=runs.shape[1]),
    )
    if marked is not None:
        ax.plot(steps, runs[:, marked], "--", color="black", lw=1.5, label=_("the bad batch"))
    if level is not None:
        ax.axhline(level[0], color=DARK, linestyle=":", lw=1.3)
        ax.annotate(
            level[1],
            (1, level[0]),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="right",
            size=8,
            zorder=5,
            bbox={"facecolor": "white", "alpha": 0.8, "pad": 0.5, "lw": 0},
        )
    ax.set_title(title)
    ax.grid(True, axis="y")
    return ax


def bundles(panels, xlabel, marked=None, levels=None, ylabel=None, sharey=False, legend=0):
    """One `bundle` a panel, side by side; panel number `legend` says what the lines are.

    panels: {title: (steps, R)}; levels: {title: (number, words)}
    """
    import matplotlib.pyplot as plt

    use_style()
    width = max(7.0, 2.6 * len(panels))
    fig, axes = plt.subplots(1, len(panels), figsize=(width, 3.0), sharey=sharey)
    levels = levels or {}
    for i, (title, runs) in enumerate(panels.items()):
        bundle(runs, title, marked, levels.get(title), axes[i])
        axes[i].set_xlabel(xlabel)
    axes[legend].legend(fontsize=8)
    axes[0].set_ylabel(ylabel or "")
    return axes


def claims(moved, exact, spread, own, fresh):
    """What a batch says about policies further and further away, beside the truth.

    moved: (P,) how far along the path; exact: (P,) true gain; spread: (P,) standard deviation of
    an estimate from one batch; own: (P,) what the batch that chose the path says; fresh: (P, N)
    what N other batches of the old policy say.
    """
    ax = new_axes(height=3.4)
    band = _("two standard deviations of one batch")
    ax.fill_between(moved, exact - 2 * spread, exact + 2 * spread, color=LIGHT, label=band)
    lines = ax.plot(moved, fresh, "-", color=COLORS[3], lw=0.9)
    lines[0].set_label(_("said by {n} fresh batches").format(n=np.shape(fresh)[1]))
    ax.plot(moved, exact, "-", color="black", lw=2.2, label=_("exact gain"))
    ax.plot(
        moved,
        own,
        "--",
        color=COLORS[4],
        marker=MARKERS[4],
        markevery=2,
        label=_("said by the batch that we climbed on"),
    )
    ax.axhline(0, color=GREY, lw=0.8)
    ax.set(xlabel=_("share of the way from the old policy to the one after K steps"))
    ax.set_ylabel(_("gain in expected reward"))
    ax.legend(fontsize=8, loc="upper left")
    return ax


def ratio_histograms(ratios, outside, kls, clip=0.2):
    """Distribution of the ratio after some steps, the band shaded, bars outside it hatched.

    ratios: {step: (B,)}; outside, kls: {step: float}, share outside the band and exact KL
    """
    import matplotlib.pyplot as plt

    use_style()
    rows = (len(ratios) + 1) // 2
    size = (7, 2.3 * rows)
    fig, axes = plt.subplots(rows, 2, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax, (step, ratio) in zip(axes.flat, ratios.items(), strict=True):
        _histogram(ax, ratio, 1 - clip, 1 + clip)
        text = _("outside {share:.0%}\nsmallest {least:.2g}\nlargest {most:.2g}\nexact KL {kl:.3f}")
        numbers = {
            "share": outside[step],
            "least": ratio.min(),
            "most": ratio.max(),
            "kl": kls[step],
        }
        ax.text(0.02, 0.96, text.format(**numbers), size=9, va="top", transform=ax.transAxes)
        ax.set_title(_("after 1 step") if step == 1 else _("after {n} steps").format(n=step))
    for ax in axes[-1]:
        ax.set_xlabel(_("ratio r"))
    for ax in axes[:, 0]:
        ax.set_ylabel(_("share of samples"))
    return axes


def _histogram(ax, ratio, low, high):
    """Bars on logarithmic axes; what lies beyond 0.1 and 10 stands in the last bars."""
    sides = np.geomspace(0.1, low, 22), np.geomspace(low, high, 6), np.geomspace(high, 10, 22)
    edges = np.concatenate([sides[0], sides[1][1:], sides[2][1:]])
    ax.axvspan(low, high, color="#FFE9A8", zorder=0)
    shares = np.histogram(np.clip(ratio, 0.1, 10), edges)[0] / len(ratio)
    bars = ax.bar(edges[:-1], shares, np.diff(edges), align="edge", color=COLORS[0])
    for bar, middle in zip(bars, np.sqrt(edges[1:] * edges[:-1]), strict=True):
        if not low < middle < high:
            bar.set(facecolor="white", edgecolor=COLORS[4], hatch="////", linewidth=0.8)
    ax.set(xscale="log", yscale="log", ylim=(3e-4, 1))
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10], ["0.1", "0.2", "0.5", "1", "2", "5", "10"])
    ax.minorticks_off()


def kl_estimates_figure(exact, expected, found):
    """Bias and scatter of estimates of a KL, both as a share of the exact one.

    exact: (P,); expected: {name: (P,)}, each estimate's exact expectation, drawn as a line;
    found: {name: (P, N)}, its values in N batches: their mean with two standard errors, and their
    scatter
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.2))
    for i, name in enumerate(expected):
        look = {"color": COLORS[i], "marker": MARKERS[i]}
        mean, scatter = found[name].mean(1) / exact, found[name].std(1) / exact
        error = 2 * scatter / np.sqrt(found[name].shape[1])
        apart = exact * 1.12 ** (i - 1)  # side by side
        axes[0].plot(exact, expected[name] / exact, linestyle=LINESTYLES[i], color=COLORS[i])
        axes[0].errorbar(apart, mean, error, linestyle="none", capsize=2, label=name, **look)
        axes[1].plot(exact, scatter, linestyle=LINESTYLES[i], label=name, **look)
    axes[1].axhline(1, color=DARK, linestyle=":", lw=1)
    axes[0].set(title=_("mean of the estimates / exact KL"), ylim=(0, None))
    axes[1].set(title=_("scatter of one estimate / exact KL"), yscale="log")
    for ax in axes:
        ax.set(xscale="log", xlabel=_("exact KL"))
        ax.grid(True)
    axes[1].legend()
    return axes


def leashes(frontiers, kl_runs, betas):
    """The clip beside the penalty: what each makes of how much KL, and when it spends it.

    frontiers: {name: {setting: (mean KL, J / best J)}}
    kl_runs: {name: (iterations,)}, KL of each iteration at equal mean; betas: (iterations,)
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(8.6, 3.0))
    for i, (name, points) in enumerate(frontiers.items()):
        look = {"color": COLORS[(0, 4)[i]], "linestyle": LINESTYLES[i]}
        axes[0].plot(*np.array(list(points.values())).T, marker=MARKERS[i], label=name, **look)
        for setting, point in points.items():
            axes[0].annotate(
                f"{setting:g}", point, xytext=(4, -11), textcoords="offset points", size=8
            )
        axes[1].plot(kl_runs[name], label=name, **look)
    axes[0].set(xlabel=_("mean exact KL of an iteration"), title=_("J / best J at the end"))
    axes[0].margins(0.12)
    axes[1].set(xlabel=_("iteration"), title=_("KL of each iteration"), yscale="log")
    axes[2].step(np.arange(len(betas)), betas, "-", color=COLORS[4], where="post")
    axes[2].set(xlabel=_("iteration"), title=_("coefficient $\\beta$"), ylim=(0, None))
    axes[0].legend(fontsize=8)
    for ax in axes:
        ax.grid(True)
    return axes


def by_rate(rates, ends):
    """Where runs end at each learning rate: the mean, and a bar from the worst to the best.

    rates: (P,); ends: {name: (P, R)}, J / best J at the end of R runs
    """
    ax, rates = new_axes(height=3.6), np.asarray(rates, dtype=np.float64)
    for i, (name, found) in enumerate(ends.items()):
        found = np.asarray(found)
        look = {"color": COLORS[i], "marker": MARKERS[i], "linestyle": LINESTYLES[i]}
        mean, apart = found.mean(1), rates * 1.04 ** (i - (len(ends) - 1) / 2)  # side by side
        reach = np.array([mean - found.min(1), found.max(1) - mean])
        ax.errorbar(apart, mean, reach, capsize=2, elinewidth=0.8, label=name, **look)
    ax.set(xscale="log", xlabel=_("learning rate"), ylabel=_("exact J / best J"))
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.grid(True, axis="y")
    return ax
