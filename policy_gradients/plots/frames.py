"""One picture for each setting of a knob: a strip of frames, and a slider where widgets run."""

from threading import RLock

from ..i18n import _
from .style import described, own_figure, png, use_style

DRAWING = RLock()  # parts of Matplotlib are shared by all figures


def strip(draw, settings, width=2.4, height=2.5):
    """A row of small pictures on common axes; `draw(ax, setting)` draws one. Returns the Axes."""
    import matplotlib.pyplot as plt

    use_style()
    size = (width * len(settings), height)
    fig, axes = plt.subplots(1, len(settings), figsize=size, sharex=True, sharey=True)
    for ax, setting in zip(axes, settings, strict=True):
        draw(ax, setting)
    return axes


def slider(draw, settings, label, first=None):
    """A slider over `settings` with the picture that `draw(ax, setting)` makes for each.

    Returns what a notebook displays: the slider where ipywidgets works, a sentence elsewhere.
    """
    try:
        import ipywidgets
    except ImportError:
        return Fallback()
    settings = list(settings)
    knob = ipywidgets.SelectionSlider(
        options=[(f"{setting:g}", setting) for setting in settings],
        value=settings[len(settings) // 2] if first is None else first,
        description=label,
        style={"description_width": "initial"},
        layout={"width": "520px"},
    )
    picture = ipywidgets.HTML()
    follow([knob], lambda: setattr(picture, "value", _picture(draw, knob.value, label)))
    return Fallback(ipywidgets.VBox([knob, picture]))


def sliders(draw, knobs, first=None):
    """Several sliders over one picture: `draw(ax, *settings)`, a setting for each knob.

    knobs: {label: settings}; first: the settings shown at first, the middle ones by default

    Returns what a notebook displays, as `slider` does.
    """
    try:
        import ipywidgets
    except ImportError:
        return Fallback()
    middle = [list(settings)[len(settings) // 2] for settings in knobs.values()]
    made = [
        ipywidgets.SelectionSlider(
            options=[(f"{setting:g}", setting) for setting in settings],
            value=value,
            description=label,
            style={"description_width": "initial"},
            layout={"width": "520px"},
        )
        for (label, settings), value in zip(knobs.items(), first or middle, strict=True)
    ]
    picture, label = ipywidgets.HTML(), ", ".join(knobs)

    def show():
        picture.value = _picture(lambda ax, settings: draw(ax, *settings), _chosen(made), label)

    follow(made, show)
    return Fallback(ipywidgets.VBox([*made, picture]))


def _chosen(knobs):
    return tuple(knob.value for knob in knobs)


def follow(knobs, show):
    """Call `show()` now and whenever a knob moves, one call after the other.

    Messages of two knobs may arrive in two threads; whoever comes last shows the settings of both.
    """

    def one_at_a_time(_change=None):
        with DRAWING:
            show()

    for knob in knobs:
        knob.observe(one_at_a_time, "value")
    one_at_a_time()


class Fallback:
    """A widget, and in its place a sentence wherever widgets can't be shown."""

    def __init__(self, widget=None, words=None):
        self.widget = widget
        self.words = words or _("A slider stands here while the notebook runs.")

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {} if self.widget is None else dict(self.widget._repr_mimebundle_() or {})
        bundle["text/plain"] = self.words
        return bundle


def _picture(draw, setting, label):
    """The picture, drawn on a figure of its own; its title says it in words."""
    ax = own_figure(5.0, 4.2).subplots()
    draw(ax, setting)
    words = ax.get_title(loc="left") or f"{label} = {setting}"
    return described(png(ax.figure), words)
