"""Jupyter's servers, as tests start them."""

import contextlib
import json
import socket
import time


def address_of(process, runtime) -> str:
    """The address of the server that this process becomes, as soon as it listens: its file in the
    folder of runtime files is there a moment before."""
    while process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            # Not there, half written, or nobody listens yet.
            with contextlib.suppress(OSError, json.JSONDecodeError):
                told = json.loads(file.read_text())
                socket.create_connection((told["hostname"], told["port"]), timeout=60).close()
                return told["url"]
        time.sleep(0.2)
    raise RuntimeError(f"the server ended with status {process.returncode}")
