"""Sequences: which step gets how much credit, which token comes next."""

import numpy as np

from ..i18n import _
from .style import DARK, FAINT, GREY, LIGHT, diverging_colors, ink_on, new_axes, signed


def credit_strip(labels, weights, rewards=None, ax=None, limit=None):
    """One cell a step, coloured by the weight of its log-probability, which is written in.

    labels: (T,) names of the actions, translated where the catalogue has them
    weights: (T,), or {row name: (T,)} for several ways to share out the credit, on one scale
    rewards: (T,), written below the cells
    """
    return _strip([_(str(label)) for label in labels], weights, rewards, 0, ax, limit)


def token_strip(tokens, weights, rewards=None, prompt=(), ax=None, limit=None):
    """The same for a sentence: grey cells for the prompt, then one cell a token.

    tokens: (T,) words as written; weights, rewards, limit: as for `credit_strip`
    prompt: words that were given, not chosen, and so get no credit
    """
    prompt = prompt.split() if isinstance(prompt, str) else list(prompt)
    words = [*prompt, *(str(token) for token in tokens)]
    return _strip(words, weights, rewards, len(prompt), ax, limit)


def _strip(labels, weights, rewards, skipped, ax, limit):
    from matplotlib.patches import Rectangle

    rows = weights if isinstance(weights, dict) else {"": weights}
    rows = {name: np.asarray(row, dtype=np.float64) for name, row in rows.items()}
    steps = len(labels) - skipped
    for row in (*rows.values(), *(() if rewards is None else (np.asarray(rewards),))):
        if row.shape != (steps,):
            message = _("one number a step is needed, ({steps},), not {shape}")
            raise ValueError(message.format(steps=steps, shape=row.shape))
    if limit is None:
        limit = max((np.max(np.abs(row), initial=0.0) for row in rows.values()), default=0.0)
    ax = new_axes(ax, height=1.1 + 0.55 * len(rows) + 0.25 * (rewards is not None))
    for y, row in enumerate(rows.values()):
        for t in range(skipped):
            ax.add_patch(Rectangle((t - 0.5, y - 0.5), 1, 1, facecolor=LIGHT, edgecolor="white"))
        for t, weight in enumerate(row, start=skipped):
            face = diverging_colors(weight, limit)
            ax.add_patch(Rectangle((t - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor=GREY))
            size = 10 if len(labels) <= 12 else 7
            style = {"ha": "center", "va": "center", "color": ink_on(face), "size": size}
            ax.text(t, y, signed(weight), **style)
    _label_strip(ax, labels, list(rows), rewards, skipped)
    return ax


def _label_strip(ax, labels, names, rewards, skipped):
    ax.set(xlim=(-0.52, len(labels) - 0.48), ylim=(len(names) - 0.48, -0.52))
    ax.set_xticks(range(len(labels)), labels)
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for tick in ax.get_xticklabels()[:skipped]:
        tick.set_color(FAINT)
    if rewards is not None:
        size = 9 if len(labels) <= 12 else 7
        for t, reward in enumerate(rewards, start=skipped):
            ax.text(t, len(names) - 0.35, signed(reward), ha="center", va="top", size=size)
        ax.text(-0.6, len(names) - 0.35, _("reward"), ha="right", va="top", size=9)
    ax.set_title(_("Weight of each step's log-probability"))
    _slant_where_crowded(ax, len(labels))


def _slant_where_crowded(ax, columns):
    """Labels wider than their cells are slanted: "izquierda" is longer than "left"."""
    ax.figure.draw_without_rendering()  # now the layout is known
    renderer = ax.figure.canvas.get_renderer()
    cell = ax.get_window_extent(renderer).width / columns
    labels = ax.get_xticklabels()
    if any(label.get_window_extent(renderer).width > 0.97 * cell for label in labels):
        for label in labels:
            label.set(rotation=40, ha="left", rotation_mode="anchor")


def token_tree(env, pi, top=2, state=None, ax=None):
    """How a sentence may go on: the `top` likeliest next tokens at each point, to the end.

    env: TokenEnv; pi: (S, A); state: where to begin, the first prompt by default

    A line's width is the token's probability, also written on it; the sentence's score stands
    at its end.
    """
    state = int(np.argmax(env.start)) if state is None else state
    lines = _branches(env, np.asarray(pi, dtype=np.float64), top, state)
    leaves = sum(line["leaf"] for line in lines)
    ax = new_axes(ax, height=min(9.0, 0.9 + 0.24 * leaves))
    ax.text(0, lines[0]["y0"], env.text(state) + " ", ha="right", va="center", weight="bold")
    for line in lines:
        _draw_branch(ax, line)
    depth = max(line["depth"] for line in lines) + 1
    ax.set(xlim=(-0.45, depth + 0.5), ylim=(leaves - 0.3, -0.7))
    ax.axis("off")
    ax.set_title(_("Likeliest continuations, their probability and score"))
    return ax


def _branches(env, pi, top, root):
    """One dict a branch, depth first; the leaves get rows 0, 1, ... and parents the middle."""
    lines, rows = [], iter(range(10**6))

    def grow(state, depth):
        actions = np.argsort(-pi[state], kind="stable")[:top]
        own = []
        for action in sorted(a for a in actions.tolist() if pi[state, a] > 0):
            following = int(env.transitions[state, action].argmax())
            line = {"depth": depth, "word": env.symbols[action], "p": pi[state, action]}
            lines.append(line)
            own.append(line)
            ended = following >= env.num_states - 2
            line["leaf"] = ended
            line["score"] = env.rewards[state, action, following] if ended else None
            line["y1"] = next(rows) if ended else grow(following, depth + 1)
        middle = (own[0]["y1"] + own[-1]["y1"]) / 2
        for line in own:
            line["y0"] = middle
        return middle

    grow(root, 0)
    return lines


def _draw_branch(ax, line):
    x, p = line["depth"], float(line["p"])
    ax.plot(
        [x, x + 0.24],
        [line["y0"], line["y1"]],
        color=DARK,
        alpha=0.3 + 0.7 * p,
        linewidth=0.5 + 4 * p,
        linestyle="-",
        solid_capstyle="round",
    )
    ax.text(x + 0.47, line["y1"], line["word"], va="center", size=9)
    ax.text(x + 0.45, line["y1"], f"{p:.2f}", va="center", ha="right", size=8, color=FAINT)
    if line["leaf"]:
        ax.text(x + 0.95, line["y1"], signed(line["score"]), va="center", ha="right", size=9)
