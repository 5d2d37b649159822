"""What all pages share: how their templates are read, and how marks are written in them."""

from pathlib import Path

import jinja2

from grader.i18n import _


def environment(folder: Path, said: dict) -> jinja2.Environment:
    """Templates of a folder. said: word -> msgid; a template writes one with say(word, ...)."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.globals["say"] = lambda word, **values: _(said[word]).format(**values)
    made.filters["number"] = number
    return made


def number(value) -> str:
    """A mark as people write it: 2, 1.5, a dash where there is none yet."""
    return "–" if value is None else f"{round(float(value), 2):g}"
