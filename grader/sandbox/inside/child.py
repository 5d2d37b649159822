"""A submission's own process: shuts itself in, then runs cells and probes on request.

Everything from the first student cell on is in the student's hands. What is sent from here is
believed by nobody: the grader decodes it as plain data under limits.
"""

import fcntl
import io
import os
import random
import signal
import socket
import sys
from dataclasses import replace

from pg_probes import inputs, wire  # inputs registers the records that cases are made of

from . import isolate

GENEROUS = wire.Limits(header_bytes=64 << 20, body_bytes=512 << 20, nodes=4_000_000)
REPLY = 3
MAX_DESCRIPTOR = 1 << 16
MESSAGE = 500
QUESTION = wire.QUESTION_BYTES // 2 - 64  # of its arrays, and of all else


def main(config, order, descriptors):
    """Runs until the grader closes the socket or ends this process."""
    os.setsid()  # kill(0) reaches the whole process group, pid namespace or not
    for door in descriptors[3:]:  # its control groups, before it uses anything
        os.write(door, b"0")
    _take_descriptors(descriptors[:3])
    limits = wire.Limits(**order["reply"])
    channel = Channel(socket.socket(fileno=REPLY), limits, order["asks"])
    try:
        report = isolate.confine(config) if config["isolate"] else _separate(config)
        _prepare(order)
    except Exception as error:
        channel.send({"id": order["id"], "failed": f"{type(error).__name__}: {error}"})
        return
    channel.send({"id": order["id"], "done": report})
    while (request := channel.receive()) is not None:
        _answer(channel, request)


def _take_descriptors(descriptors):
    """Keeps stdin (empty), stdout, stderr and the socket; closes everything else."""
    line, out, err = descriptors
    nothing = os.open(os.devnull, os.O_RDONLY)
    high = [fcntl.fcntl(d, fcntl.F_DUPFD, 64) for d in (nothing, out, err, line)]
    for target, source in enumerate(high):
        os.dup2(source, target)
    os.closerange(REPLY + 1, MAX_DESCRIPTOR)


def _separate(config):
    """Without isolation: only the limits that need no rights."""
    isolate.set_limits(config, threads=False)
    return {"isolated": False}


def _prepare(order):
    """Own folder, language, output streams, and the same random numbers at every regrade."""
    folder = order["folder"]
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    sys.path.append(folder)
    os.environ["COURSE_LANGUAGE"] = order["language"]
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    _reseed(order["seed"])


def _stream(descriptor):
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True
    )


def _reseed(seed):
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


class Channel:
    """Frames to and from the grader. The timers of a check can't cut a frame in two."""

    def __init__(self, line, limits, asks):
        self.line, self.limits, self.asks = line, limits, asks

    def send(self, tree, limits=None):
        """Sends a plain tree; TooLarge or TypeError before a byte has left."""
        frame = wire.dumps(tree, limits or self.limits)
        with _undisturbed():
            self.line.sendall(frame)

    def receive(self):
        """The next request, or None at the end."""
        with _undisturbed():
            frame = wire.read_frame(self._read, GENEROUS)
        return None if frame is None else wire.loads(frame, GENEROUS)

    def _read(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.line.recv(min(count - len(data), 1 << 20))
            if not piece:
                break
            data += piece
        return bytes(data)


class _undisturbed:
    """Interrupts and timers wait until the frame is through."""

    def __enter__(self):
        self.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGALRM})

    def __exit__(self, *exc):
        signal.pthread_sigmask(signal.SIG_SETMASK, self.before)


def _answer(channel, request):
    tag = request["id"]
    try:
        done = _do(channel, request)
        try:
            channel.send({"id": tag, "done": done})
        except (TypeError, ValueError, MemoryError) as error:
            if "probe" not in request:
                raise
            # What can't be carried is a wrong answer of this exercise and no broken channel.
            untold = {"kind": "untold", "message": str(error)[:MESSAGE]}
            channel.send({"id": tag, "done": [{"error": untold}]})
    except BaseException as error:  # a student's object may raise anything while it is packed
        channel.send({"id": tag, "failed": f"{type(error).__name__}: {error}"[:MESSAGE]})


def _do(channel, request):
    if "cell" in request:
        from pg_probes import cells

        return cells.run(request["cell"])
    if "probe" in request:
        return _probe(channel, request)
    for name, content in request["files"].items():
        with open(os.path.basename(name), "wb") as file:
            file.write(content.tobytes())
    return None


def _probe(channel, request):
    from pg_probes import cells, observe, runtime

    asked = 0

    def ask(question):
        nonlocal asked
        asked += 1
        if asked > channel.asks:
            raise ValueError("the function of an earlier exercise is called too often")
        # Half of what is read goes to the arrays, so that the rest of the frame has its place.
        limits = replace(channel.limits, body_bytes=QUESTION, header_bytes=QUESTION)
        channel.send({"id": request["id"], "ask": question}, limits)
        answer = channel.receive()
        if answer is None or answer.get("id") != request["id"]:
            raise ConnectionError("no answer from the grader")
        if "answer" not in answer:
            raise ValueError("the arguments don't fit")
        return answer["answer"]

    try:
        return runtime.run(cells.namespace(), request["exercise"], request["probe"], ask)
    except KeyboardInterrupt as error:  # nobody presses Ctrl+C here: the function raised it
        return [{"error": observe.observe_error(error)}]


__all__ = ["Channel", "inputs", "main"]
