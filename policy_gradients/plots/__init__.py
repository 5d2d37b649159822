"""Figures of the course, in one style: Okabe-Ito colours, distinct markers and line styles.

Each function draws on `ax`, or on a new figure, and returns the Axes. Labels are translated.
"""

from .curves import bars, convergence, gradient_cloud, learning_curves
from .maps import policy, trajectory, values
from .strips import credit_strip, token_strip, token_tree
from .style import COLORS, LINESTYLES, MARKERS, new_axes, use_style

__all__ = [
    "COLORS",
    "LINESTYLES",
    "MARKERS",
    "bars",
    "convergence",
    "credit_strip",
    "gradient_cloud",
    "learning_curves",
    "new_axes",
    "policy",
    "token_strip",
    "token_tree",
    "trajectory",
    "use_style",
    "values",
]
