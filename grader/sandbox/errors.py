"""What can go wrong with a submission's process, and with the machine."""

from ..errors import UserError
from ..probes.wire import BadReply

__all__ = ["BadReply", "Died", "Lost", "NotIsolated", "SandboxError", "TimedOut"]


class SandboxError(Exception):
    """The submission's process gave no answer; the message says why."""


class Died(SandboxError):
    """The process is gone (killed, crashed, exited, or ended by us earlier)."""


class TimedOut(SandboxError):
    """The process did not answer in time and was ended."""


class Lost(RuntimeError):
    """Our own process was lost with the submission's: not its doing, and worth another try."""


class NotIsolated(UserError, RuntimeError):
    """This machine can't isolate a submission, so nothing is run. The message has the remedy."""
