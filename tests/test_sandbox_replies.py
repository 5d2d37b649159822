"""What a hostile submission answers, and what the grader makes of it."""

# ruff: noqa: F811 - fixtures come by their names

import os
import threading

import pytest

from grader.sandbox import BadReply, Died, TimedOut
from tests.sandboxes import (
    HONEST,
    doubles,
)
from tests.test_sandbox_escapes import WRECKS, resident, session  # noqa: F401


def test_memory_beyond_the_limit_is_an_error_of_the_cell(session):
    result = session.run_cell(WRECKS["memory bomb"])
    assert result.reason.startswith("MemoryError")
    session.run_cell("del x")
    assert session.run_cell(HONEST).status == "ok" and doubles(session) == 6


FORGE = """
import os, struct, json
def reply(tag, done):
    header = json.dumps({"d": {"id": tag, "done": done}}).encode()
    os.write(3, struct.pack(">IQ", len(header), 0) + header)
"""


def test_an_answer_sent_ahead_is_not_taken_for_the_next_question(session):
    session.run_cell(FORGE + HONEST)
    session.run_cell(
        "import threading, time\nthreading.Timer(0.3, reply, ['00' * 8, [1, 2, 3]]).start()"
    )
    threading.Event().wait(0.6)
    with pytest.raises(BadReply, match="nobody asked"):
        doubles(session)
    with pytest.raises(Died):
        doubles(session)


def test_an_answer_with_another_mark_is_refused(session):
    session.run_cell(FORGE + "def double(x):\n    reply('00' * 8, [1])\n    return 2 * x")
    with pytest.raises(BadReply, match="another question"):
        doubles(session)


def test_a_second_answer_to_one_question_spoils_only_the_later_ones(session):
    find = (
        "import sys\ndef double(x):\n    frame = sys._getframe()\n    while frame:\n"
        "        if 'tag' in frame.f_locals: reply(frame.f_locals['tag'], [{'d': {}}])\n"
        "        frame = frame.f_back\n    return 2 * x\n"
    )
    session.run_cell(FORGE + find)
    request = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "seconds": 5}
    assert session.probe("double", request, 10) == [{}]
    with pytest.raises(BadReply):
        session.probe("double", request, 10)
    with pytest.raises(Died):
        session.probe("double", request, 10)


def test_patched_probes_return_only_data(session):
    session.run_cell(
        "import pg_probes.runtime as r, pg_probes.wire as w\n"
        "r.run = lambda *a: [{'value': {'kind': 'number', 'value': 6.0, 'passed': True}}]"
    )
    request = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "seconds": 5}
    seen = session.probe("double", request, 10)
    assert seen == [{"value": {"kind": "number", "value": 6.0, "passed": True}}]
    session.run_cell("r.run = lambda *a: __import__('os')")
    (seen,) = session.probe("double", request, 10)
    assert seen["error"]["message"] == "module is not plain data"
    session.run_cell("r.run = lambda *a: 'full marks'")
    with pytest.raises(BadReply, match="not a list"):
        session.probe("double", request, 10)


def test_a_record_cannot_make_the_grader_build_things(session):
    session.run_cell(
        "import pg_probes.runtime as r, pg_probes.inputs as i\n"
        "r.run = lambda *a: [i.Env('__builtins__', {})]"
    )
    with pytest.raises(BadReply):
        session.probe("x", {"probe": "call", "cases": []}, 10)


def test_a_huge_reply_is_refused_without_being_read(session):
    before = resident()
    session.run_cell(
        "import os, struct\ndef double(x):\n"
        "    os.write(3, struct.pack('>IQ', 10, 10**12))\n"
        "    while True: os.write(3, b'x' * 65536)"
    )
    with pytest.raises(BadReply, match="large"):
        doubles(session)
    assert resident() - before < 50


def test_questions_cannot_flood_the_grader(session):
    session.run_cell(
        "import numpy as np\ndef double(x):\n    return 0\n"
        "def f(x):\n    return double(np.zeros(2_000_000))"
    )
    request = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "replace": ["double"]}
    seen = session.probe("f", request, 10, lambda question: {"value": 0.0})
    assert seen[0]["error"]["type"] == "TooLarge"
    # By hand, past the limits that the sender keeps.
    session.run_cell(
        "import json, os, struct, sys\n"
        "def f(x):\n"
        "    frame = sys._getframe()\n"
        "    while 'tag' not in frame.f_locals: frame = frame.f_back\n"
        "    asked = {'d': [['value', 'x' * 9_000_000]]}\n"
        "    plain = {'d': [['id', frame.f_locals['tag']], ['ask', asked]]}\n"
        "    header = json.dumps(plain).encode()\n"
        "    sent = struct.pack('>IQ', len(header), 0) + header\n"
        "    while sent: sent = sent[os.write(3, sent):]\n"
    )
    with pytest.raises(BadReply, match="too l(arge|ong)"):
        session.probe("f", request, 10, lambda question: {"value": 0.0})


def test_a_process_that_stops_answering_is_given_up(session):
    session.run_cell(
        "import time, os, signal\ndef double(x):\n"
        "    signal.pthread_sigmask(0, range(1, 65))\n    time.sleep(99)"
    )
    request = {"probe": "call", "cases": [{"inputs": {"x": 3.0}}], "seconds": 0.2}
    with pytest.raises(TimedOut):
        session.probe("double", request, 0.5)


def test_descriptors_sent_along_are_not_taken(session):
    before = len(os.listdir("/proc/self/fd"))
    session.run_cell(
        "import os, socket, array\ns = socket.socket(fileno=os.dup(3))\n"
        "f = [os.open('/dev/null', 0) for _ in range(20)]\n"
        "s.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', f))])",
        2,
    )
    assert len(os.listdir("/proc/self/fd")) <= before + 1
