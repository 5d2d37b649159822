"""Messages between the grader and its zygote, both trusted: one JSON object a line, with
descriptors beside it."""

import json
import socket

MAX_MESSAGE = 1 << 20


def send(control, message: dict, descriptors=()):
    """One message; the descriptors travel with its first byte."""
    line = json.dumps(message).encode() + b"\n"
    sent = socket.send_fds(control, [line], list(descriptors))
    control.sendall(line[sent:])


def receive(control):
    """(message, descriptors); (None, []) when the other side is gone."""
    line, descriptors = bytearray(), []
    while not line.endswith(b"\n"):
        try:
            piece, found, _flags, _address = socket.recv_fds(control, 1 << 16, 8)
        except ConnectionError:
            return None, []
        descriptors += found
        if not piece or len(line) > MAX_MESSAGE:
            return None, []
        line += piece
    return json.loads(line), descriptors
