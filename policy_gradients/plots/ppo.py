"""Figures of PPO's loop: panels of a training run, curves over steps, a clip of the cart."""

import contextlib
import inspect
import io

import numpy as np

from ..episodes import EpisodeReturns
from ..i18n import N_, _
from .style import COLORS, DARK, GREY, LINESTYLES, MARKERS, WIDTH, many_panels, use_style

# What a panel shows: key of the log, title, limits of the axis.
PANELS = (
    ("mean_return", N_("mean return"), (0, 515)),
    ("approx_kl", N_("KL (nats per step)"), (-0.005, 0.105)),
    ("clip_fraction", N_("clip fraction"), (-0.03, 1.03)),
    ("entropy", N_("entropy"), (-0.02, 0.75)),
    ("explained_variance", N_("explained variance"), (-1.05, 1.05)),
)
# What the bug hunt shows beside these.
FIRST_RATIO = ("first_ratio", N_("first ratio - 1"), (-0.03, 1.03))


def series(history):
    """List of dicts -> {key: (updates,)}; nan where a dict lacks the key."""
    keys = {key for row in history for key in row}
    return {k: np.array([float(row.get(k, np.nan)) for row in history]) for k in sorted(keys)}


def training_panels(history, updates=None):
    """One run: the return above, the four gauges of the update below. Returns the figure.

    history: list of dicts, or {key: (updates,)}; updates: length of the axis
    """
    import matplotlib.pyplot as plt

    use_style()
    runs = history if isinstance(history, dict) else series(history)
    # Drawn again and again while a run goes on: given places take half the time of found ones.
    fig = plt.figure(figsize=(WIDTH + 1.5, 3.9), layout="none")
    edges = {"left": 0.06, "right": 0.99, "bottom": 0.06, "top": 0.94}
    grid = fig.add_gridspec(2, 4, height_ratios=(1.15, 1), hspace=0.55, wspace=0.3, **edges)
    axes = [fig.add_subplot(grid[0, :]), *(fig.add_subplot(grid[1, i]) for i in range(4))]
    for ax, (key, title, limits) in zip(axes, PANELS, strict=True):
        _gauge(ax, runs.get(key, np.zeros(0)), key, limits, COLORS[0])
        ax.set_title(_(title), size=10)
        ax.set_xlim(-0.5, max(updates or 0, len(runs.get(key, ()))) - 0.5)
    axes[0].set_xlabel(_("update"))
    return fig


def _gauge(ax, values, key, limits, color, healthy=None):
    """One panel; what lies beyond the limits is drawn at their edge."""
    if healthy is not None:
        ax.plot(np.clip(healthy, *limits), color=GREY, linestyle="--", linewidth=1.1)
    shown = np.clip(np.asarray(values, float), *limits)
    marker = {} if healthy is not None else {"marker": ".", "markersize": 3}
    ax.plot(shown, color=color, linestyle="-", linewidth=1.5, **marker)
    if key == "entropy":
        ax.axhline(np.log(2), color=DARK, linewidth=0.8, linestyle=":")
    ax.set_ylim(*limits)
    ax.grid(True, axis="y")


def broken_runs(runs, healthy):
    """One row for each run: its panels, a healthy run dashed behind. Returns the figure.

    A sixth panel is there where the runs have a "first_ratio".

    runs: {name: {key: (updates,)}}; healthy: {key: (updates,)}
    """
    panels = (*PANELS, FIRST_RATIO) if "first_ratio" in healthy else PANELS
    fig, axes = many_panels(len(runs), len(panels), len(healthy["entropy"]))
    for row, (name, run) in zip(axes, runs.items(), strict=True):
        for ax, (key, _title, limits) in zip(row, panels, strict=True):
            _gauge(ax, run[key], key, limits, COLORS[4], healthy[key])
            ax.tick_params(labelsize=8)
        row[0].set_ylabel(name, rotation=0, size=15, weight="bold", labelpad=16, va="center")
    for ax, (_key, title, _limits) in zip(axes[0], panels, strict=True):
        ax.set_title(_(title), size=10)
    for ax in axes[-1]:
        ax.set_xlabel(_("update"), size=9)
    return fig


def over_steps(steps, curves, mark, labels=None, live=None):
    """Left: mean return over the environment's steps. Right: where each single run ended.

    steps: (P,); curves: {name: (runs, P)}; mark: height of a dotted line
    labels: {name: text}; live: (steps (Q,), returns (Q,)) of one more run, drawn black
    Returns the figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, (ax, ends) = plt.subplots(1, 2, figsize=(10.5, 4.2), width_ratios=(1.9, 1))
    names = {name: (labels or {}).get(name, name) for name in curves}
    for i, (name, runs) in enumerate(curves.items()):
        _curve(ax, steps, runs, names[name], i)
        final = np.asarray(runs)[:, -3:].mean(1)
        heights = i + np.linspace(-0.28, 0.28, len(final))[np.argsort(np.argsort(final))]
        face = {"color": COLORS[i], "marker": MARKERS[i], "linestyle": "none", "mec": "black"}
        ends.plot(final, heights, markersize=6, mew=0.4, **face)
    if live is not None:
        ax.plot(*live, color=GREY, linestyle="-", linewidth=1.6, zorder=1, label=_("made now"))
    ax.axhline(mark, color=DARK, linestyle=":", linewidth=1.2)
    ax.set(xlabel=_("steps of the environment"), ylabel=_("mean return"), ylim=(0, 515))
    ax.xaxis.set_major_formatter(lambda x, _pos: f"{x / 1000:.0f}k")
    ax.legend(fontsize=8.5, ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))
    ax.grid(True, axis="y")
    ends.axvline(mark, color=DARK, linestyle=":", linewidth=1.2)
    ends.set(xlabel=_("mean return at the end, one mark a run"), xlim=(-10, 525))
    ends.set_yticks(range(len(names)), list(names.values()), fontsize=8.5)
    ends.invert_yaxis()
    ends.grid(True, axis="x")
    return fig


def _curve(ax, steps, runs, label, i):
    """The mean over the runs; how they differ is the right panel's business."""
    style = {"color": COLORS[i], "linestyle": LINESTYLES[i], "marker": MARKERS[i]}
    every = (i % 3, max(1, len(steps) // 6))
    ax.plot(steps, np.mean(runs, axis=0), markevery=every, label=label, **style)


class LivePanels:
    """Panels of a training run that are drawn again while it runs.

    num_envs: N, to add up returns; updates: length of the axis; every: updates between drawings

    with panels.watching(globals()):
        history = train_ppo(...)

    While the block runs, each call of the `ppo_update` of that namespace is followed by a look at
    what it was given and what it returned. `rows` keeps it; `first_ratio` of a row is the largest
    distance from 1 among the ratios before the update's first step.
    """

    def __init__(self, num_envs, updates, every=8):
        self.rows, self._episodes = [], EpisodeReturns(num_envs)
        self._updates, self._every, self._shown = updates, every, None

    @contextlib.contextmanager
    def watching(self, names):
        """Puts a watch around `names["ppo_update"]` for the length of the block."""
        update = names["ppo_update"]
        asked = inspect.signature(update)

        def watched(*args, **kwargs):
            given = asked.bind(*args, **kwargs).arguments
            row = self._before(given, names)
            log = update(*args, **kwargs)
            self.rows.append({**row, **log})
            if len(self.rows) % self._every == 0:
                self.show()
            return log

        names["ppo_update"] = watched
        try:
            yield self
        finally:
            names["ppo_update"] = update
        if not self.rows or len(self.rows) % self._every:  # else it is drawn already
            self.show()

    def _before(self, given, names):
        import torch

        rollout = given["rollout"]
        with torch.no_grad():
            policy = torch.distributions.Categorical(logits=given["policy"](rollout.obs))
            logp = policy.log_prob(torch.as_tensor(rollout.actions)).numpy()
        return {
            "first_ratio": float(np.abs(np.exp(logp - np.asarray(rollout.logp)) - 1).max()),
            "mean_return": self._episodes.mean_return(rollout),
            "explained_variance": names["explained_variance"](rollout.values, given["returns"]),
        }

    def show(self):
        """Draws all rows, in place of the drawing before."""
        import matplotlib.pyplot as plt
        from IPython.display import display

        fig = training_panels(self.rows, self._updates)
        if self._shown is None:
            self._shown = display(fig, display_id=True)
        else:
            self._shown.update(fig)
        plt.close(fig)


def cart_clip(runs, names, frames=250, fps=25):
    """Carts with their poles as an animated GIF, for a notebook to display.

    runs: physical states of several episodes, (T, 4) each, drawn one above the other; the one that
        ends early stands still
    names: a caption for each
    """
    from IPython.display import Image

    longest = max(len(states) for states in runs)
    moments = np.linspace(0, longest - 1, min(frames, (longest + 1) // 2)).astype(int)
    pictures = _cart_pictures(runs, names, moments)
    buffer = io.BytesIO()
    # One palette for all frames, and only what changes from one to the next: a small file.
    first = pictures[0].quantize(16)
    rest = [picture.quantize(palette=first) for picture in pictures[1:]]
    options = {"save_all": True, "append_images": rest, "duration": 1000 // fps, "loop": 0}
    first.save(buffer, format="GIF", **options)
    return Image(data=buffer.getvalue(), format="gif", alt="; ".join(names))


def _cart_pictures(runs, names, moments):
    import matplotlib.pyplot as plt
    from PIL import Image

    use_style()
    size = (4.8, 1.25 * len(runs))
    with plt.rc_context({"figure.constrained_layout.use": False}):
        fig, axes = plt.subplots(len(runs), 1, figsize=size, dpi=75, squeeze=False)
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=0.98, hspace=0.05)
    drawings = [_cart(ax, name) for ax, name in zip(axes[:, 0], names, strict=True)]
    moving = list(zip(axes[:, 0], runs, drawings, strict=True))
    fig.canvas.draw()  # all that stands still, once
    background, pictures = fig.canvas.copy_from_bbox(fig.bbox), []
    for moment in moments:
        fig.canvas.restore_region(background)
        for one in [one for one in moving if moment >= len(one[1]) - 1]:
            _draw_cart(*one, -1)  # it has ended, and stands still from now on
            background = fig.canvas.copy_from_bbox(fig.bbox)
            moving.remove(one)
        for one in moving:
            _draw_cart(*one, moment)
        pictures.append(Image.fromarray(np.asarray(fig.canvas.buffer_rgba())[..., :3].copy()))
    plt.close(fig)
    return pictures


def _cart(ax, name):
    """Track, limits, cart and pole; returns what moves, which only ``draw_artist`` draws."""
    ax.set(xlim=(-2.7, 2.7), ylim=(-0.25, 1.25), aspect="equal")
    ax.axis("off")
    ax.plot([-2.7, 2.7], [0, 0], color=GREY, linestyle="-", linewidth=1)
    for limit in (-2.4, 2.4):
        ax.plot([limit, limit], [-0.15, 0.15], color=GREY, linestyle="-", linewidth=1)
    (cart,) = ax.plot([], [], color=COLORS[0], linestyle="-", linewidth=12, solid_capstyle="butt")
    (pole,) = ax.plot([], [], color=COLORS[4], linestyle="-", linewidth=5, solid_capstyle="round")
    clock = ax.text(2.65, 1.05, "", size=9, va="center", ha="right", color=DARK)
    caption = ax.text(-2.65, 1.05, name, size=9, va="center")  # the pole may pass behind it
    moving = cart, pole, caption, clock
    for part in moving:
        part.set_animated(True)
    return moving


def _draw_cart(ax, states, drawing, moment):
    cart, pole, _caption, clock = drawing
    x, _speed, angle, _spin = states[moment]
    cart.set_data([x - 0.25, x + 0.25], [0.05, 0.05])
    # The pole is one metre long; its axle sits on the cart.
    pole.set_data([x, x + np.sin(angle)], [0.1, 0.1 + np.cos(angle)])
    clock.set_text(_("step {n}").format(n=range(1, len(states) + 1)[moment]))
    for part in drawing:
        ax.draw_artist(part)


def rollout_board(rollout):
    """A rollout (T, N) from above: a row for each environment, a mark where its episode ended.

    The colour is the number of steps since the rollout or the episode began. Returns the Axes.
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, ax = plt.subplots(figsize=(WIDTH + 1, 2.9))
    terminated, truncated = np.asarray(rollout.terminated), np.asarray(rollout.truncated)
    age, ages = np.zeros(terminated.shape[1]), []
    for over in terminated | truncated:
        ages.append(age.copy())
        age = np.where(over, 0, age + 1)
    picture = ax.imshow(np.array(ages).T, cmap="Blues", aspect="auto", interpolation="nearest")
    # A light edge: the crosses must be seen on the darkest cells without their colour.
    cross = {"marker": "X", "color": COLORS[4], "mec": "white", "mew": 0.8, "markersize": 8}
    square = {"marker": "s", "color": COLORS[1], "mec": "black", "mew": 0.5, "markersize": 6}
    marks = (terminated, cross, _("terminated")), (truncated, square, _("cut"))
    for flags, style, label in marks:
        ax.plot(*np.nonzero(flags), linestyle="none", label=label, **style)
    ax.set(xlabel=_("step t of the rollout"), ylabel=_("environment"))
    ax.set_yticks(range(terminated.shape[1]))
    fig.colorbar(picture, ax=ax, label=_("steps of this episode"))
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=9)
    return ax
