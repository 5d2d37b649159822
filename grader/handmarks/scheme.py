"""The mark scheme of a free text, as boxes to tick: read from the instructor's notebook."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "### BEGIN MARK SCHEME", "### END MARK SCHEME"
_NUMBERS = {
    "half a": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "medio": 0.5, "un": 1,
    "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5,
}  # fmt: skip
_NUMBER = r"\d+(?:[.,]\d+)?|" + "|".join(_NUMBERS)
_POINTS = "(?:points?|puntos?)"
_EACH = re.compile(
    rf"\b({_NUMBER}) {_POINTS} (?:each|for each|cada un[oa]|por cada)", re.IGNORECASE
)
_OWN = re.compile(rf"({_NUMBER})\s*{_POINTS}\s*:\s+", re.IGNORECASE)
_BULLET = re.compile(r"\s*[-*]\s+")


@dataclass(frozen=True)
class Item:
    """One box. key: stays the same while the English words do; points: as the lesson says."""

    key: str
    words: str
    points: float


@dataclass(frozen=True)
class Scheme:
    """items: boxes, none where the scheme has no list of points; answer: the model answer; remark:
    what else the scheme says."""

    items: tuple = ()
    answer: str = ""
    remark: str = ""


def read_scheme(root, lesson, question, language="en") -> Scheme:
    """The scheme in the instructor's notebook; an empty one where that is held back. root: the
    course's folder."""
    english = _parsed(_source(root, "en", lesson, question))
    if language == "en":
        return english
    spoken = _parsed(_source(root, language, lesson, question))
    if len(spoken.items) != len(english.items):
        return english
    pairs = zip(english.items, spoken.items, strict=True)
    items = tuple(Item(ours.key, theirs.words, ours.points) for ours, theirs in pairs)
    return Scheme(items, spoken.answer, spoken.remark)


def _source(root, language, lesson, question):
    path = Path(root) / "solutions" / language / lesson / f"{lesson}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found = [
            "".join(cell["source"])
            for cell in cells
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == question
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    return found[0] if found else ""


def _parsed(source) -> Scheme:
    answer, _sign, rest = source.partition(BEGIN)
    text = rest.partition(END)[0]
    each = _EACH.search(text)
    items, remarks = [], []
    for block in _blocks(text):
        own = _OWN.match(block.words)
        words = block.words[own.end() :] if own else block.words
        if own and not _EACH.match(block.words):
            items.append(_item(words, _number(own[1])))
        elif block.bullet:
            items.append(_item(words, _number(each[1]) if each else 1.0))
        elif not _EACH.match(block.words):
            remarks.append(block.words)
    return Scheme(tuple(items), answer.strip(), "\n".join(remarks))


@dataclass(frozen=True)
class _Block:
    words: str
    bullet: bool


def _blocks(text):
    """Bullets and lines that begin with points, each with the lines that continue it."""
    found, open_ = [], False
    for line in text.strip("\n").split("\n"):
        begins = bool(_BULLET.match(line) or _OWN.match(line.strip()))
        if not line.strip():
            open_ = False
        elif begins or not open_:
            bullet = bool(_BULLET.match(line))
            found.append(_Block(_BULLET.sub("", line, count=1).strip(), bullet))
            open_ = True
        else:
            found[-1] = _Block(f"{found[-1].words} {line.strip()}", found[-1].bullet)
    return found


def _item(words, points):
    return Item(hashlib.sha256(words.encode()).hexdigest()[:12], words, points)


def _number(text):
    text = text.casefold()
    return float(_NUMBERS[text]) if text in _NUMBERS else float(text.replace(",", "."))
