"""Messages in the learner's language. English is the key; a missing translation stays English.

from policy_gradients.i18n import _
print(_("step {n}").format(n=3))
"""

import contextlib
import functools
import gettext
import itertools
import json
import os
import struct
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_LOCALES = (_PACKAGE / "locale",)
_chosen = None
FOLDERS = "notebooks", "solutions"  # with a folder for each language
MOST_LESSONS, MOST_BYTES = 50, 50 << 20


def N_(message):
    """Marks a text for the catalogue where it is defined; `_` translates it where it is shown."""
    return message


def set_language(code):
    """Choose the language of all later messages ("en", "es"); None returns to the default."""
    global _chosen
    _chosen = code


@contextlib.contextmanager
def speaking(code):
    """All messages in the language `code` for the length of the block; "" changes nothing."""
    global _chosen
    before, _chosen = _chosen, code or _chosen
    try:
        yield
    finally:
        _chosen = before


def languages() -> tuple:
    """Codes of the languages that the course speaks: English, and each one with messages."""
    found = {path.parents[1].name for place in _LOCALES for path in place.glob("*/*/messages.mo")}
    return "en", *sorted(found - {"en"})


def language(folder=".", default="en"):
    """Code of the language in use.

    What `set_language` chose; else the variable COURSE_LANGUAGE; else the first folder below
    notebooks/ or solutions/ in the path of `folder` (the working directory), where that names a
    language; else what the lesson's notebook in `folder` says of itself; else `default`.
    """
    return _chosen or os.environ.get("COURSE_LANGUAGE") or _language_of(folder) or default


def system_language():
    """Code of the system's language where the course speaks it, else "en"."""
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    code = next(filter(None, named), "")[:2].lower()
    return code if code in languages() else "en"


def _language_of(folder):
    try:
        # Asked for with each message, and the system knows where it is.
        path = os.getcwd() if folder == "." else os.path.realpath(folder)
    except OSError:  # the folder was deleted under the running kernel
        return ""
    parts = Path(path).parts
    below = [part for above, part in itertools.pairwise(parts) if above in FOLDERS]
    known = languages() if below else ()  # which reads the folder of messages
    return next((part for part in below if part in known), "") or _language_beside(path)


@functools.lru_cache(maxsize=8)
def _language_beside(path):
    """The language of the lessons in this very folder, such as one that a student unpacked there;
    "" where there is none. Where there are several, the one that Jupyter opened decides."""
    opened = Path(path, os.path.basename(os.environ.get("JPY_SESSION_NAME", "")) or ".")
    for files in ([opened], sorted(Path(path).glob("[0-9][0-9]*_*.ipynb"))[:MOST_LESSONS]):
        found = set(map(_language_in, files)) & set(languages())
        if len(found) == 1:
            return found.pop()
    return ""


def _language_in(file):
    try:
        if not file.is_file() or file.stat().st_size > MOST_BYTES:
            return ""
        said = json.loads(file.read_bytes())["metadata"]["policy_gradients"]["language"]
        return said if isinstance(said, str) else ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # not one of ours
        return ""


def _(message):
    """The message in the language that is in use now; the message itself where none is known."""
    code = language()
    if code == "en" or not message:  # gettext answers "" with the catalogue's header
        return message
    for folder in _LOCALES:
        try:
            found = gettext.translation("messages", folder, [code]).gettext(message)
        except (OSError, ValueError, struct.error):  # no catalogue, or a broken one
            continue
        if found != message:
            return found
    return message
