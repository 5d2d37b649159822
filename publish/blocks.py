"""Cut a prose cell into the blocks that a translator sees, and put it together again.

A block is a paragraph, heading, list, table, fenced or ``$$`` block; a ``<details>`` is kept
whole. ``"\\n".join(cut(text)) == text`` for every text.
"""

import re

FENCE = re.compile(r"\s*(```+|~~~+)")
HEADING = re.compile(r"#{1,6} ")
LETTER = re.compile(r"[^\W\d_]")
DELIMITER = re.compile(r"### (BEGIN|END) MARK SCHEME\s*")


def cut(text):
    """The text's blocks in order, each blank line between them a block of its own."""
    blocks, current, inside = [], [], _Inside()
    for line in text.split("\n"):
        alone = not inside and (not line.strip() or HEADING.match(line))
        if alone and current:
            blocks.append("\n".join(current))
            current = []
        if alone:
            blocks.append(line)
        else:
            current.append(line)
            inside.read(line)
    return blocks + (["\n".join(current)] if current else [])


class _Inside:
    """True while a blank line would not end the block: in a fence, a formula, a <details>."""

    def __init__(self):
        self.fence, self.formula, self.details = "", False, 0

    def __bool__(self):
        return bool(self.fence or self.formula or self.details > 0)

    def read(self, line):
        found = FENCE.match(line)
        if self.fence:
            if found and found.group(1).startswith(self.fence) and not line.strip("`~ "):
                self.fence = ""
        elif found and not self.formula:
            self.fence = found.group(1)
        else:
            self.formula ^= line.count("$$") % 2 == 1
            self.details += line.count("<details") - line.count("</details>")


def is_translatable(block):
    """Whether a block has words: not so a formula without text, a rule, nbgrader's delimiters."""
    bare = block.strip()
    if bare.startswith("$$") and bare.endswith("$$") and bare.count("$$") == 2:
        return "\\text{" in bare or "\\mathrm{" in bare
    return bool(LETTER.search(bare)) and not DELIMITER.fullmatch(bare)


def translated(text, translate):
    """The text with `translate` applied to each block that has words."""
    return "\n".join(translate(block) if is_translatable(block) else block for block in cut(text))
