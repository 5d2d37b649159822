"""Moments as Moodle writes them in several languages, and as nbgrader keeps them."""

import functools
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.i18n import _
from grader.intake.classroom import ClassroomError

LANGUAGES = ("en", "es", "pt", "fr", "de", "it")
_CLOCK = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?:\s*([ap])\.?\s?m\b)?", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")


def zone_of(name: str | None):
    """The time zone of that name, as in Europe/Madrid; None stands for the machine's. Raises
    ClassroomError."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        words = _("There is no time zone {name}. They are called as in Europe/Madrid or UTC.")
        raise ClassroomError(words.format(name=name)) from None


@functools.cache
def _months() -> dict:
    """name or short name in six languages -> 1 to 12."""
    from babel.dates import get_month_names

    return {
        name.casefold().rstrip("."): number
        for language in LANGUAGES
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context, language).items()
    }


def moodle_time(text: str, zone=None) -> datetime | None:
    """ "Sunday, 29 November 2026, 10:15 PM" and its translations; None where it can't be told."""
    text = " ".join(text.split())
    if found := _ISO.search(text):
        return _placed(datetime.fromisoformat(found[0]), zone)
    clocks = list(_CLOCK.finditer(text))
    date = text[: clocks[-1].start()] if clocks else ""  # the last: a day may be written 29.11
    month = next(
        (_months()[w] for w in re.findall(r"[^\W\d_]+", date.casefold()) if w in _months()), None
    )
    year, day = re.search(r"\b(\d{4})\b", date), re.search(r"\b(\d{1,2})\b", date)
    if not (month and year and day):
        return None
    try:
        moment = datetime(int(year[1]), month, int(day[1]), *_clock(clocks[-1]))
    except ValueError:
        return None
    return _placed(moment, zone)


def _clock(found):
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        hour = hour % 12 + (12 if found[4].casefold() == "p" else 0)
    return hour, minute, second


def _placed(moment, zone):
    return moment.replace(tzinfo=zone).astimezone(UTC) if zone else moment.astimezone(UTC)


def text_of(moment: datetime | None) -> str:
    """As nbgrader's timestamp.txt has it."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
