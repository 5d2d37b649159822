"""Numbers over numbers: convergence, learning, variances, clouds of gradients."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LINESTYLES, MARKERS, new_axes, plain_logs, tinted


def convergence(ns, errors, slope=-0.5, ax=None):
    """Error over the number of samples on log axes, with the law it should follow.

    ns: (K,) numbers of samples
    errors: (K,), or (runs, K): every run as a point, their root mean square as a line
    slope: of the reference line, -1/2 for an average of independent samples

    The legend says the measured slope, fitted by least squares on the logarithms.
    """
    ns, errors = np.asarray(ns, dtype=np.float64), np.atleast_2d(errors).astype(np.float64)
    ax = new_axes(ax)
    typical = np.sqrt(np.mean(errors**2, axis=0))
    measured = np.polyfit(np.log(ns), np.log(typical), 1)[0]
    if len(errors) > 1:
        spread = np.tile(ns, len(errors))
        label = _("one run")
        ax.plot(spread, errors.ravel(), ".", color=GREY, alpha=0.5, markersize=4, label=label)
    label = _("measured, slope {slope:.2f}").format(slope=measured)
    ax.plot(ns, typical, marker=MARKERS[0], color=COLORS[0], linestyle="-", label=label)
    middle = np.exp(np.mean(np.log(typical) - slope * np.log(ns)))
    label = _("law, slope {slope:.2f}").format(slope=slope)
    ax.plot(ns, middle * ns**slope, linestyle="--", color=DARK, label=label)
    ax.set(xscale="log", yscale="log")
    ax.set(xlabel=_("number of trajectories N"), ylabel=_("distance from the exact gradient"))
    plain_logs(ax)
    ax.grid(True)
    ax.legend()
    return ax


def learning_curves(curves, reference=None, exact=None, ax=None):
    """Mean return over updates, one curve for each entry, thin lines for its runs.

    curves: {label: (runs, updates)} or {label: (updates,)}
    reference: best reachable objective, a dotted line
    exact: exact objective after each update, (runs, updates) or (updates,), or a dict of such
        arrays; drawn black

    The line is the mean over runs, the band the middle half of them; the legend says so.
    """
    ax = new_axes(ax, height=3.3)
    for i, (label, runs) in enumerate(curves.items()):
        color, line = COLORS[i % len(COLORS)], LINESTYLES[i % len(LINESTYLES)]
        _with_band(ax, runs, label, color, line)
    if exact is not None:
        exact = exact if isinstance(exact, dict) else {_("exact objective"): exact}
        for i, (label, runs) in enumerate(exact.items()):
            mean = np.atleast_2d(runs).mean(0)
            ax.plot(mean, color="black", linestyle=LINESTYLES[(i + 1) % 7], label=label, lw=1.4)
    if reference is not None:
        ax.axhline(reference, color=DARK, linestyle=":", lw=1.2, label=_("best reachable"))
    ax.set(xlabel=_("update"), ylabel=_("mean return"))
    ax.grid(True, axis="y")
    ax.legend()
    return ax


def _with_band(ax, runs, label, color, line):
    runs = np.atleast_2d(np.asarray(runs, dtype=np.float64))
    updates = np.arange(runs.shape[1])
    mean = runs.mean(0)
    if len(runs) > 1:
        low, high = np.quantile(runs, [0.25, 0.75], axis=0)  # never above what a run has reached
        # Flat colours and hard edges: blended pixels make the picture three times as large.
        flat = {"zorder": 1, "antialiased": False}
        tint, pale = tinted(color, 0.45), tinted(color, 0.2)
        ax.fill_between(updates, low, high, color=pale, lw=0, **flat)
        ax.plot(updates, runs.T, color=tint, linestyle="-", linewidth=0.6, **flat)
        words = _("{label} ({count} runs, band: middle half)")
        label = words.format(label=label, count=len(runs))
    every = max(1, runs.shape[1] // 8)
    marker = MARKERS[COLORS.index(color)]
    ax.plot(updates, mean, color=color, linestyle=line, marker=marker, markevery=every, label=label)


def bars(names, measured, exact=None, errors=None, log=True, ylabel=None, ax=None):
    """One bar a name, its number on top; a diamond marks the exact answer.

    names: (K,); measured: (K,); exact: (K,) or None
    errors: (K,) half lengths of the error bars, or None
    """
    measured = np.asarray(measured, dtype=np.float64)
    ax = new_axes(ax)
    places = np.arange(len(measured))
    ax.bar(places, measured, width=0.62, color="#A9CCE3", edgecolor=COLORS[0], label=_("measured"))
    if errors is not None:
        ax.errorbar(places, measured, errors, fmt="none", ecolor=DARK, capsize=4, lw=1.2)
    if exact is not None:
        diamond = {"marker": "D", "color": COLORS[4], "mec": "black", "linestyle": "none"}
        ax.plot(places, exact, label=_("exact"), **diamond)
        ax.legend()
    tops = measured + (0 if errors is None else np.asarray(errors))
    if exact is not None:
        tops = np.maximum(tops, exact)  # the diamond must not hide the number
    for place, top, number in zip(places, tops, measured, strict=True):
        ax.annotate(
            f"{number:.0f}" if number >= 100 else f"{number:.3g}",
            (place, top),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            size=9,
        )
    ax.set_xticks(places, [str(name) for name in names])
    ax.set(yscale="log" if log else "linear", ylabel=ylabel or "")
    ax.margins(y=0.15)
    plain_logs(ax)
    ax.grid(True, axis="y")
    return ax


def gradient_cloud(samples, exact, names=None, ax=None):
    """Gradient estimates as points in a plane, their mean and the exact gradient as arrows.

    samples: (N, 2), two coordinates of each estimate
    exact: (2,)
    names: names of the two coordinates
    """
    samples, exact = np.asarray(samples, dtype=np.float64), np.asarray(exact, dtype=np.float64)
    if samples.ndim != 2 or samples.shape[1] != 2 or exact.shape != (2,):
        message = _("samples must be (N, 2) and exact (2,); they are {0} and {1}")
        raise ValueError(message.format(samples.shape, exact.shape))
    ax = new_axes(ax, height=4.2, width=5.0)
    ax.axhline(0, color=GREY, lw=0.8)
    ax.axvline(0, color=GREY, lw=0.8)
    label = _("one estimate")
    ax.plot(*samples.T, "o", color=COLORS[3], alpha=0.35, markersize=3.5, mew=0, label=label)
    _arrow(ax, samples.mean(0), COLORS[1], 5, _("mean of {n}").format(n=len(samples)))
    _arrow(ax, exact, "black", 1.6, _("exact gradient"))
    first, second = names or (_("coordinate {n}").format(n=1), _("coordinate {n}").format(n=2))
    ax.update_datalim([(0, 0), samples.mean(0), exact])  # annotations do not widen the axes
    ax.autoscale_view()
    ax.set(xlabel=first, ylabel=second)
    ax.legend()
    return ax


def _arrow(ax, tip, color, width, label):
    arrow = {"arrowstyle": "-|>", "color": color, "lw": width, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", tip, (0, 0), arrowprops={**arrow, "mutation_scale": 8 + 4 * width}, zorder=5)
    ax.plot([], [], color=color, linestyle="-", linewidth=width, label=label)
