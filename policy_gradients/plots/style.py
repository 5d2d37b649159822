"""Colours, sizes and the small tools that every figure uses."""

import io
from base64 import b64encode
from html import escape

import numpy as np

WIDTH = 7.0  # inches; with DPI it keeps a picture well below 60 kB
DPI = 100

# Okabe and Ito (2008), told apart with any kind of colour vision. The order alternates dark and
# light, so that neighbours differ in greyscale as well.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#56B4E9", "#D55E00", "#000000", "#CC79A7")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINESTYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))
GREY, LIGHT, DARK = "#8C8C8C", "#EDEDED", "#222222"
FAINT = "#6B6B6B"  # for words that stand back; GREY is for lines
NEGATIVE, POSITIVE = "#D55E00", "#0072B2"


def use_style():
    """Set Matplotlib's defaults for this course; every figure of the package does so itself."""
    import matplotlib.pyplot as plt
    from cycler import cycler

    lines = cycler(color=COLORS) + cycler(linestyle=LINESTYLES)
    plt.rcParams.update(
        {
            "figure.figsize": (WIDTH, 3.6),
            "figure.dpi": DPI,
            "figure.constrained_layout.use": True,
            "savefig.dpi": DPI,
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": lines,
            "axes.axisbelow": True,
            "grid.color": "#DDDDDD",
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "legend.frameon": False,
        }
    )


def new_axes(ax=None, height=3.6, width=WIDTH):
    """`ax`, or the Axes of a new figure of this height in inches, in the course's style."""
    import matplotlib.pyplot as plt

    use_style()
    return plt.subplots(figsize=(width, height))[1] if ax is None else ax


def many_panels(rows, columns, updates, width=1.9, height=1.2):
    """A figure with rows of small panels over so many updates -> fig, axes (rows, columns).

    width, height: of a panel, in inches. Places and limits are given: a layout that looks for them
    draws all tick labels three more times, and axes that share their limits ask all the others at
    every step, which is most of what a figure with thirty panels takes.
    """
    import matplotlib.pyplot as plt

    use_style()
    size = (width * columns, height * rows + 0.5)
    fig, axes = plt.subplots(rows, columns, figsize=size, layout="none", squeeze=False)
    edges = {"left": 0.75 / size[0], "right": 1 - 0.05 / size[0]}
    edges |= {"bottom": 0.5 / size[1], "top": 1 - 0.3 / size[1]}
    fig.subplots_adjust(**edges, wspace=0.32, hspace=0.18)
    last, margin = updates - 1, plt.rcParams["axes.xmargin"]
    for ax in axes.flat:
        ax.set_xlim(-margin * last, last + margin * last)
    for ax in axes[:-1].flat:
        ax.tick_params(axis="x", labelbottom=False)
    return fig, axes


def plain_logs(ax):
    """Label logarithmic axes with plain numbers, 1, 2, 5, 10, or, over many decades, with powers of
    ten; never with 2 x 10 to some power."""
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter

    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() != "log":
            continue
        low, high = sorted(axis.get_view_interval())
        many = high / low > 1000
        axis.set_major_locator(LogLocator(subs=(1.0,) if many else (1.0, 2.0, 5.0)))
        plain = FuncFormatter(lambda number, _place: f"{number:g}")
        axis.set_major_formatter(LogFormatterMathtext() if many else plain)
        axis.set_minor_formatter(NullFormatter())


def own_figure(width, height):
    """A Figure in the course's style that pyplot doesn't know, for pictures inside widgets.

    Jupyter serves widgets beside the running cell, each in a thread of its own, and after each
    message shows and closes all of pyplot's figures: also one that the other thread still draws.
    """
    from matplotlib.figure import Figure

    use_style()
    return Figure(figsize=(width, height))


def diverging():
    """Colour map from vermilion (negative) over white to blue (positive)."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("credit", [NEGATIVE, "#FFFFFF", POSITIVE])


def diverging_colors(numbers, limit=None):
    """RGBA (..., 4) of `numbers` on a scale that is symmetric about zero."""
    numbers = np.asarray(numbers, dtype=np.float64)
    limit = limit or np.max(np.abs(numbers), initial=0.0) or 1.0
    return diverging()((numbers / limit + 1) / 2)


def tinted(color, share):
    """A colour mixed with white; `share` is how much of the colour stays."""
    from matplotlib.colors import to_rgb

    return tuple(share * part + 1 - share for part in to_rgb(color))


def ink_on(rgba):
    """Black or white, whichever can be read on this colour.

    By the luminance of WCAG 2.2, linear in light; at 0.179 both have the same contrast.
    """
    rgb = np.asarray(rgba[:3], dtype=np.float64)
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if light @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"


def signed(number):
    """A number with its sign and few digits, with a true minus sign."""
    digits = 2 if abs(number) < 10 else 1 if abs(number) < 100 else 0
    text = f"{number:+.{digits}f}"
    if digits:
        text = text.rstrip("0").rstrip(".")
    return "0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def png(fig):
    """The figure as a PNG's bytes; it is closed."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    fig.savefig(buffer, format="png")
    plt.close(fig)
    return buffer.getvalue()


def described(picture, words):
    """HTML of a PNG with words in its place for those who cannot see it. (An ipywidgets Image has
    none, and is stretched to the page's width.)"""
    source = f"data:image/png;base64,{b64encode(picture).decode()}"
    return f'<img alt="{escape(words)}" src="{source}" style="max-width: 100%">'
