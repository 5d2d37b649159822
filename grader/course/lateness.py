"""How late a submission is, and what that costs."""

import math
from dataclasses import dataclass

from grader.i18n import _

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True)
class Rule:
    """What lateness costs: ``share`` of the mark for each ``unit`` (seconds) that has begun since
    the deadline, nothing within ``grace`` (seconds), and never more than ``most`` of the mark."""

    share: float = 0.0
    unit: float = DAY
    grace: float = 0.0
    most: float = 1.0

    def cost(self, seconds: float | None) -> float:
        """The share of the mark that is lost; None seconds stand for one unit begun."""
        if seconds is not None and seconds <= self.grace:
            return 0.0
        begun = 1 if seconds is None else math.ceil(seconds / self.unit)
        return min(self.share * begun, self.most)


@dataclass(frozen=True)
class Lateness:
    """seconds: since the deadline, 0 where it was met, None where no time is known; marked: the
    platform's own mark, without a time; share: of the mark that is lost."""

    seconds: float | None = None
    marked: bool = False
    share: float = 0.0

    @property
    def late(self) -> bool:
        return self.marked if self.seconds is None else self.seconds > 0

    def penalty(self, raw: float) -> float:
        """Points that are taken from a raw mark."""
        return round(raw * self.share, 2)

    def words(self) -> str:
        """For tables and pages: "1 d 2 h", "late" where only that is known, "" where on time."""
        if not self.late:
            return ""
        if self.seconds is None:
            return _("late")
        days, rest = divmod(max(self.seconds, MINUTE), DAY)
        hours, rest = divmod(rest, HOUR)
        parts = ((days, _("d")), (hours, _("h")), (rest // MINUTE, _("min")))
        return " ".join(f"{number:.0f} {unit}" for number, unit in parts if number >= 1)


ON_TIME = Lateness()
