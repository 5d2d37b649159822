"""One submission's process, reached only over a socket."""

import contextlib
import os
import secrets
import signal
import time
from dataclasses import dataclass, field

import numpy as np

from policy_gradients.i18n import N_, _

from ..probes import inputs, wire
from .errors import BadReply, Died, Lost, NotIsolated, SandboxError, TimedOut
from .limits import Limits
from .link import Deadline, Link, Output

CELL_REPLY = wire.Limits(header_bytes=1 << 20, body_bytes=0, arrays=0, nodes=1_000)
# Records that a student's process may send: the arguments with which it asks for an earlier answer.
RECORDS = frozenset([inputs.Tensor, inputs.Trajectory])
KEPT_BY_PROBES = 0  # bytes of what is printed during a check


@dataclass
class CellResult:
    """status: ok, error, timeout or died. outputs: nbformat stream and error outputs, capped.
    flooded: whether the cell was stopped because it printed too much."""

    status: str
    outputs: list = field(default_factory=list)
    reason: str = ""
    flooded: bool = False


@dataclass
class Usage:
    """Seconds of wall time, peak megabytes beyond what all submissions share (libraries), why it
    ended ("": because it was asked to)."""

    seconds: float
    peak_mb: float
    exit_reason: str = ""


class Session:
    """Made by a zygote. ``run_cell`` and ``probe`` until ``close``; also a context manager."""

    def __init__(self, link: Link, limits: Limits, reap, group=None):
        self.link, self.limits, self._reap, self._group = link, limits, reap, group
        self._started = time.monotonic()
        self._usage = None
        self._room = limits.all_output_kb << 10
        self.ended = ""
        self.report = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def greet(self, tag: str):
        """Waits until the child has shut itself in. NotIsolated where it could not, Lost where no
        answer came."""
        deadline = Deadline(time.monotonic() + self.limits.start_seconds)
        try:
            reply = self._reply(self.link.receive(deadline, CELL_REPLY), tag, CELL_REPLY)
        except (SandboxError, BadReply) as error:
            raise Lost(f"a new process gave no sign of life: {error}") from error
        if "failed" in reply:
            words = _("the sandbox could not be closed: {why}")
            raise NotIsolated(words.format(why=reply["failed"]))
        self.report = reply["done"]

    def give(self, files: dict):
        """Writes files (name to bytes) into the submission's folder."""
        arrays = {name: np.frombuffer(data, np.uint8) for name, data in files.items()}
        reply = self._converse({"files": arrays}, Deadline(self._hard(30)), CELL_REPLY)
        if "failed" in reply:
            raise Died(f"its files could not be written: {reply['failed']}")

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self._started

    def run_cell(self, source: str, seconds: float | None = None) -> CellResult:
        """Runs one cell. Past ``seconds`` it is interrupted, and ended where that doesn't help.

        Raises Lost only; what the cell does is in the result.
        """
        if self.ended:
            return CellResult("died", [], self.ended)
        if self._is_over():
            return CellResult("timeout", [], self.ended)
        result = self._run_cell(source, seconds)
        result.outputs = _within(result.outputs, self._room)
        self._room = max(0, self._room - sum(map(_size, result.outputs)))
        return result

    def _run_cell(self, source, seconds):
        limit = self.limits.cell_seconds if seconds is None else seconds
        kept = min(self.limits.output_kb << 10, self._room)
        output = self.link.output = Output(self.limits.printed_kb << 10, kept)
        soft = self._hard(limit)
        deadline = Deadline(soft + self.limits.grace_seconds, soft, self.limits.grace_seconds)
        try:
            reply = self._converse({"cell": source}, deadline, CELL_REPLY)
        except SandboxError as error:
            status = "timeout" if isinstance(error, TimedOut) else "died"
            return CellResult(status, output.streams(), self.ended)
        except BadReply:
            return CellResult("died", output.streams(), self.ended)
        return _cell_result(reply, output, deadline.interrupted, limit)

    def probe(self, exercise: str, request: dict, seconds: float, ask=None) -> list:
        """Runs a probe beside the student's code and returns what it saw, decoded.

        request: see ``grader.probes.runtime.run``. ask(question) answers for earlier exercises.
        Died, TimedOut, BadReply, Lost. After TimedOut, and after a BadReply that shows a spoilt
        channel, the process is ended and every further call says Died.
        """
        if self.ended:
            raise Died(self.ended)
        if self._is_over():
            raise TimedOut(self.ended)
        self.link.output = Output(KEPT_BY_PROBES)
        limits = wire.Limits(body_bytes=self.limits.reply_mb << 20)
        frame = {"exercise": exercise, "probe": request}
        reply = self._converse(frame, Deadline(self._hard(seconds)), limits, ask)
        if "failed" in reply:
            # Words from in there: ascii() leaves nothing that could mislead a reader.
            raise BadReply(ascii(str(reply["failed"])[:500]))
        if not isinstance(reply["done"], list):
            raise BadReply(N_("the reply is not a list"))
        return reply["done"]

    def _is_over(self):
        """Whether the submission's time is up; its process is then ended. What takes less than the
        grace of an interrupt would go on and on."""
        if self.seconds < self.limits.submission_seconds:
            return False
        self._end(self._overtime())
        return True

    def _hard(self, seconds):
        now = time.monotonic()
        return min(now + seconds, max(now, self._started + self.limits.submission_seconds))

    def _converse(self, request, deadline, limits, ask=None):
        """One request, questions in between, one reply. Ends the process where it misbehaves."""
        tag = secrets.token_hex(8)
        try:
            self.link.silent()
            frame = self.link.exchange(wire.dumps({"id": tag, **request}), deadline, limits)
            for _turn in range(self.limits.asks + 1):
                reply = self._reply(frame, tag, limits)
                if "ask" not in reply:
                    return reply
                if len(frame) > wire.QUESTION_BYTES:
                    raise BadReply(N_("a question that is too long"))
                answer = wire.dumps({"id": tag, **_answer(reply["ask"], ask)})
                frame = self.link.exchange(answer, deadline, limits)
            raise BadReply(N_("too many questions"))
        except TimedOut:
            self._end(self._late(deadline))
            raise TimedOut(self.ended) from None
        except BadReply as error:
            self._end(_("its answer could not be read: {why}").format(why=error))
            raise
        except Died as error:
            self._end("")
            raise Died(self.ended) from error

    def _late(self, deadline):
        if self.seconds >= self.limits.submission_seconds:
            return self._overtime()
        if deadline.interrupted == "output":
            return _("it printed without end")
        return _("it did not stop when its time was over")

    def _overtime(self):
        words = _("the submission ran longer than {n:g} s")
        return words.format(n=self.limits.submission_seconds)

    @staticmethod
    def _reply(frame, tag, limits):
        reply = wire.loads(frame, limits, records=RECORDS)
        kinds = {"done", "failed", "ask"}
        if not isinstance(reply, dict) or reply.get("id") != tag or not kinds & set(reply):
            raise BadReply(N_("an answer to another question"))
        return reply

    def _end(self, reason):
        """Kills the process and keeps the reason ("": what its own end says)."""
        if self._usage is None:
            alone = not reason and self.link.handle.gone(seconds=0.5)
            self.link.handle.signal(signal.SIGKILL)
            oom = self._group is not None and self._group.out_of_memory()
            spent = self._reap()
            peak = spent["peak_mb"] if self._group is None else self._group.peak_mb()
            why = reason or _why(spent["status"] if alone else 0, oom)
            self._usage = Usage(self.seconds, peak, why)
            if spent["lost"]:
                self.ended = _("the grader's own process was lost")
                raise Lost(self.ended)
        self.ended = self._usage.exit_reason

    def close(self) -> Usage:
        """Ends the process and everything that it started; what it used."""
        if self._usage is None:
            with contextlib.suppress(Lost):
                self._end(_("the session is closed"))
            self._usage.exit_reason = ""
        self.link.close()
        self.link.handle.close()
        if self._group is not None:
            self._group.remove()
            self._group = None
        return self._usage


def _answer(question, ask):
    """The grader's answer, or that there is none; arguments that don't fit are no error of ours."""
    if ask is None or not isinstance(question, dict):
        raise BadReply(N_("a question where none is answered"))
    try:
        return {"answer": ask(question)}
    except Exception as error:
        return {"refused": type(error).__name__}


def _why(status, oom):
    """Words for the way a process ended by itself."""
    if oom:
        return _("it used more memory than allowed")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGKILL:
            return _("it was killed: more memory or processor time than allowed")
        return _("it crashed: {what}").format(what=signal.strsignal(number) or number)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        return _("it ended itself with status {n}").format(n=os.WEXITSTATUS(status))
    return _("it ended itself or closed its reply channel")


def _cell_result(reply, output, interrupted, limit):
    """The result of a cell whose process answered."""
    outputs = output.streams()
    error = _error(reply.get("done"))
    if error:
        outputs.append({"output_type": "error", **error})
    if output.full:
        return CellResult("error", outputs, _("the cell printed without end"), flooded=True)
    if interrupted == "time":
        return CellResult("timeout", outputs, _("the cell ran longer than {n:g} s").format(n=limit))
    if "failed" in reply:
        return CellResult("error", outputs, str(reply["failed"])[:500])
    if error:
        return CellResult("error", outputs, f"{error['ename']}: {error['evalue']}"[:500])
    return CellResult("ok", outputs)


def _size(output):
    """Bytes of an output's texts."""
    texts = [output.get(key, "") for key in ("text", "ename", "evalue")]
    texts += output.get("traceback", [])
    return sum(len(text.encode("utf-8", "replace")) for text in texts)


def _within(outputs, room):
    """The outputs of a cell; where there is no more room, an error is told in its first words."""
    if sum(map(_size, outputs)) <= room:
        return outputs
    short = [o | {"evalue": o["evalue"][:100], "traceback": []} for o in outputs if "evalue" in o]
    return [o for o in outputs if "evalue" not in o] + short


def _error(done):
    """The error of a reply in nbformat's words, each part of the kind that it must be."""
    error = done.get("error") if isinstance(done, dict) else None
    if not isinstance(error, dict):
        return None
    lines = error.get("traceback") if isinstance(error.get("traceback"), list) else []
    return {
        "ename": str(error.get("ename", ""))[:200],
        "evalue": str(error.get("evalue", ""))[:2_000],
        "traceback": [line[:2_000] for line in lines[:100] if isinstance(line, str)],
    }
