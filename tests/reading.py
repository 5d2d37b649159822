"""What it takes to read a lesson, by one rule for the start page and for the limits.

Words are the pieces of its text that hold a letter or a digit, a formula's pieces among them. The
list of references is looked up, not read. Code is looked at: its lines are counted apart.
"""

import re

WORDS_PER_MINUTE = 180  # usual for prose is about 240; a quarter is left for formulas and code
MOST_MINUTES = 25  # one sitting
MOST_CODE_LINES = 500
REFERENCES = re.compile(r"^## (References|Referencias)\n.*", re.MULTILINE | re.DOTALL)


def words(text):
    """How many words a text has, its list of references left out."""
    return sum(bool(re.search(r"\w", piece)) for piece in REFERENCES.sub("", text).split())


def minutes(notebook):
    """How long the text of a notebook takes to read."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return sum(map(words, texts)) / WORDS_PER_MINUTE


def code_lines(notebook):
    """How many lines of code a notebook shows, blank ones left out."""
    shown = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return sum(bool(line.strip()) for source in shown for line in source.split("\n"))
