"""Predictions that are kept: made before an experiment, shown beside what came out, listed.

Nothing here is graded. A prediction lies in `.predictions.json` beside the notebook, so that it
outlives the kernel; where nothing can be written it lives as long as the kernel does.
"""

import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from .i18n import _

FILE = ".predictions.json"
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?|[-+]?[.,]\d+")
_memory = {}


def predict(name, question, mine=None, *, choices=None):
    """Ask for a prediction; display what is returned by letting it be a cell's last line.

    name: what the outcome and the list at the lesson's end call it
    question: what is predicted, with its unit
    mine: the prediction itself, a number or one of `choices`, for those who type it here; None
        leaves it to the widget, or to paper
    choices: texts to choose from; without them a number is asked for

    Once the outcome has been shown the first prediction stays. ValueError where `mine` is none of
    the choices or no number.
    """
    _change(name, question=question)
    if mine is not None:
        _keep(name, _checked(mine, choices))
    return _widget(name, question, choices)


def predicted(name):
    """The prediction kept under this name, a number or a text; None where there is none."""
    return _entries().get(name, {}).get("prediction")


def outcome(name, value, ax=None, axis="x"):
    """Show what came out beside the prediction, in words, and keep it for the list at the end.

    value: a number or a text. ax: a figure's Axes on which a predicted number is marked by a line,
    along its `axis` "x" or "y". Call it before plt.show().
    """
    _change(name, outcome=_plain(value))
    guess = predicted(name)
    if ax is not None and isinstance(guess, int | float):
        _mark(ax, axis, guess)
    if guess is None:
        print(_("What came out: {value}. No prediction was noted.").format(value=_shown(value)))
    else:
        words = _("Your prediction: {guess}. What came out: {value}.")
        print(words.format(guess=_shown(guess), value=_shown(value)))


def predictions():
    """Print this notebook's predictions, each beside its outcome."""
    for entry in _entries().values():
        print(entry.get("question", "?"))
        guess, value = entry.get("prediction"), entry.get("outcome")
        words = _("    predicted: {guess}, came out: {value}")
        print(words.format(guess=_shown(guess), value=_shown(value)))


def _mark(ax, axis, guess):
    style = {"color": "#CC79A7", "linestyle": (0, (1, 1)), "lw": 2.5}
    line = ax.axvline if axis == "x" else ax.axhline
    line(guess, label=_("your prediction"), **style)
    ax.legend()


def _shown(value):
    if value is None:
        return _("(nothing)")
    return value if isinstance(value, str) else f"{value:.3g}"


def _plain(value):
    return value if isinstance(value, str) else float(value)


def _checked(mine, choices):
    """The prediction as it is kept; a text may hold a number with its unit."""
    if choices is not None:
        if mine not in choices:
            known = ", ".join(map(repr, choices))
            raise ValueError(_("{mine!r} is none of: {known}").format(mine=mine, known=known))
        return mine
    if isinstance(mine, str):
        found = NUMBER.search(mine)
        if not found:
            raise ValueError(_("{mine!r} is no number").format(mine=mine))
        mine = found.group().replace(",", ".")
    return float(mine)


def _keep(name, value):
    """Keep the prediction unless the outcome has been shown to someone who had made one."""
    entry = _entries().get(name, {})
    if "outcome" in entry and "prediction" in entry:
        return
    _change(name, prediction=value)


def _widget(name, question, choices):
    from .plots.frames import Fallback

    words = _("Your prediction: {question} Write it down before you go on.").format(
        question=question
    )
    try:
        import ipywidgets
    except ImportError:
        return Fallback(words=words)
    kept = predicted(name)
    note = ipywidgets.Label(_("kept") if kept is not None else "")
    common = {
        "description": question,
        "style": {"description_width": "initial"},
        "layout": {"width": "620px"},
    }
    if choices is None:
        text = "" if kept is None else _shown(kept)
        box = ipywidgets.Text(value=text, continuous_update=False, **common)
    else:
        options = [("-", None), *((choice, choice) for choice in choices)]
        value = kept if kept in choices else None
        box = ipywidgets.Dropdown(options=options, value=value, **common)

    def hear(change):
        if change["new"] in ("", None):
            return
        try:
            _keep(name, _checked(change["new"], choices))
            stays = predicted(name)
            note.value = _("kept: {guess}").format(guess=_shown(stays))
        except ValueError as error:
            note.value = str(error)

    box.observe(hear, "value")
    return Fallback(ipywidgets.HBox([box, note]), words)


def _entries():
    """Name -> {"question", "prediction", "outcome"}: what the file holds, else the memory."""
    path = Path(FILE)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and all(isinstance(entry, dict) for entry in found.values()):
            return found | {name: _memory[name] for name in _memory if name not in found}
    except FileNotFoundError:
        return dict(_memory)
    except (OSError, ValueError):
        pass
    # Not overwritten: someone may want to read it.
    with suppress(OSError):
        path.replace(FILE + ".unreadable")
    return dict(_memory)


def _change(name, **values):
    entries = _entries()
    entries[name] = {**entries.get(name, {}), **values}
    _memory[name] = entries[name]
    if not any("prediction" in entry for entry in entries.values()):
        return  # nothing that would be lost
    with suppress(OSError):
        _write(json.dumps(entries, ensure_ascii=False, indent=1))


def _write(text):
    """The whole file or nothing of it."""
    handle, temporary = tempfile.mkstemp(dir=".", prefix=FILE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, FILE)
    except OSError:
        os.unlink(temporary)
        raise
