"""Figures of PPO in practice: the critic's clip, what details are worth, gauges side by side."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LIGHT, LINESTYLES, new_axes, use_style


def value_clip(values, held, free, old, ret, clip):
    """One sample's critic loss over the new value, with the clip and without.

    values, held, free: (P,); old: the value before; ret: the return; clip: width of the band
    """
    ax = new_axes(height=3.2)
    ax.axvspan(old - clip, old + clip, color=LIGHT, zorder=0)
    ax.plot(values, free, "--", color=COLORS[4], lw=1.4, label=_("squared error"))
    ax.plot(values, held, "-", color=COLORS[0], lw=5, alpha=0.35, label=_("your loss"))
    for place, words in ((old, _("old value")), (ret, _("return"))):
        ax.axvline(place, color=DARK, linestyle=":", lw=1)
        ax.annotate(
            words,
            (place, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -12),
            textcoords="offset points",
            size=9,
        )
    ax.set(xlabel=_("new value"), ylabel=_("loss of one sample"), ylim=(-0.3, 9.5))
    ax.legend(fontsize=9)
    return ax


def differences(tasks, xlabel):
    """What each change is worth: mean difference with two standard errors, and each seed's own.

    tasks: {title: {label: (seeds,)}}; the rows are those of all tasks, in their order
    """
    import matplotlib.pyplot as plt

    use_style()
    rows = list(dict.fromkeys(label for gains in tasks.values() for label in gains))
    size = (8.6, 0.34 * len(rows) + 1.1)
    fig, axes = plt.subplots(1, len(tasks), figsize=size, sharey=True, squeeze=False)
    for ax, (title, gains) in zip(axes[0], tasks.items(), strict=True):
        ax.axvline(0, color=DARK, lw=1, linestyle="-")
        for label, gain in gains.items():
            gain, place = np.asarray(gain, dtype=np.float64), rows.index(label)
            bar = 2 * gain.std(ddof=1) / np.sqrt(len(gain))
            ax.plot(gain, np.full(len(gain), place), "|", color=GREY, markersize=7)
            ax.errorbar(gain.mean(), place, xerr=bar, fmt="o", color=COLORS[0], capsize=3)
        ax.set_title(title)
        ax.grid(True, axis="x")
    axes[0, 0].set_yticks(range(len(rows)), rows, fontsize=9)
    axes[0, 0].invert_yaxis()
    fig.supxlabel(xlabel, size=9.5)
    return axes[0]


def gauges(panels):
    """Gauges of one run, side by side. panels: {title: (updates,)}; gaps where a number is nan."""
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, len(panels), figsize=(2.9 * len(panels), 2.6))
    for ax, (title, values) in zip(axes, panels.items(), strict=True):
        ax.plot(values, color=COLORS[0], linestyle="-", marker="o", markersize=3)
        ax.set(title=title, xlabel=_("update"))
        ax.grid(True, axis="y")
    return axes


def beside(curves):
    """Learning curves of several programs on one task: the mean over seeds, and all between the
    lowest and the highest; the title says so.

    curves: {label: (steps (U,), returns (seeds, U))}; a line to the first point stands for what was
    played before the first update
    """
    ax = new_axes(height=3.2)
    for i, (label, (steps, returns)) in enumerate(curves.items()):
        steps = np.concatenate([[0], steps]) / 1000
        rows = np.concatenate([returns[:, :1], returns], axis=1)
        ax.fill_between(
            steps,
            np.nanmin(rows, 0),
            np.nanmax(rows, 0),
            color=COLORS[i],
            alpha=0.15,
            lw=0,
            zorder=0,
        )
        mean = np.nanmean(rows, 0)  # nan where no episode ended in a rollout
        ax.plot(steps, mean, color=COLORS[i], linestyle=LINESTYLES[i], lw=1.8, label=label)
    ax.set(xlabel=_("steps played, in thousands"), ylabel=_("mean return"), ylim=(0, 520))
    ax.set_title(_("means over the seeds, bands: lowest to highest"))
    ax.set_xlim(0, max(steps[-1] for steps, _returns in list(curves.values())[:2]) * 1.02e-3)
    ax.legend(fontsize=9)
    return ax
