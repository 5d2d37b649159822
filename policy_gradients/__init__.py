"""Small helper package of the policy gradient course.

Tabular environments (`pg.envs`), exact answers by dynamic programming (`pg.exact`), small networks
(`pg.TabularPolicy`, `pg.TabularCritic`, `pg.MLP`, `pg.GaussianMLP`, `pg.Transformer`), a tiny
language (`pg.language`), data containers (`pg.Trajectory`, `pg.Rollout`), figures (`pg.plots`) and
translated messages (`pg.i18n`).

`pg.predict` keeps a prediction, `pg.outcome` shows it beside what came out.
`pg.reset("softmax")` gives an answer's cell its first version back.
`pg.progress()` is another name of `from grader import progress`.
`pg.tr("text")` translates a label of a lesson's own figure (`_` means something else in IPython).

Importing the package is cheap: NumPy, gymnasium, torch and matplotlib are loaded on first use.
"""

from importlib import import_module

from . import i18n
from .i18n import _ as tr

__all__ = [
    "EpisodeReturns",
    "GaussianMLP",
    "MLP",
    "Rollout",
    "TabularCritic",
    "TabularPolicy",
    "Trajectory",
    "Transformer",
    "envs",
    "evaluation",
    "exact",
    "i18n",
    "language",
    "learn_many",
    "libraries",
    "outcome",
    "padded_logp",
    "play_many",
    "plots",
    "predict",
    "predicted",
    "predictions",
    "progress",
    "reset",
    "stored_runs",
    "stub",
    "tr",
]

_MODULES = ("envs", "evaluation", "exact", "language", "libraries", "nets", "plots")
_FOUND_IN = {
    "batches": ("padded_logp",),
    "blank": ("reset", "stub"),
    "data": ("Rollout", "Trajectory"),
    "episodes": ("EpisodeReturns",),
    "kept": ("outcome", "predict", "predicted", "predictions"),
    "nets": ("GaussianMLP", "MLP", "TabularCritic", "TabularPolicy"),
    "saved_runs": ("stored_runs",),
    "side_by_side": ("learn_many", "play_many"),
    "transformer": ("Transformer",),
}
_NAMES = {name: module for module, names in _FOUND_IN.items() for name in names}


def progress(notebooks=None):
    """Shows how far your saved notebooks are: exercises solved, points, what to do next.

    notebooks: the folder that holds LESSON/LESSON.ipynb; None finds it near the working directory.
    Raises RuntimeError where the grader is not installed.
    """
    # Older notebooks use this name. The package grader builds on this one, which imports nothing of
    # it: it is looked up only when it is asked for.
    try:
        show = import_module("grader").progress
    except (ImportError, AttributeError):
        raise RuntimeError(tr("pg.progress() needs the course's package grader.")) from None
    show(notebooks)


def __getattr__(name):
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    return found


def __dir__():
    return sorted({*globals(), *_MODULES, *_NAMES})
