"""The report's pictures, as PNG data URIs: readable in grey, described in words."""

import base64
import io

from grader.i18n import _

BLUE, GREY = "#0072B2", "#D9D9D9"


def _figure(height):
    from matplotlib.figure import Figure  # a second of work, for reports with pictures alone

    return Figure(figsize=(6, height), layout="constrained")


def histogram(scores, most) -> dict:
    """How many submissions have how many points: {"src": data URI, "alt": words}."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(2.6)
    axes = figure.subplots()
    most = most or 1
    bins = [most * i / 10 for i in range(11)]
    counts, _edges, bars = axes.hist(scores, bins=bins, color=BLUE, edgecolor="white")
    axes.bar_label(bars, [f"{n:.0f}" if n else "" for n in counts], fontsize=8)
    axes.set(
        xlabel=_("points"),
        ylabel=_("submissions"),
        xlim=(0, most),
        ylim=(0, max(counts) * 1.15 or 1),
    )
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    bar = _("{low:g} to {high:g}: {n:.0f}")
    told = [bar.format(low=bins[i], high=bins[i + 1], n=n) for i, n in enumerate(counts) if n]
    words = _("Histogram of points over {n} submissions. {bars}.")
    return _image(figure, words.format(n=len(scores), bars=", ".join(told)))


def rates(shares) -> dict:
    """The share of submissions that passed each check: {"src": data URI, "alt": words}."""
    figure = _figure(0.5 + 0.3 * len(shares))
    axes = figure.subplots()
    names = list(shares)[::-1]
    axes.barh(names, [1.0] * len(names), color=GREY)
    bars = axes.barh(names, [shares[name] for name in names], color=BLUE)
    labels = [f"{shares[name]:.0%}" for name in names]
    for bar, label in zip(bars, labels, strict=True):
        axes.text(1.02, bar.get_y() + bar.get_height() / 2, label, va="center", fontsize=9)
    axes.set(xlim=(0, 1.12), xticks=[])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    words = _("Share of submissions that pass each check: {shares}.")
    return _image(figure, words.format(shares=listed))


def _image(figure, words):
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return {"src": f"data:image/png;base64,{data}", "alt": words}
