"""Runs something costly once for a whole test run, however many processes share the tests."""

import fcntl
import pickle
from pathlib import Path


def once(tmp_path_factory, name, make):
    """What make(folder) returned in whichever process came first; the result must pickle."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if (base.parent / base.name).name.startswith("popen-") else base
    folder = Path(shared) / f"once-{name}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = Path(f"{folder}.result")
        if not kept.exists():
            folder.mkdir()
            kept.write_bytes(pickle.dumps(make(folder)))
        return pickle.loads(kept.read_bytes())
