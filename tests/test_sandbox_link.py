"""The grader's end of the channel against another end that sends anything at all."""

import contextlib
import os
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.probes import wire
from grader.sandbox import BadReply, Died, Limits, TimedOut
from grader.sandbox.link import Deadline, Link, Output
from grader.sandbox.session import Session

LIMITS = Limits(reply_mb=1, asks=5, submission_seconds=60)


class Nobody:
    """A handle of no process; keeps the signals."""

    def __init__(self):
        self.signals, self.pid = [], 0

    def signal(self, number):
        self.signals.append(number)

    def gone(self, seconds):
        return False

    def close(self):
        pass


@contextlib.contextmanager
def faced_with(answer):
    """A session whose other end is ``answer(socket, request)`` for each request."""
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    reap = lambda: {"status": 0, "peak_mb": 0.0, "lost": False}  # noqa: E731
    session = Session(Link(ours, {reader: "stdout"}, Nobody()), LIMITS, reap)

    def serve():
        with contextlib.suppress(OSError, wire.BadReply):
            while (
                frame := wire.read_frame(lambda n: theirs.recv(n, socket.MSG_WAITALL))
            ) is not None:
                answer(theirs, wire.loads(frame))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield session
    finally:
        session.close()
        theirs.close()
        thread.join(5)
        os.close(writer)


def asked(session, seconds=5.0):
    return session.probe(
        "f", {"probe": "call", "cases": []}, seconds, lambda question: {"value": 0}
    )


BYTES = st.binary(max_size=200)
FRAMES = st.builds(
    lambda header, body: wire.PREFIX.pack(len(header), len(body)) + header + body, BYTES, BYTES
)


@settings(max_examples=60)
@given(st.lists(BYTES | FRAMES, min_size=1, max_size=4))
def test_random_bytes_are_never_an_answer(pieces):
    def answer(line, request):
        for piece in pieces:
            line.sendall(piece)
        line.shutdown(socket.SHUT_WR)

    with faced_with(answer) as session:
        with pytest.raises((BadReply, Died)):
            asked(session)
        with pytest.raises(Died):
            asked(session)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["done", "failed", "ask", "id", "x"]), TREES), BYTES)
def test_any_well_made_frame_is_an_answer_only_with_its_mark(reply, rest):
    def answer(line, request):
        line.sendall(
            wire.dumps({**reply, **({"id": request["id"]} if "x" in reply else {})}) + rest
        )

    with faced_with(answer) as session:
        try:
            seen = asked(session, 0.5)
        except (BadReply, Died, TimedOut):
            return
        assert "x" in reply and seen == reply["done"] and isinstance(seen, list)


def test_what_follows_an_answer_spoils_the_next_question():
    def answer(line, request):
        line.sendall(2 * wire.dumps({"id": request["id"], "done": [1]}))

    with faced_with(answer) as session:
        assert asked(session) == [1]
        with pytest.raises(BadReply, match="nobody asked|another question"):
            asked(session)
        assert session.ended


def test_a_mark_is_never_used_twice():
    marks = []

    def answer(line, request):
        marks.append(request["id"])
        line.sendall(wire.dumps({"id": request["id"], "done": []}))

    with faced_with(answer) as session:
        for _ in range(20):
            asked(session)
    assert len(set(marks)) == 20 and all(len(mark) >= 16 for mark in marks)


@pytest.mark.parametrize("pause", [0.0, 0.002])
def test_a_trickle_of_bytes_has_an_end(pause):
    def answer(line, request):
        line.sendall(wire.PREFIX.pack(1 << 20, 0))
        while True:
            line.sendall(b" ")
            time.sleep(pause)

    with faced_with(answer) as session:
        began = time.monotonic()
        with pytest.raises((TimedOut, BadReply)):
            asked(session, 0.3)
        assert time.monotonic() - began < 30


def test_a_reader_that_reads_nothing_has_an_end():
    ours, theirs = socket.socketpair()
    link = Link(ours, {}, Nobody())
    with pytest.raises(TimedOut):
        link.send(bytes(50 << 20), Deadline(time.monotonic() + 0.2))
    link.close()
    theirs.close()


def test_a_large_request_and_reply_pass_in_both_directions():
    def answer(line, request):
        line.sendall(wire.dumps({"id": request["id"], "done": request["probe"]["cases"]}))

    cases = ["x" * 1000] * 500
    with faced_with(answer) as session:
        assert session.probe("f", {"probe": "call", "cases": cases}, 10) == cases


@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=50))),
    st.integers(0, 100),
)
def test_output_is_kept_up_to_its_cap_and_in_order(pieces, cap):
    output = Output(cap)
    for name, data in pieces:
        output.add(name, data)
    kept = b"".join(bytes(data) for _, data in output.pieces)
    whole = b"".join(data for _, data in pieces)
    assert kept == whole[:cap] and output.full == (len(whole) > cap)
    names = [stream["name"] for stream in output.streams()]
    assert all(a != b for a, b in zip(names, names[1:], strict=False))
