"""Environments with a map: where the agent went, what it would do, what a cell is worth."""

import numpy as np

from ..i18n import _
from .style import COLORS, DARK, GREY, LIGHT, diverging_colors, ink_on, new_axes, signed

CELL_INCHES = 0.95
ARROW = 0.46  # length of an arrow of probability one, in cells


def trajectory(env, traj, pi=None, ax=None):
    """The path of one episode over the map; a corridor unfolds downwards, one row a step.

    Every reward is written beside a corridor; on a board that of entering the goal or a pit.

    env: an environment with a map (Corridor, Grid)
    traj: Trajectory of T steps
    pi: (S, A), drawn as arrows where it is given
    """
    _require_map(env)
    if env.cells[:, 0].max() == 0:
        return _unfolded(env, traj, pi, ax)
    ax = _board(env, ax)
    if pi is not None:
        _arrows(ax, env, np.asarray(pi))
    visited = _visited(env, traj)
    places = env.cells[visited].astype(float)
    # Steps that share a cell stay apart: the path drifts along the diagonal with time.
    drift = np.linspace(-0.2, 0.2, len(places))[:, None]
    rows, columns = (places + drift).T
    shades = np.linspace(0.25, 1.0, len(places) - 1)
    for t, shade in enumerate(shades):
        ax.annotate(
            "",
            (columns[t + 1], rows[t + 1]),
            (columns[t], rows[t]),
            arrowprops={
                "arrowstyle": "-|>",
                "color": COLORS[0],
                "alpha": shade,
                "lw": 2.0,
                "shrinkA": 0,
                "shrinkB": 0,
                "connectionstyle": "arc3,rad=0.18",  # the way back must not hide the way there
            },
        )
    ax.plot(columns[0], rows[0], "o", color=COLORS[0], markersize=8)
    row, column = places[-1]
    if env.terminal[visited[-1]]:
        ax.text(column, row - 0.32, signed(traj.rewards[-1]), ha="center", va="center", size=9)
    ax.set_title(_summary(traj))
    return ax


def _unfolded(env, traj, pi, ax):
    """Cells from left to right, time downwards, each reward beside its step."""
    states = _visited(env, traj)
    count = len(states)
    head = 1 if pi is None else 2
    ax = new_axes(ax, height=0.7 + 0.28 * (count + head))
    ax.set(xlim=(-0.6, env.num_states + 0.9), ylim=(count - 0.4, -head - 0.2))
    _mark_ends(ax, env, row=-head + 0.4)
    if pi is not None:
        _arrows(ax, env, np.asarray(pi), row=-0.85)
    for cell in range(env.num_states):
        ax.axvline(cell, color=LIGHT, linewidth=14, zorder=0)
    ax.plot(states, np.arange(count), "-o", color=COLORS[0])
    for t, reward in enumerate(traj.rewards):
        ax.text(env.num_states + 0.3, t + 0.5, signed(reward), ha="center", va="center", size=9)
    ax.text(env.num_states + 0.3, -0.45, _("reward"), ha="center", va="center", size=9)
    ax.set_ylabel(_("step"))
    ax.set_yticks(np.arange(0, count, 1 if count <= 10 else 5))
    ax.set_xticks(range(env.num_states))
    ax.set_xlabel(_("cell"))
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_title(_summary(traj))
    return ax


def policy(env, pi, ax=None):
    """What a policy does in each state.

    pi: (S, A). On a map: arrows, the longer and darker the more probable. Without a map: a
    table of probabilities, one row a state.
    """
    pi = np.asarray(pi, dtype=np.float64)
    if env.cells is None:
        return _table(env, pi, ax)
    ax = _board(env, ax)
    _arrows(ax, env, pi)
    ax.set_title(_("Policy: an arrow's length is the action's probability"))
    return ax


def values(env, values, limit=None, ax=None):
    """A number for each state, on the map where the environment has one; `values` is (S,).

    limit: number that gets the full colour, for pictures side by side; the largest by default
    """
    values = np.asarray(values, dtype=np.float64)
    if env.cells is None:
        cells = np.stack([np.zeros(env.num_states, int), np.arange(env.num_states)], 1)
    else:
        cells = env.cells
    shown = np.ones(env.num_states, bool) if env.cells is None else ~env.terminal
    colors = diverging_colors(np.where(shown, values, 0.0), limit)
    ax = _board(env, ax, cells, colors)
    for state in np.flatnonzero(shown):
        row, column = cells[state]
        ink = ink_on(colors[state])
        ax.text(column, row, signed(values[state]), ha="center", va="center", color=ink)
    ax.set_title(_("Value of each state"))
    return ax


def _require_map(env):
    if env.cells is None:
        message = _("{name} has no map; draw its episodes with credit_strip or token_strip")
        raise ValueError(message.format(name=type(env).__name__))


def _board(env, ax, cells=None, colors=None):
    """Empty cells with goal and pits; colours (S, 4) where given."""
    from matplotlib.patches import Rectangle

    cells = env.cells if cells is None else cells
    rows, columns = cells.max(0) + 1
    height = 0.6 + CELL_INCHES * rows
    ax = new_axes(ax, height=max(height, 1.4), width=min(7.0, 0.6 + CELL_INCHES * columns))
    for state, (row, column) in enumerate(cells):
        face = "white" if colors is None else colors[state]
        box = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor=GREY)
        ax.add_patch(box)
    if env.cells is not None:
        _mark_ends(ax, env)
    ax.set(xlim=(-0.52, columns - 0.48), ylim=(rows - 0.48, -0.52), aspect="equal")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def _mark_ends(ax, env, row=None):
    from matplotlib.patches import Rectangle

    marked = [(env.goal, _("goal"), "#BFE3D6", None)]
    marked += [(pit, _("pit"), "#D9D9D9", "////") for pit in env.pits]
    for state, name, face, hatch in marked:
        place, column = env.cells[state]
        if row is None:
            corner = (column - 0.5, place - 0.5)
            box = Rectangle(corner, 1, 1, facecolor=face, edgecolor=GREY, hatch=hatch)
            ax.add_patch(box)
        plate = {"boxstyle": "round,pad=0.15", "facecolor": face, "edgecolor": "none"}
        y = place if row is None else row
        ax.text(column, y, name, ha="center", va="center", weight="bold", bbox=plate)


def _arrows(ax, env, pi, row=None):
    for state in np.flatnonzero(~env.terminal):
        y, x = env.cells[state]
        y = y if row is None else row
        for action, probability in enumerate(pi[state]):
            if probability < 0.02:
                continue
            dy, dx = ARROW * probability * env.moves[action]
            style = {"arrowstyle": "-|>", "color": DARK, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
            style["alpha"] = 0.25 + 0.75 * float(probability)
            style["mutation_scale"] = 5 + 6 * float(probability)
            ax.annotate("", (x + dx, y + dy), (x, y), arrowprops=style)


def _visited(env, traj):
    """The states of the trajectory and the last successor, which a Trajectory may leave out."""
    if traj.last_state is not None:
        return np.append(np.asarray(traj.states, dtype=int), traj.last_state)
    state, action = int(traj.states[-1]), int(traj.actions[-1])
    likely = env.transitions[state, action].copy()
    if not env.noise:
        likely *= np.isclose(env.rewards[state, action], traj.rewards[-1])
    last = int(likely.argmax() if likely.any() else env.transitions[state, action].argmax())
    return np.append(np.asarray(traj.states, dtype=int), last)


def _summary(traj):
    total = signed(float(np.sum(traj.rewards)))
    return _("{steps} steps, return {total}").format(steps=len(traj.rewards), total=total)


def _table(env, pi, ax):
    ax = new_axes(ax, height=min(7.0, 0.9 + 0.32 * len(pi)), width=min(7.0, 1.8 + len(pi[0])))
    ax.imshow(pi, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (state, action), probability in np.ndenumerate(pi):
        ink = "white" if probability > 0.55 else "black"
        ax.text(action, state, f"{probability:.2f}", ha="center", va="center", color=ink, size=9)
    ax.set_xticks(range(pi.shape[1]), [_(name) for name in env.action_names])
    ax.set_yticks(range(pi.shape[0]), _state_names(env))
    ax.set(xlabel=_("action"), ylabel=_("state"), title=_("Probability of each action"))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _state_names(env):
    if hasattr(env, "text"):
        return [env.text(state) for state in range(env.num_states)]
    return [str(state) for state in range(env.num_states)]
