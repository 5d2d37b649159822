"""Runs a submission's code where it can harm nobody, and brings back plain data only."""

from . import doctor
from .errors import BadReply, Died, Lost, NotIsolated, SandboxError, TimedOut
from .limits import Limits
from .session import CellResult, Session, Usage
from .zygote import UnsafeZygote, Zygote, Zygotes, zygote_for

__all__ = [
    "BadReply",
    "CellResult",
    "Died",
    "Limits",
    "Lost",
    "NotIsolated",
    "SandboxError",
    "Session",
    "TimedOut",
    "UnsafeZygote",
    "Usage",
    "Zygote",
    "doctor",
    "Zygotes",
    "zygote_for",
]
