"""How far estimates scatter: measured points beside exact lines, angles, planes of a gradient."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LINESTYLES, MARKERS, new_axes


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
