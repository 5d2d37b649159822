"""docs/libraries.md, what the libraries answered: ``python -m publish.libraries.page``."""

import json

from policy_gradients.libraries import answers

HEAD = """\
# What the libraries compute

Ten libraries were asked about the same small inputs;
[publish/libraries](../publish/libraries) holds the
inputs and a script for each library. A row is **run** where the library's own function gave the
answer, **read** where only its text was read, **restated** where there is no package and the text
was written anew. `python -m publish.libraries` asks all of them again ({torch}, each in an
environment of its own), `python -m publish.libraries.page > docs/libraries.md` makes this page.
[Lesson 08](../lessons/08_libraries.py) puts the answers beside the course's own functions, and
[findings](../findings) holds a script for each surprise.

TRL's rows are of its trainers around a model of one layer. OpenRLHF was called with empty stand-ins
for deepspeed, ray and other packages that its functions don't use; of RLlib's learner and skrl's
PPO the parts that are named were called, not a whole training. The answers are of the versions
given here and say nothing about others.

The inputs of all, by topic:

```json
{inputs}
```
"""


def cell(value):
    """A value in a cell of a table."""
    text = json.dumps(value) if not isinstance(value, str) else value
    return text.replace("|", "\\|").replace('"', "")


def section(name, library):
    """One library's rows, in Markdown."""
    title = f"## {name} {library['version']}".rstrip()
    lines = [title, "", "| topic | how | answer | note | where |", "|---|---|---|---|---|"]
    for topic, row in library["rows"].items():
        parts = topic, row["how"], row.get("answer", ""), row.get("note", ""), f"`{row['where']}`"
        lines.append("| " + " | ".join(map(cell, parts)) + " |")
    return "\n".join(lines)


def page():
    """The whole page."""
    stored = answers()
    inputs = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in stored["inputs"].items())
    head = HEAD.format(torch=stored["torch"], inputs="{\n" + inputs + "\n}")
    parts = [section(name, library) for name, library in stored["libraries"].items()]
    return "\n".join([head, "\n\n".join(parts)])


if __name__ == "__main__":
    print(page())
