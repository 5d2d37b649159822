"""docs/claims.md: how often each headline claim held when it was measured anew."""

import datetime
import platform
import re
from importlib import metadata
from pathlib import Path

import numpy as np

from publish.course import write_text

HEAD = """\
# Headline claims, measured anew

`make claims` writes this page. It calls each headline claim's `again` with seeds that the lesson
does not use, and with every rate named here, and counts how often the claim's bounds hold. A claim
that holds in less than 90 % is rewritten. Numbers are lowest, median, highest.
"""
COLUMNS = "| claim | bounds | holds | at each rate | measured |\n|---|---|---|---|---|\n"


def path(course):
    return course.root / "docs" / "claims.md"


def sections(text):
    """Lesson's name -> its section, from the page's text."""
    parts = re.split(r"^## ", text, flags=re.M)[1:]
    return {part.splitlines()[0]: part.split("\n", 1)[1].strip() for part in parts}


def write_section(course, name, text):
    """Put a lesson's section in its place on the page; sections of lessons that are gone go."""
    page = path(course)
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    known = set(course.lesson_names())
    new = {one: kept for one, kept in sections(old).items() if one in known} | {name: text}
    parts = [f"## {one}\n\n{new[one].strip()}\n" for one in sorted(new)]
    write_text(page, "\n".join([HEAD, *parts]))


def section(outcomes):
    """A lesson's section: when and where, and a row for each Outcome."""
    return f"{where()}\n\n{COLUMNS}{''.join(_row(outcome) for outcome in outcomes)}"


def rows(text):
    """(statement, bounds, share) for each row of a section."""
    found = [re.split(r"(?<!\\) \| ", line) for line in text.splitlines() if line.startswith("| ")]
    return [
        (cells[0].removeprefix("| ").replace("\\|", "|"), cells[1], _share(cells[2]))
        for cells in found[1:]
    ]


def _share(text):
    held, count = map(int, re.match(r"(\d+) of (\d+)", text).groups())
    return held / count


def _row(outcome):
    values = [np.nan if value is None else value for value in outcome.values.values()]
    held = sum(map(outcome.held, outcome.values))
    measured = ", ".join(f"{value:.3g}" for value in np.quantile(values, [0, 0.5, 1]))
    statement = outcome.statement.replace("|", "\\|")
    cells = [statement, outcome.bounds, f"{held} of {len(values)}", _by_rate(outcome), measured]
    return f"| {' | '.join(cells)} |\n"


def _by_rate(outcome):
    """ "0.1: 12 of 12" for each rate; a dash where none is in play."""
    rates = {}
    for pair in outcome.values:
        if len(pair) == 2:
            rates.setdefault(pair[1], []).append(outcome.held(pair))
    parts = [f"{rate:g}: {sum(held)} of {len(held)}" for rate, held in rates.items()]
    return "; ".join(parts) or "-"


def where():
    """Date, processor and versions, in one line."""
    import torch

    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "torch"))
    setting = torch.backends.cpu.get_cpu_capability()
    today = datetime.date.today().isoformat()
    return (
        f"Measured on {today}: {_processor()}, torch's kernels for {setting}, "
        f"Python {platform.python_version()}, {versions}."
    )


def _processor():
    """The processor's name where the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.M)
    return found.group(1) if found else platform.machine()
