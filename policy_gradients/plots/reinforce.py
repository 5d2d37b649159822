"""Figures of the first lesson: returns, three gradients of one policy, loss beside return."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LINESTYLES, MARKERS, WIDTH, new_axes, use_style


def returns(sample, exact, ax=None):
    """How the returns of many episodes are spread, and where their expectation lies.

    sample: (N,) returns
    exact: the objective
    """
    ax = new_axes(ax, height=2.6)
    sample = np.asarray(sample, dtype=np.float64)
    ax.hist(sample, bins=60, color="#A9CCE3", edgecolor=COLORS[0], linewidth=0.6)
    ax.axvline(exact, color="black", lw=1.8)
    label = _("objective {value:.2f}").format(value=exact)
    top = ax.get_ylim()[1]
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    ax.text(exact, 0.92 * top, label, ha="center", va="top", bbox=plate)
    ax.set(xlabel=_("return of one episode"), ylabel=_("episodes"))
    return ax


def gradients(names, exact, estimates, ax=None):
    """The entries of one gradient, computed in several ways.

    names: (D,) names of the entries; exact: (D,), a black line at each
    estimates: {label: (D,)}, at most four; a marker for each
    """
    ax = new_axes(ax, height=3.0)
    places = np.arange(len(names))
    ax.axhline(0, color=GREY, lw=0.8, linestyle="-")
    ax.hlines(exact, places - 0.4, places + 0.4, color="black", lw=2, label=_("exact"))
    sizes, faces = (11, 5, 5, 5), ("none", *COLORS[4:7])
    for i, (label, values) in enumerate(estimates.items()):
        style = {"marker": MARKERS[i], "markersize": sizes[i], "linestyle": "none"}
        edge = COLORS[0] if i == 0 else "black"
        ax.plot(
            places, values, mfc=faces[i], mec=edge, mew=1.4 if i == 0 else 0.5, label=label, **style
        )
    ax.set_xticks(places, names, rotation=0 if len(names) <= 12 else 45)
    ax.set_ylabel(_("entry of the gradient"))
    ax.legend(ncols=len(estimates) + 1, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def loss_and_return(losses, mean_returns):
    """Two panels over the same updates, of the same batches: the loss above, the mean return below.

    losses, mean_returns: (updates,). Returns the two Axes.
    """
    import matplotlib.pyplot as plt

    use_style()
    axes = plt.subplots(2, 1, figsize=(WIDTH, 4.4), sharex=True)[1]
    for i, (ax, values) in enumerate(zip(axes, (losses, mean_returns), strict=True)):
        ax.plot(values, color=COLORS[(4, 0)[i]], linestyle="-")
        ax.grid(True, axis="y")
    axes[0].axhline(0, color=DARK, lw=0.8)
    axes[0].set(ylabel=_("loss"), title=_("Loss of a fresh batch at each update"))
    axes[1].set(ylabel=_("mean return"), xlabel=_("update"))
    axes[1].set_title(_("Mean return of the same batch"))
    return axes


def probabilities(pi, names, ax=None):
    """Probabilities over updates, one line for each action.

    pi: (updates, A), or (runs, updates, A): thin lines for the runs, thick ones for their mean
    names: (A,) names of the actions
    """
    runs = np.atleast_3d(pi) if np.ndim(pi) == 3 else np.asarray(pi)[None]
    ax = new_axes(ax)
    for action, name in enumerate(names):
        color, line = COLORS[action % len(COLORS)], LINESTYLES[action % len(LINESTYLES)]
        if len(runs) > 1:
            ax.plot(runs[:, :, action].T, color=color, linestyle="-", lw=0.5, alpha=0.4)
        every = max(1, runs.shape[1] // 8)
        style = {"color": color, "linestyle": line, "marker": MARKERS[action], "markevery": every}
        ax.plot(runs[:, :, action].mean(0), label=name, lw=2.2, **style)
    ax.set(xlabel=_("update"), ylabel=_("probability"), ylim=(-0.02, 1.02))
    ax.grid(True, axis="y")
    ax.legend()
    return ax
