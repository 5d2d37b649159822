"""Training runs that were made beforehand; `python -m publish.runs` makes them again."""

from pathlib import Path

import numpy as np

from .i18n import _

FOLDER = Path(__file__).parent / "stored"


def stored_runs(name):
    """The arrays of one file: "bug_hunt" -> {run: {gauge: (updates,)}}, "learning_curves" ->
    {name: array}. FileNotFoundError with the names there are."""
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.npz")))
        message = _("no stored runs are called {name!r}; there are: {known}")
        raise FileNotFoundError(message.format(name=name, known=known))
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    if not any("/" in key for key in arrays):
        return arrays
    nested = {}
    for key, values in arrays.items():
        run, gauge = key.split("/")
        nested.setdefault(run, {})[gauge] = values
    return nested
