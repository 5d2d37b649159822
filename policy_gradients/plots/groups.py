"""Figures of training on groups: prompts' weights, drifts, gradients of penalties, broken runs."""

import numpy as np

from ..i18n import N_, _
from .style import COLORS, DARK, GREY, LINESTYLES, MARKERS, many_panels, new_axes, tinted, use_style


def prompt_weights(p, weights, marked):
    """How strongly a prompt pulls over its chance of success.

    p: (K,); weights: {label: (K,)}; marked: {prompt: (p, weight)}. Returns the Axes.
    """
    ax = new_axes(None, height=3.4)
    for i, (label, line) in enumerate(weights.items()):
        look = {"color": COLORS[i], "linestyle": LINESTYLES[i], "marker": MARKERS[i]}
        ax.plot(p, line, label=label, markevery=(6 + 4 * i, 28), **look)
    for name, point in marked.items():
        ax.plot(*point, "*", color="white", mec=DARK, mew=1.0, markersize=12, zorder=4)
        ax.annotate(name, point, xytext=(0, 9), textcoords="offset points", ha="center", size=9)
    ax.set(xlabel=_("chance of success p"), ylabel=_("weight of the prompt"), ylim=(0, None))
    ax.set_xlim(0, 1)
    ax.grid(True, axis="y")
    ax.legend(ncols=2, fontsize=9)
    return ax


def drifts(runs, every=1):
    """Exact KL to the reference over updates, a thin line for each run.

    runs: {label: (seeds, P)}; every: updates between two of the P numbers. Returns the Axes.
    """
    ax = new_axes(None, height=3.2)
    for i, (label, some) in enumerate(runs.items()):
        look = {"color": COLORS[(4, 0)[i]], "linestyle": LINESTYLES[i]}
        for number, run in enumerate(some):
            updates, name = every * np.arange(len(run)), label if number == 0 else None
            ax.plot(updates, np.maximum(run, 1e-9), label=name, lw=1.3, **look)
    ax.set(yscale="log", ylim=(1e-8, 10), xlabel=_("update"))
    ax.set_ylabel(_("exact KL to the reference\n(nats per sentence)"))
    ax.grid(True, axis="y")
    ax.legend(loc="lower right")
    return ax


def cosine_cloud(kl, cosines):
    """Cosine of each loss's mean gradient with the true one, over the exact KL.

    kl: (N,); cosines: {label: (N,)}. Returns the Axes.
    """
    ax = new_axes(None, height=3.8)
    faces = ("black", GREY, COLORS[0], COLORS[4])
    for i, (label, values) in enumerate(cosines.items()):
        look = {"marker": MARKERS[i], "mfc": faces[i], "mec": DARK, "mew": 0.4}
        ax.plot(kl, values, linestyle="none", markersize=5.5, label=label, **look)
    for height in (0, 1):
        ax.axhline(height, color=DARK, lw=0.8, linestyle=":", zorder=0)
    ax.set(xscale="log", ylim=(min(-0.25, *map(np.min, cosines.values())) - 0.05, 1.1))
    ax.set(xlabel=_("exact KL to the reference (nats per sentence)"))
    ax.set_ylabel(_("cosine with the true gradient"))
    ax.grid(True, axis="y")
    ax.legend(loc="center left", bbox_to_anchor=(0.0, 0.55), fontsize=9)
    return ax


def scattered_frontier(runs, line, ax=None):
    """Exact score over exact KL of many runs, with the best that is possible.

    runs: {label: (..., 2)} of KL and score; line: (2, K). The axis is scaled by the KL's root.
    """
    ax = new_axes(ax, height=4.0)
    furthest = 1.15 * max(float(np.max(points[..., 0])) for points in runs.values())
    shown = line[0] <= furthest
    ax.plot(line[0][shown], line[1][shown], "--", color=GREY, lw=1.4, label=_("best possible"))
    for i, (label, points) in enumerate(runs.items()):
        color = COLORS[(0, 1, 4)[i]]
        look = {"marker": MARKERS[i], "mfc": tinted(color, 0.75), "mec": DARK, "mew": 0.4}
        ax.plot(*points.reshape(-1, 2).T, linestyle="none", markersize=5.5, label=label, **look)
    ax.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
    ticks = [tick for tick in (0, 0.1, 0.5, 1, 2, 5, 10, 20) if tick <= furthest]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xlim(0, furthest)
    ax.set(xlabel=_("exact KL to the reference (nats per sentence)"), ylabel=_("exact score"))
    ax.grid(True)
    ax.legend(loc="lower right", fontsize=9)
    return ax


def contest(updates, curves, finals, line, best):
    """Left: the objective over updates, mean over seeds. Right: where the runs ended.

    updates: (K,); curves: {label: (seeds, K)}; finals: {label: (seeds, 2)} of KL and score
    line: (2, N); best: the best possible objective. Returns the figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, (ax, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
    for i, (label, runs) in enumerate(curves.items()):
        look = {"color": COLORS[(0, 1, 4)[i]], "linestyle": LINESTYLES[i], "marker": MARKERS[i]}
        ax.plot(updates, runs.mean(0), label=label, **look)
    ax.axhline(best, color=DARK, lw=1.0, linestyle=":", label=_("best possible"))
    ax.set(xlabel=_("update"), title=_("exact score minus β times exact KL"))
    ax.grid(True, axis="y")
    ax.legend(loc="lower right", fontsize=9)
    scattered_frontier(finals, line, right)
    return fig


# What a panel shows: gauge, title, limits of the axis.
PANELS = (
    ("mean_score", N_("mean score"), (-0.1, 4.1)),
    ("kl", N_("KL to reference"), (-0.5, 12.0)),
    ("first_ratio", N_("first ratio"), (0.88, 1.12)),
    ("equal_groups", N_("equal groups"), (-0.05, 1.05)),
    ("spread", N_("spread of A"), (-0.05, 1.55)),
    ("between", N_("spread of means"), (-0.03, 0.75)),
)


def broken_token_runs(runs, healthy):
    """One row for each run: its six gauges, a healthy run dashed behind. Returns the figure.

    runs: {name: {key: (updates,)}}; healthy: {key: (updates,)}
    """
    updates = len(next(iter(healthy.values())))
    fig, axes = many_panels(len(runs), len(PANELS), updates, 1.75, 1.15)
    for row, (name, run) in zip(axes, runs.items(), strict=True):
        for ax, (key, _title, limits) in zip(row, PANELS, strict=True):
            ax.plot(np.clip(healthy[key], *limits), color=GREY, linestyle="--", linewidth=1.1)
            ax.plot(np.clip(run[key], *limits), color=COLORS[4], linestyle="-", linewidth=1.5)
            ax.set_ylim(*limits)
            ax.grid(True, axis="y")
            ax.tick_params(labelsize=8)
        row[0].set_ylabel(name, rotation=0, size=15, weight="bold", labelpad=16, va="center")
    for ax, (_key, title, _limits) in zip(axes[0], PANELS, strict=True):
        ax.set_title(_(title), size=10)
    for ax in axes[-1]:
        ax.set_xlabel(_("update"), size=9)
    return fig


def gauge_table(runs):
    """Prints each gauge's smallest and largest number, a line for each run."""
    print(" " * 8 + "".join(f"{_(title):>17}" for _key, title, _limits in PANELS))
    for name, run in runs.items():
        pairs = [(run[key].min(), run[key].max()) for key, _title, _limits in PANELS]
        print(f"{name:8}" + "".join(f"{low:9.2f} {high:7.2f}" for low, high in pairs))
