"""The words in a code cell that are no code: its docstrings and comments.

A student reads them, so they are translated; the code around them stays as it is. Comments on
lines of their own that follow each other make one text.
"""

import inspect
import io
import re
import tokenize
from dataclasses import dataclass

WORD = re.compile(r"[a-z]{2}")
QUOTES = '"""'
# Marks for nbgrader and for tools, not for readers.
MARK = re.compile(r"#+\s*(BEGIN |END |fmt:|noqa|type:)")
BEFORE_DOCSTRING = (tokenize.INDENT, tokenize.ENCODING)
SPACE = (tokenize.NL, tokenize.COMMENT)


@dataclass(frozen=True)
class Remark:
    """A text of the source between two offsets; row counts from 0, column is its indentation."""

    start: int
    end: int
    row: int
    column: int
    text: str
    docstring: bool = False
    ends_alone: bool = False

    def rendered(self, text) -> str:
        """The source's piece with another text in it."""
        margin = "\n" + " " * self.column
        if not self.docstring:
            return margin.join(f"# {line}".rstrip() for line in text.split("\n"))
        inner = "\n".join(
            line if n == 0 or not line else " " * self.column + line
            for n, line in enumerate(text.split("\n"))
        )
        return QUOTES + inner + (margin if self.ends_alone else "") + QUOTES


def remarks(source) -> list:
    """The source's docstrings and comments that have words, in their order; none where the source
    is no Python."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    starts = _line_starts(source)
    found = [*_docstrings(tokens, starts), *_comments(tokens, starts)]
    return sorted((one for one in found if WORD.search(one.text)), key=lambda one: one.start)


def with_remarks(source, translate) -> str:
    """The source with `translate` applied to the text of each remark."""
    for one in reversed(remarks(source)):
        text = translate(one.text)
        if text != one.text:
            source = source[: one.start] + one.rendered(text) + source[one.end :]
    return source


def _line_starts(source):
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _offset(starts, place):
    return starts[place[0] - 1] + place[1]


def _docstrings(tokens, starts):
    before = tokenize.ENCODING
    for token in tokens:
        if token.type == tokenize.STRING and before in BEFORE_DOCSTRING:
            text = token.string
            if text.startswith(QUOTES) and text.endswith(QUOTES):
                inner = text[3:-3]
                start, end = _offset(starts, token.start), _offset(starts, token.end)
                alone = "\n" in inner and not inner.split("\n")[-1].strip()
                row, column = token.start[0] - 1, token.start[1]
                yield Remark(start, end, row, column, inspect.cleandoc(inner), True, alone)
        if token.type not in SPACE:
            before = token.type


def _comments(tokens, starts):
    group = []
    for token in tokens:
        if token.type != tokenize.COMMENT or MARK.match(token.string):
            continue
        if group and not _goes_on(group[-1], token):
            yield _remark(group, starts)
            group = []
        group.append(token)
    if group:
        yield _remark(group, starts)


def _goes_on(last, token):
    """Whether the comment stands alone, right below one that does."""
    alone = not (last.line[: last.start[1]].strip() or token.line[: token.start[1]].strip())
    below = (last.start[0] + 1, last.start[1])
    return alone and token.start == below


def _remark(group, starts):
    text = "\n".join(token.string.lstrip("#").strip() for token in group)
    start, end = _offset(starts, group[0].start), _offset(starts, group[-1].end)
    return Remark(start, end, group[0].start[0] - 1, group[0].start[1], text)
