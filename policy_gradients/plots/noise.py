"""How far estimates scatter: measured points beside exact lines, angles, planes of a gradient."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LINESTYLES, MARKERS, new_axes, plain_logs, use_style


def gradient_plane(samples, exact):
    """Coordinates in the plane that holds the exact gradient and the strongest noise across it.

    samples: (N, ...), exact: (...) -> ((N, 2), (2,)), for `gradient_cloud`. The first coordinate
    runs along the exact gradient, the second along the first principal direction of what is left
    of the samples' second moments without it.
    """
    exact = np.ravel(np.asarray(exact, dtype=np.float64))
    flat = np.reshape(np.asarray(samples, dtype=np.float64), (len(samples), -1))
    along = exact / np.linalg.norm(exact)
    rest = flat - np.outer(flat @ along, along)
    across = np.linalg.eigh(rest.T @ rest)[1][:, -1]
    across *= np.sign(across[np.argmax(np.abs(across))])  # the sign of an eigenvector is arbitrary
    plane = np.stack([along, across], axis=1)
    return flat @ plane, exact @ plane


def angles(samples, exact):
    """Angle in degrees between each sample (N, ...) and `exact` (...) -> (N,); nan for zeros."""
    exact = np.ravel(np.asarray(exact, dtype=np.float64))
    flat = np.reshape(np.asarray(samples, dtype=np.float64), (len(samples), -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = flat @ exact / (np.linalg.norm(flat, axis=1) * np.linalg.norm(exact))
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def cloud(points, exact, reach, inner=None, ax=None):
    """Estimates in the plane of `gradient_plane`, on a square of half side `reach`.

    points: (N, 2); exact: (2,), drawn as an arrow; the mean of the points is a cross
    inner: half side of a smaller square to mark, for a second picture that shows it enlarged
    """
    points, exact = np.asarray(points, dtype=np.float64), np.asarray(exact, dtype=np.float64)
    ax = new_axes(ax, height=4.4, width=4.6)
    ax.axhline(0, color=GREY, lw=0.8)
    ax.axvline(0, color=GREY, lw=0.8)
    label = _("{n} estimates").format(n=len(points))
    ax.plot(*points.T, "o", color=COLORS[3], alpha=0.6, markersize=3.5, mew=0, label=label)
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 2.0, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", exact, (0, 0), arrowprops={**arrow, "mutation_scale": 9}, zorder=7)
    ax.plot([], [], color="black", linestyle="-", label=_("exact gradient"))
    style = {"marker": "X", "color": COLORS[4], "mec": "white", "markersize": 9}
    ax.plot(*points.mean(0), linestyle="none", zorder=6, label=_("their mean"), **style)
    if inner:
        edge = np.array([-1, 1, 1, -1, -1]) * inner, np.array([-1, -1, 1, 1, -1]) * inner
        ax.plot(*edge, color=DARK, linestyle="--", lw=1.0)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel=_("along the exact gradient"), ylabel=_("strongest noise across it"))
    ax.legend(loc="upper left", fontsize=8, frameon=True, framealpha=0.8, edgecolor="none")
    return ax


def angle_histogram(groups, ax=None):
    """Shares of angles to the exact gradient, from 0 (right) over 90 (useless) to 180 (opposite).

    groups: {label: (N,) degrees}
    """
    ax = new_axes(ax, height=3.2)
    bins = np.arange(0, 181, 7.5)
    for i, (label, degrees) in enumerate(groups.items()):
        degrees = np.asarray(degrees)[~np.isnan(degrees)]
        color, hatch = COLORS[i], (None, "///", "...")[i % 3]
        style = {"histtype": "stepfilled", "alpha": 0.45, "hatch": hatch, "edgecolor": color}
        weights = np.full(len(degrees), 1 / len(degrees))
        ax.hist(degrees, bins, weights=weights, color=color, label=label, **style)
    ax.axvline(90, color=DARK, linestyle="--", lw=1.2)
    ax.set(xlim=(0, 180), xticks=range(0, 181, 30), ylabel=_("share of the estimates"))
    ax.set_xlabel(_("angle to the exact gradient, in degrees"))
    ax.legend()
    return ax


def exact_and_measured(curves, xlabel, ylabel, log="", ax=None):
    """Exact answers as lines, what samples gave as markers of the same colour.

    curves: {label: {"exact": (x, y), "measured": (x, y)}}, either may be missing
    log: "x", "y" or "xy" for logarithmic axes
    """
    ax = new_axes(ax)
    for i, (label, curve) in enumerate(curves.items()):
        color, named = COLORS[i % len(COLORS)], False
        if "exact" in curve:
            line = LINESTYLES[i % len(LINESTYLES)]
            ax.plot(*curve["exact"], color=color, linestyle=line, label=_exact_name(label))
            named = True
        if "measured" in curve:
            words = _("{label}, measured").format(label=label) if named else label
            style = {"linestyle": "none", "mec": "black", "mew": 0.6, "markersize": 6.5}
            marker = MARKERS[i % len(MARKERS)]
            ax.plot(*curve["measured"], color=color, marker=marker, label=words, **style)
    ax.set(xscale="log" if "x" in log else "linear", yscale="log" if "y" in log else "linear")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    plain_logs(ax)
    ax.grid(True)
    ax.legend(fontsize=9)
    return ax


def _exact_name(label):
    return _("{label}, exact").format(label=label)


def mark_lowest(ax, x, y, text):
    """A note with an arrow at the lowest point of a curve."""
    ax.annotate(
        text,
        (x, y),
        xytext=(0, 42),
        textcoords="offset points",
        ha="center",
        size=9,
        arrowprops={"arrowstyle": "-|>", "color": DARK, "lw": 1.2},
    )
    ax.axvline(x, color=GREY, lw=0.8, linestyle=":")


def race(curves, reference, solved, ylabel, width=9.0):
    """One panel for each competitor: every run thin, their median bold, the middle half a band.

    curves: {name: (runs, updates)}; reference: a dotted line, the best that can be reached
    solved: runs that end above this number are counted in the panel's title
    """
    import matplotlib.pyplot as plt

    use_style()
    size = (width, 3.0)
    _fig, axes = plt.subplots(1, len(curves), figsize=size, sharex=True, sharey=True)
    for i, (ax, (name, runs)) in enumerate(zip(axes, curves.items(), strict=True)):
        runs, color = np.asarray(runs, dtype=np.float64), COLORS[i % len(COLORS)]
        updates = np.arange(1, runs.shape[1] + 1)
        low, middle, high = np.percentile(runs, [25, 50, 75], axis=0)
        ax.plot(updates, runs.T, color=GREY, linestyle="-", lw=0.5, alpha=0.7)
        ax.fill_between(updates, low, high, color=color, alpha=0.3, linewidth=0)
        ax.plot(updates, middle, color=color, linestyle="-", lw=2.4)
        ax.axhline(reference, color=DARK, linestyle=":", lw=1.2)
        count = _("{good} of {runs} solve it").format(
            good=int((runs[:, -1] > solved).sum()), runs=len(runs)
        )
        ax.set_title(f"{name}\n{count}", size=9)
        ax.set_xlabel(_("update"))
        ax.grid(True, axis="y")
    axes[0].set_ylabel(ylabel)
    return axes


def middle(points, exact, reach, ax=None):
    """The middle of a cloud: the mean of its points in an ellipse of two standard errors.

    points: (N, 2); exact: (2,), drawn as an arrow; reach: half side of the square shown
    """
    from matplotlib.patches import Ellipse

    points, exact = np.asarray(points, dtype=np.float64), np.asarray(exact, dtype=np.float64)
    ax = new_axes(ax, height=4.4, width=4.6)
    ax.axhline(0, color=GREY, lw=0.8)
    ax.axvline(0, color=GREY, lw=0.8)
    widths, directions = np.linalg.eigh(np.cov(points.T) / len(points))
    tilt = np.degrees(np.arctan2(directions[1, -1], directions[0, -1]))
    size = 4 * np.sqrt(widths)  # a full axis is two standard errors to either side
    look = {"facecolor": COLORS[4], "alpha": 0.25, "edgecolor": COLORS[4], "lw": 1.5}
    label = _("two standard errors of it")
    ax.add_patch(Ellipse(points.mean(0), size[1], size[0], angle=tilt, label=label, **look))
    style = {"marker": "X", "color": COLORS[4], "mec": "white", "markersize": 9}
    ax.plot(*points.mean(0), linestyle="none", zorder=6, label=_("mean"), **style)
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 2.0, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", exact, (0, 0), arrowprops={**arrow, "mutation_scale": 9}, zorder=7)
    ax.plot([], [], color="black", linestyle="-", label=_("exact gradient"))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel=_("along the exact gradient"), ylabel=_("strongest noise across it"))
    ax.legend(loc="upper left", fontsize=8, frameon=True, framealpha=0.8, edgecolor="none")
    return ax


def tuned(runs, rates, reference, ylabel):
    """Learners at their own best rates on the left, and what each rate gives on the right.

    runs: {name: [(runs, updates) for each rate]}; best is the rate with the largest mean over runs
        and updates
    reference: a dotted line, the best that can be reached

    Left: lines are means over the runs, bands their middle half. Right: means over runs and
    updates. Returns the two Axes.
    """
    import matplotlib.pyplot as plt

    use_style()
    size, ratio = (9.5, 3.6), {"width_ratios": [3, 2]}
    _fig, axes = plt.subplots(1, 2, figsize=size, sharey=True, gridspec_kw=ratio)
    for i, (name, found) in enumerate(runs.items()):
        found = [np.asarray(one, dtype=np.float64) for one in found]
        means = [one.mean() for one in found]
        best = found[int(np.argmax(means))]
        updates = np.arange(1, best.shape[1] + 1)
        style = {"color": COLORS[i % 7], "linestyle": LINESTYLES[i % 7]}
        label = _("{name}, rate {rate:g}").format(name=name, rate=rates[int(np.argmax(means))])
        low, high = np.percentile(best, [25, 75], axis=0)
        axes[0].fill_between(updates, low, high, color=COLORS[i % 7], alpha=0.18, linewidth=0)
        axes[0].plot(updates, best.mean(0), lw=2.2, label=label, **style)
        axes[1].plot(rates, means, marker=MARKERS[i % 7], label=name, **style)
    for ax in axes:
        ax.axhline(reference, color=DARK, linestyle=":", lw=1.2)
        ax.grid(True, axis="y")
    axes[0].set(xlabel=_("update"), ylabel=ylabel)
    axes[0].set_title(_("means of {runs} runs, bands: the middle half").format(runs=len(best)))
    axes[0].legend(fontsize=8)
    axes[1].set(xscale="log", xlabel=_("learning rate"))
    axes[1].set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes[1].minorticks_off()
    axes[1].set_title(_("mean over all updates"))
    return axes
