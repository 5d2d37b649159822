"""What intake has to say, and text that a student controls made fit for messages and tables."""

import re
from dataclasses import dataclass, field

from grader.i18n import _

# Values with these names are our own words, marked where they are written.
OURS = ("kind", "what", "why")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Note:
    """A sentence for student and instructor, translated where it is shown, not where it is made."""

    message: str
    values: dict = field(default_factory=dict, hash=False)

    def __str__(self):
        values = {k: _(v) if k in OURS else v for k, v in self.values.items()}
        return _(self.message).format(**values)

    def plain(self) -> list:
        """As JSON keeps it."""
        return [self.message, self.values]


def note(message: str, **values) -> Note:
    """``note(N_("... {name}"), name=...)``; the values are cut and cleaned."""
    return Note(message, {key: _safe(value) for key, value in values.items()})


def _safe(value):
    if isinstance(value, (list, tuple)):
        more = f", ... ({len(value)})" if len(value) > 5 else ""
        return ", ".join(shown(item) for item in value[:5]) + more
    if isinstance(value, Words):
        return str(value)
    return value if isinstance(value, (int, float)) else shown(value)


class Words(str):
    """A value that is our own text: it is not quoted, and translated where the note is shown."""


class Refused(Exception):
    """This submission cannot be graded; ``note`` tells an instructor why and what to do."""

    def __init__(self, message: str, **values):
        self.note = note(message, **values)
        super().__init__(str(self.note))

    def __reduce__(self):
        return (_refused, (self.note,))


def _refused(kept):
    error = Refused("")
    error.note, error.args = kept, (str(kept),)
    return error


def shown(name, most: int = 60) -> str:
    """A name within a sentence: cut, without control or direction characters, quoted if odd."""
    text = clean(str(name)).replace("\n", " ").replace("\t", " ")
    text = text if len(text) <= most else text[: most - 3] + "..."
    return text if re.fullmatch(r"[\w.+@()/-]+", text) else repr(text)


def clean(text: str) -> str:
    """Encodable text without control characters; a lone surrogate becomes its escape."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
