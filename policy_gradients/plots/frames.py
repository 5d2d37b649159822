"""One picture for each setting of a knob: a strip of frames, and a slider where widgets run."""

from ..i18n import _
from .style import described, new_axes, png, use_style


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
    picture = ipywidgets.HTML(_picture(draw, knob.value, label))
    knob.observe(
        lambda change: setattr(picture, "value", _picture(draw, change["new"], label)), "value"
    )
    return Fallback(ipywidgets.VBox([knob, picture]))


class Fallback:
    """A widget, and in its place a sentence wherever widgets can't be shown."""

    def __init__(self, widget=None):
        self.widget = widget

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {} if self.widget is None else dict(self.widget._repr_mimebundle_() or {})
        bundle["text/plain"] = _("A slider stands here while the notebook runs.")
        return bundle


def _picture(draw, setting, label):
    """The picture, drawn on a figure of its own; its title says it in words."""
    ax = new_axes(height=4.2, width=5.0)
    draw(ax, setting)
    words = ax.get_title(loc="left") or f"{label} = {setting:g}"
    return described(png(ax.figure), words)
