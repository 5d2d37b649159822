"""Matplotlib backend of the sandbox: draws in memory; show() closes the figures, unseen."""

from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas
from matplotlib.backends.backend_agg import FigureManagerBase as FigureManager

__all__ = ["FigureCanvas", "FigureManager", "show"]


def show(*args, **kwargs):
    """Nobody looks at a figure while a notebook is graded."""
    import matplotlib.pyplot as plt

    plt.close("all")
