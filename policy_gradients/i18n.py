"""Messages in the learner's language. English is the key; a missing translation stays English.

from policy_gradients.i18n import _
print(_("step {n}").format(n=3))
"""

import contextlib
import gettext
import itertools
import os
import struct
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_LOCALES = (_PACKAGE / "locale",)
_chosen = None
FOLDERS = "notebooks", "solutions"  # with a folder for each language


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
    language; else `default`.
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
    return next((part for part in below if part in known), "")


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
