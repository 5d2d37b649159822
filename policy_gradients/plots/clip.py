"""The clip as a picture: its curve, the slope at a point, the six cases; with a slider, too."""

from base64 import b64encode

import numpy as np

from ..i18n import _
from .frames import follow
from .style import COLORS, DARK, GREY, LIGHT, described, own_figure, png, use_style

LOW, HIGH = 0.3, 1.7  # ratios that the pictures show
CLIP_HIGHER = (0.2, 0.28)  # the band of Yu et al. (2025), wider above than below
PLACES = ("below", "inside", "above")
SIGNS = ("+", "-")


class ClipExplorer:
    """What a student's own functions say about one sample, ratio by ratio.

    loss(logp, logp_old, adv, clip): the clipped loss of tensors (B,) -> scalar tensor
    gradient(ratio, adv, clip): its objective's slope, arrays (B,) -> (B,)
    table: {("below", "+"): word, ...}, the six cases in words
    clip: half width of the band, or a pair: how far it reaches below 1 and above 1

    A notebook displays a slider for the ratio and switches for the advantage's sign and for the
    band; where widgets don't run, a picture with one panel for each of the six cases.

    A sample with A > 0 meets the upper edge alone, one with A < 0 the lower edge alone. So a loss
    with one half width serves a band with two: each sign is handed its own.
    """

    def __init__(self, loss, gradient, table, clip=0.2):
        self.loss, self.gradient, self.table = loss, gradient, table
        self.below, self.above = clip if np.ndim(clip) else (clip, clip)
        self.grid = np.linspace(LOW, HIGH, 141)
        self.curves = {s: _objective(loss, self.grid, s, self._edge(s)) for s in SIGNS}
        self.widget = None

    def _edge(self, sign):
        """How far from 1 the edge lies that a sample of this sign meets."""
        return self.above if sign == "+" else self.below

    def place(self, ratio):
        """ "below", "inside" or "above" the band; an edge belongs to it."""
        low, high = 1 - self.below, 1 + self.above
        return "below" if ratio < low else "above" if ratio > high else "inside"

    def slope(self, ratio, sign):
        """The student's slope for one sample with an advantage of +1 or -1."""
        found = self.gradient(np.array([float(ratio)]), np.array([_adv(sign)]), self._edge(sign))
        return float(np.asarray(found)[0])

    def branch(self, ratio, sign):
        """Which branch the student's objective follows at this ratio: "rA", "clip" or "both"."""
        height = float(np.interp(ratio, self.grid, self.curves[sign]))
        plain, flat = _branches(ratio, _adv(sign), self.below, self.above)
        follows = [abs(height - one) < 0.01 for one in (plain, flat)]
        return {(True, False): "rA", (False, True): "clip", (True, True): "both"}.get(
            tuple(follows)
        )

    def words(self, ratio, sign):
        """The point in one sentence: what the picture shows, for a screen reader as well."""
        message = _(
            "r = {ratio:.2f}, A {sign} 0: {place} the band. {branch} Slope {slope}: the "
            "sample {rest}."
        )
        return message.format(
            ratio=ratio,
            sign=">" if sign == "+" else "<",
            place=_place_word(self.place(ratio)),
            branch=_branch_words(self.branch(ratio, sign)),
            slope=_signed(self.slope(ratio, sign)),
            rest=_rest_word(self._answer(ratio, sign)),
        )

    def _answer(self, ratio, sign):
        return self.table.get((self.place(ratio), sign))

    def draw(self, ax, ratio, sign):
        """The student's curve, both branches (the active one bold), the point and its tangent."""
        adv, active = _adv(sign), self.branch(ratio, sign)
        _draw_branches(ax, self.grid, adv, self.below, self.above, active)
        curve = self.curves[sign]
        ax.plot(self.grid, curve, "-", color=COLORS[0], lw=5, alpha=0.35, label=_("your objective"))
        height, slope = float(np.interp(ratio, self.grid, curve)), self.slope(ratio, sign)
        ends = np.array([-0.22, 0.22])
        ax.plot(ratio + ends, height + slope * ends, "-", color="black", lw=1.6, label=_("tangent"))
        ax.plot(ratio, height, "o", color="black", markersize=7)
        ax.axhline(0, color=GREY, lw=0.8)
        ax.set(xlim=(LOW, HIGH), ylim=(-1.8, 0.15) if sign == "-" else (-0.15, 1.8))

    def draw_table(self, ax, ratio, sign):
        """The student's six words; the case at hand stands out."""
        ax.set(xlim=(-0.95, 2), ylim=(3, -0.6))
        ax.axis("off")
        for column, one_sign in enumerate(SIGNS):
            ax.text(column + 0.5, -0.2, f"A {'>' if one_sign == '+' else '<'} 0", ha="center")
        for row, place in enumerate(PLACES):
            ax.text(-0.08, row + 0.5, _place_word(place), ha="right", va="center")
            for column, one_sign in enumerate(SIGNS):
                lit = (place, one_sign) == (self.place(ratio), sign)
                word = _word(self.table.get((place, one_sign)))
                _cell(ax, column, row, word, lit)

    def table_words(self):
        """The six cases of the table, for those who cannot see it."""
        rows = ((sign, place) for sign in SIGNS for place in PLACES)
        cases = (
            f"A {'>' if sign == '+' else '<'} 0, {_place_word(place)}: "
            f"{_word(self.table.get((place, sign)))}"
            for sign, place in rows
        )
        return "; ".join(cases)

    def figure(self, ratio, sign):
        """Curve and table of one setting, on a figure that pyplot doesn't know."""
        fig = own_figure(7.4, 3.3)
        left, right = fig.subplots(1, 2, width_ratios=(3, 2))
        self.draw(left, ratio, sign)
        left.set(xlabel=_("ratio r"), ylabel=_("objective of one sample"))
        left.legend(loc="lower right" if sign == "+" else "upper right", fontsize=8)
        self.draw_table(right, ratio, sign)
        return fig

    def still(self):
        """All six cases in one figure: rows below, inside, above; columns A > 0, A < 0."""
        import matplotlib.pyplot as plt

        use_style()
        fig, axes = plt.subplots(2, 3, figsize=(8.0, 4.6), sharex=True, sharey="row")
        for row, sign in zip(axes, SIGNS, strict=True):
            for ax, place, ratio in zip(row, PLACES, (0.55, 1.0, 1.45), strict=True):
                self.draw(ax, ratio, sign)
                title = _("A {sign} 0, {place}: {word}").format(
                    sign=">" if sign == "+" else "<",
                    place=_place_word(place),
                    word=_word(self._answer(ratio, sign)),
                )
                ax.set_title(title, size=10)
            row[0].set_ylabel(_("objective"))
        for ax in axes[1]:
            ax.set_xlabel(_("ratio r"))
        axes[0, 0].legend(loc="upper left", fontsize=8)
        return fig

    def controls(self):
        """Slider, switch, sentence and picture as one widget; they follow one another."""
        import ipywidgets as widgets

        ratio = widgets.FloatSlider(
            value=1.4,
            min=LOW + 0.1,
            max=HIGH - 0.1,
            step=0.01,
            description=_("ratio r"),
            continuous_update=True,
            layout={"width": "460px"},
        )
        sign = widgets.ToggleButtons(options=[("A > 0", "+"), ("A < 0", "-")], value="+")
        higher = type(self)(self.loss, self.gradient, self.table, CLIP_HIGHER)
        bands = [
            (_("band {low:g} to {high:g}").format(low=1 - one.below, high=1 + one.above), one)
            for one in (self, higher)
        ]
        band = widgets.ToggleButtons(options=bands, value=self)
        words, picture = widgets.HTML(), widgets.HTML()

        def show():
            shown = band.value
            words.value = shown.words(ratio.value, sign.value)
            drawn = png(shown.figure(ratio.value, sign.value))
            picture.value = described(drawn, f"{words.value} {self.table_words()}")

        follow([ratio, sign, band], show)
        return widgets.VBox([widgets.HBox([ratio, sign, band]), words, picture])

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/plain": _("Six panels, one for each case of the clip.")}
        bundle["image/png"] = b64encode(png(self.still())).decode()
        try:
            self.widget = self.controls()
        except ImportError:
            return bundle
        return {**(self.widget._repr_mimebundle_() or {}), **bundle}


def clip_curves(ratio, objectives, clip=0.2):
    """The objective of one sample over its ratio, one panel for each advantage.

    ratio: (R,); objectives: {advantage: (R,)}, as the student's loss gives them. Thin lines are
    the two branches r A and clip(r) A.
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, len(objectives), figsize=(7, 3), sharex=True)
    for ax, (adv, values) in zip(np.atleast_1d(axes), objectives.items(), strict=True):
        _draw_branches(ax, ratio, adv, clip, clip)
        ax.plot(ratio, values, "-", color=COLORS[0], lw=5, alpha=0.35, label=_("your objective"))
        ax.plot(1, adv, "o", color="black")
        ax.set(title=_("advantage A = {adv}").format(adv=_signed(adv)), xlabel=_("ratio r"))
    np.atleast_1d(axes)[0].set_ylabel(_("objective of one sample"))
    np.atleast_1d(axes)[0].legend(fontsize=8)
    return axes


def _branches(ratio, adv, below, above):
    return ratio * adv, np.clip(ratio, 1 - below, 1 + above) * adv


def _draw_branches(ax, ratio, adv, below, above, active=None):
    """The band, and the two numbers between which the objective chooses."""
    ax.axvspan(1 - below, 1 + above, color=LIGHT, zorder=0)
    plain, flat = _branches(ratio, adv, below, above)
    bold = {"rA": (2.6, 1.2), "clip": (1.2, 2.6), "both": (2.6, 2.6)}.get(active, (1.4, 1.4))
    ax.plot(ratio, plain, "--", color=COLORS[4], lw=bold[0], label="$r\\,A$")
    ax.plot(ratio, flat, ":", color=COLORS[2], lw=bold[1], label=_("clip(r) A"))


def _objective(loss, grid, sign, clip):
    """(R,): minus the loss of one sample at each ratio."""
    import torch

    old, adv = (
        torch.zeros(1, dtype=torch.float64),
        torch.full((1,), _adv(sign), dtype=torch.float64),
    )
    logp = torch.tensor(np.log(grid))
    return np.array([-float(loss(one[None], old, adv, clip)) for one in logp])


def _adv(sign):
    return 1.0 if sign == "+" else -1.0


def _signed(number):
    return f"{number:+.3g}".replace("-", "\N{MINUS SIGN}") if number else "0"


def _place_word(place):
    return {"below": _("below"), "inside": _("inside"), "above": _("above")}[place]


def _word(answer):
    return {"moves": _("moves"), "zero": _("zero")}.get(answer, "?")


def _branch_words(branch):
    words = {
        "rA": _("The smaller branch is r A."),
        "clip": _("The smaller branch is clip(r) A, which is flat."),
        "both": _("Both branches agree."),
    }
    return words.get(branch, _("Your objective follows neither branch."))


def _rest_word(answer):
    return {"moves": _("moves the policy"), "zero": _("is at rest")}.get(answer, "?")


def _cell(ax, column, row, word, lit):
    from matplotlib.patches import Rectangle

    face, edge = ("#FFE9A8", "black") if lit else ("white", GREY)
    box = Rectangle((column + 0.03, row + 0.05), 0.94, 0.9, facecolor=face, edgecolor=edge)
    box.set(linewidth=2.5 if lit else 0.8, zorder=2 if lit else 1)
    ax.add_patch(box)
    weight = "bold" if lit else "normal"
    ax.text(
        column + 0.5, row + 0.5, word, ha="center", va="center", weight=weight, zorder=3, color=DARK
    )
