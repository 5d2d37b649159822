"""The report's pictures as SVG: readable in grey, described in words, light to make."""

from bisect import bisect_right
from html import escape

from markupsafe import Markup

from grader.i18n import _

BLUE, GREY, INK = "#0072B2", "#D9D9D9", "#1a1a1a"
WIDTH = 640
BINS = 10


def histogram(scores, most) -> Markup:
    """How many submissions have how many points: an SVG element."""
    most = most or 1
    edges = [most * i / BINS for i in range(BINS + 1)]
    counts = _counts(scores, edges)
    left, top, height, floor = 50, 24, 180, 204
    step = (WIDTH - left - 20) / BINS
    scale = height / (max(counts) or 1)
    drawn = [
        _bar(left + i * step + 1, floor - n * scale, step - 2, n * scale)
        + _text(left + (i + 0.5) * step, floor - n * scale - 5, n, "middle")
        for i, n in enumerate(counts)
        if n
    ]
    ticks = [
        _text(left + i * step, floor + 17, f"{edge:g}", "middle") for i, edge in enumerate(edges)
    ]
    axis = f'<path d="M{left} {top}V{floor}H{WIDTH - 20}" fill="none" stroke="{INK}"/>'
    names = [
        _text((left + WIDTH) / 2, floor + 38, _("points"), "middle"),
        _text(18, (top + floor) / 2, _("submissions"), "middle", turned=True),
    ]
    bar = _("{low:g} to {high:g}: {n:.0f}")
    told = [bar.format(low=edges[i], high=edges[i + 1], n=n) for i, n in enumerate(counts) if n]
    words = _("Histogram of points over {n} submissions. {bars}.")
    words = words.format(n=len(scores), bars=", ".join(told))
    return _picture(floor + 46, words, [*drawn, axis, *ticks, *names])


def rates(shares) -> Markup:
    """The share of submissions that passed each check: an SVG element."""
    row, left, right = 26, 230, 50
    full = WIDTH - left - right
    drawn = []
    for i, (name, share) in enumerate(shares.items()):
        top, middle = i * row + 4, i * row + 18
        drawn += [
            _text(left - 8, middle, name, "end"),
            _bar(left, top, full, row - 6, GREY),
            _bar(left, top, full * share, row - 6),
            _text(left + full + 8, middle, f"{share:.0%}"),
        ]
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    words = _("Share of submissions that pass each check: {shares}.")
    return _picture(len(shares) * row + 6, words.format(shares=listed), drawn)


def _counts(scores, edges):
    """How many scores lie in each bin; the last one holds its upper edge, too."""
    counts = [0] * BINS
    for score in scores:
        counts[min(max(bisect_right(edges, score) - 1, 0), BINS - 1)] += 1
    return counts


def _bar(x, y, width, height, color=BLUE):
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'
    )


def _text(x, y, words, anchor="start", turned=False):
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' * turned
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(str(words))}</text>'


def _picture(height, words, elements):
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(words)}" '
        f'font-size="13" fill="{INK}">{"".join(elements)}</svg>'
    )
