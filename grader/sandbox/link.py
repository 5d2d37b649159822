"""The grader's end of a submission's process: frames out and in, its output, its deadlines.

Nothing here trusts the other side: a frame's size is checked before it is read, every wait has an
end, and what it prints is kept up to a cap and dropped beyond it.
"""

import contextlib
import os
import select
import signal
import time
from dataclasses import dataclass

from policy_gradients.i18n import N_

from ..probes import wire
from .errors import BadReply, Died, TimedOut

PIPE_BYTES = 1 << 20  # few turns between writer and reader, also where much is dropped


class Output:
    """What was written to stdout and stderr, in order. cap: bytes after which it is too much;
    kept: bytes that are kept of them (all)."""

    def __init__(self, cap: int, kept: int | None = None):
        self.cap, self.size, self.pieces = cap, 0, []
        self.kept = cap if kept is None else min(cap, kept)

    def add(self, name: str, data: bytes):
        """Keeps what there is room for; counts everything."""
        room = self.kept - self.size
        self.size += len(data)
        if room > 0:
            if self.pieces and self.pieces[-1][0] == name:
                self.pieces[-1][1].extend(data[:room])
            else:
                self.pieces.append((name, bytearray(data[:room])))

    @property
    def full(self) -> bool:
        return self.size > self.cap

    def streams(self) -> list:
        """nbformat stream outputs."""
        texts = [(name, data.decode("utf-8", "replace")) for name, data in self.pieces]
        return [{"output_type": "stream", "name": name, "text": text} for name, text in texts]


@dataclass
class Deadline:
    """Until when to wait (monotonic seconds): at ``soft`` the code is interrupted, at ``hard`` its
    process is given up. ``interrupted`` then says why: "time" or "output"."""

    hard: float
    soft: float = float("inf")
    grace: float = 2.0
    interrupted: str = ""


class Link:
    """Socket, output pipes and handle of one process. Close it when done."""

    def __init__(self, line, pipes: dict, handle):
        import fcntl  # not on Windows, where nothing is graded but this module is imported

        self.line, self.pipes, self.handle = line, pipes, handle
        line.setblocking(False)
        for descriptor in pipes:
            os.set_blocking(descriptor, False)
            with contextlib.suppress(OSError, AttributeError):  # a user's share of pipes is used up
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.output = Output(0)

    def exchange(self, frame: bytes, deadline: Deadline, limits: wire.Limits) -> bytes:
        """Sends one frame and waits for one. Died, TimedOut, BadReply."""
        self.send(frame, deadline)
        return self.receive(deadline, limits)

    def send(self, frame: bytes, deadline: Deadline):
        """Sends one frame, reading output meanwhile."""
        left = memoryview(frame)
        while left:
            self._wait(select.POLLOUT, deadline)
            try:
                left = left[self.line.send(left[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Died(N_("its reply channel is closed")) from error

    def receive(self, deadline: Deadline, limits: wire.Limits) -> bytes:
        """One whole frame whose size keeps within ``limits``."""
        frame = wire.read_frame(lambda count: self._read(count, deadline), limits)
        if frame is None:
            raise Died(N_("its reply channel is closed"))
        self._drain()
        return frame

    def _read(self, count, deadline):
        data = bytearray()
        while len(data) < count:
            self._wait(select.POLLIN, deadline)
            try:
                piece = self.line.recv(min(count - len(data), 1 << 20))
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
            if not piece:
                break
            data += piece
        return bytes(data)

    def silent(self):
        """BadReply where something lies in the channel that nobody asked for."""
        try:
            piece = self.line.recv(1)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if piece:
            raise BadReply(N_("data that nobody asked for"))
        raise Died(N_("its reply channel is closed"))

    def _wait(self, event, deadline):
        """Until the socket is ready for ``event``; TimedOut at the hard deadline."""
        while True:
            self._interrupt_where_due(deadline)
            if time.monotonic() >= deadline.hard:  # also where bytes trickle in without end
                raise TimedOut(N_("no answer in time"))
            poll = select.poll()
            poll.register(self.line, event)
            for descriptor in self.pipes:
                poll.register(descriptor, select.POLLIN)
            until = deadline.hard if deadline.interrupted else min(deadline.soft, deadline.hard)
            ready = dict(poll.poll(max(0, until - time.monotonic()) * 1000 + 1))
            for descriptor in list(self.pipes):
                if descriptor in ready:
                    self._take(descriptor)
            if self.line.fileno() in ready:
                return

    def _interrupt_where_due(self, deadline):
        if deadline.interrupted or deadline.soft == float("inf"):
            return
        if time.monotonic() >= deadline.soft:
            deadline.interrupted = "time"
        elif self.output.full:
            deadline.interrupted = "output"
        if deadline.interrupted:
            # What is buffered still has to come out; it is dropped.
            grace = deadline.grace * (2 if deadline.interrupted == "output" else 1)
            deadline.hard = min(deadline.hard, time.monotonic() + grace)
            self.handle.signal(signal.SIGINT)

    def _take(self, descriptor):
        """Reads what is there; False at the end or when there is nothing."""
        try:
            data = os.read(descriptor, PIPE_BYTES)
        except BlockingIOError:
            return False
        if data:
            self.output.add(self.pipes[descriptor], data)
            return True
        os.close(descriptor)
        del self.pipes[descriptor]
        return False

    def _drain(self):
        """All that was written before the reply (a pipe holds at most a megabyte)."""
        for descriptor in list(self.pipes):
            for _ in range(16):
                if not self._take(descriptor):
                    break

    def close(self):
        """Closes the socket and the pipes."""
        self.line.close()
        for descriptor in self.pipes:
            os.close(descriptor)
        self.pipes = {}


class Handle:
    """A process to signal: by pidfd, which can't be taken over by another process. Without
    isolation, where its number is ours too, its process group is killed with it."""

    def __init__(self, pid: int, descriptor: int | None, group: bool = False):
        self.pid, self.descriptor, self.group = pid, descriptor, group

    def signal(self, number):
        """Sends a signal; a process that is gone is no error."""
        if self.group and number == signal.SIGKILL:
            with contextlib.suppress(OSError):
                os.killpg(self.pid, number)
        with contextlib.suppress(OSError):
            if self.descriptor is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self.descriptor, number)

    def host_pid(self) -> int | None:
        """Its number as this machine's /proc knows it."""
        if self.descriptor is None:
            return self.pid
        try:
            with open(f"/proc/self/fdinfo/{self.descriptor}") as file:
                fields = dict(line.split(":", 1) for line in file if ":" in line)
            return int(fields["Pid"]) if int(fields["Pid"]) > 0 else None
        except (OSError, KeyError, ValueError):
            return None

    def gone(self, seconds: float) -> bool:
        """Whether it ended by itself, waited for up to ``seconds``."""
        if self.descriptor is None:
            time.sleep(min(seconds, 0.1))
            return False
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self):
        """Forgets the process."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
