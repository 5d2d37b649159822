"""Figures of the course, in one style: Okabe-Ito colours, distinct markers and line styles.

Each function draws on `ax`, or on a new figure, and returns the Axes. Labels are translated.
"""

from .clip import ClipExplorer, clip_curves
from .curves import bars, convergence, gradient_cloud, learning_curves
from .frames import slider, sliders, strip
from .groups import (
    broken_token_runs,
    contest,
    cosine_cloud,
    drifts,
    gauge_table,
    prompt_weights,
    scattered_frontier,
)
from .maps import policy, trajectory, values
from .noise import (
    angle_histogram,
    angles,
    cloud,
    exact_and_measured,
    gradient_plane,
    mark_lowest,
    middle,
    race,
    tuned,
)
from .ppo import LivePanels, broken_runs, cart_clip, over_steps, rollout_board, training_panels
from .practice import beside, differences, gauges, value_clip
from .reinforce import gradients, loss_and_return, probabilities, returns
from .reuse import (
    bundle,
    bundles,
    by_rate,
    claims,
    kl_estimates_figure,
    leashes,
    ratio_histograms,
)
from .strips import credit_strip, token_strip, token_tree
from .style import COLORS, LINESTYLES, MARKERS, new_axes, use_style
from .tokens import frontier, leashes_compared, predictions

__all__ = [
    "beside",
    "broken_token_runs",
    "contest",
    "cosine_cloud",
    "drifts",
    "gauge_table",
    "prompt_weights",
    "scattered_frontier",
    "predictions",
    "leashes_compared",
    "frontier",
    "COLORS",
    "LINESTYLES",
    "MARKERS",
    "ClipExplorer",
    "LivePanels",
    "angle_histogram",
    "angles",
    "bars",
    "broken_runs",
    "bundle",
    "bundles",
    "by_rate",
    "cart_clip",
    "claims",
    "clip_curves",
    "cloud",
    "convergence",
    "credit_strip",
    "differences",
    "exact_and_measured",
    "gauges",
    "gradient_cloud",
    "gradient_plane",
    "gradients",
    "kl_estimates_figure",
    "learning_curves",
    "leashes",
    "loss_and_return",
    "mark_lowest",
    "middle",
    "new_axes",
    "over_steps",
    "policy",
    "probabilities",
    "race",
    "ratio_histograms",
    "returns",
    "rollout_board",
    "slider",
    "sliders",
    "strip",
    "token_strip",
    "token_tree",
    "training_panels",
    "trajectory",
    "tuned",
    "use_style",
    "value_clip",
    "values",
]
