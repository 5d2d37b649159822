"""What a probe writes down. Runs in a library's own environment, with its packages alone."""

import inspect
import json
import math
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

INPUTS = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")) if len(sys.argv) > 1 else {}


def plain(value):
    """Numbers, lists and dicts of what a library gave; nan and infinity as words."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        value = value.detach().tolist() if hasattr(value, "detach") else value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else str(value)
    return value if isinstance(value, (int, str, bool, type(None))) else str(value)


def place(thing):
    """Where it stands: the file in the package, the line, the name."""
    thing = inspect.unwrap(thing)
    file = Path(inspect.getsourcefile(thing))
    parts = file.parts[file.parts.index("site-packages") + 1 :]
    line = inspect.getsourcelines(thing)[1]
    return f"{'/'.join(parts)}:{line} {thing.__qualname__}"


class Answers:
    """The rows of one library.

    package: the distribution's name, for the version
    """

    def __init__(self, package):
        try:
            known = version(package)
        except PackageNotFoundError:  # no package: its text is restated
            known = ""
        self.found = {"package": package, "version": known, "rows": {}}

    def run(self, topic, thing, value, note=""):
        """The library's own `thing` was called and gave `value`."""
        self._row(topic, how="run", where=place(thing), answer=plain(value), note=note)

    def read(self, topic, thing, note):
        """Its text was read; `thing` holds it."""
        self._row(topic, how="read", where=place(thing), note=note)

    def restated(self, topic, where, value, note=""):
        """There is no package to call: the text was written anew, and gives `value`."""
        self._row(topic, how="restated", where=where, answer=plain(value), note=note)

    def _row(self, topic, **row):
        self.found["rows"][topic] = {key: value for key, value in row.items() if value != ""}

    def write(self):
        """To the file that the second argument names."""
        text = json.dumps(self.found, indent=1)
        Path(sys.argv[2]).write_text(text + "\n", encoding="utf-8")


def defaults(function, *names):
    """The default values of these parameters."""
    parameters = inspect.signature(function).parameters
    return {name: parameters[name].default for name in names}
