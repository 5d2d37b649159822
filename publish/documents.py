"""The documents in other languages, from catalogues as the lessons are: README.es.md, docs/es/...

`make translations` writes them. A text whose English changed is English in them until a translator
has seen it, and the tests fail meanwhile.
"""

import posixpath
import re

from publish.blocks import cut, is_translatable
from publish.catalogue import SOURCE_LANGUAGE, catalogue_path, languages, read_texts
from publish.course import write_text

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/instructors.md",
    "docs/grading.md",
    "docs/architecture.md",
)
NAMES = {"en": "English", "es": "Español"}
LINK = re.compile(r"\]\(([^()\s]+)\)")
PYTHON = re.compile(r"\s*```python\n")
BAR = re.compile(r"English( · \[[^\]]+\]\([^)]+\))+")


def documents(course) -> list:
    """The documents that this course has."""
    return [name for name in DOCUMENTS if (course.root / name).is_file()]


def stem(document) -> str:
    """The name of its catalogue: instructors of docs/instructors.md."""
    return posixpath.basename(document).removesuffix(".md")


def place(document, language) -> str:
    """Where it is in a language: README.es.md, docs/es/instructors.md."""
    folder, name = posixpath.split(document)
    if language == SOURCE_LANGUAGE:
        return document
    if folder:
        return f"{folder}/{language}/{name}"
    return f"{name.removesuffix('.md')}.{language}.md"


def texts(text):
    """Yields (line, block) for each block with words: no code without comments, no Python."""
    line = 1
    for block in cut(text):
        if _has_words(block):
            yield line, block
        line += block.count("\n") + 1


def _has_words(block):
    if BAR.fullmatch(block) or PYTHON.match(block) or not is_translatable(block):
        return False
    lines = block.split("\n")
    fenced = lines[0].startswith("```")
    code = fenced or all(not line or line.startswith("    ") for line in lines)
    comment = re.compile(r"(^|\s)# " if fenced else r"\S\s+# ")
    return not code or any(comment.search(line) for line in lines)


def template_texts(course, document):
    """The document's texts in its order."""
    return [block for _, block in texts(_read(course, document))]


def _read(course, document):
    return (course.root / document).read_text(encoding="utf-8")


def built(course, document, language) -> str:
    """The document in the language; what is not translated stays English."""
    path = catalogue_path(course.root / "locale", language, stem(document))
    known = read_texts(path, course.shown(path))
    told = f"<!-- From {document} and {course.shown(path)} by `make translations`: edit those. -->"
    anchors = {name: _anchors(course, name, language) for name in documents(course)}

    def moved(found):
        return f"]({_target(found[1], document, language, anchors)})"

    def block_in(block):
        if BAR.fullmatch(block):
            return _bar(document, language)
        return LINK.sub(moved, known.get(block, block) if _has_words(block) else block)

    return "\n".join([told, *map(block_in, cut(_read(course, document)))])


def _bar(document, language):
    """The line that leads to the same document in each language."""
    mine = posixpath.dirname(place(document, language))
    items = [
        name
        if code == language
        else f"[{name}]({posixpath.relpath(place(document, code), mine or '.')})"
        for code, name in NAMES.items()
    ]
    return " · ".join(items)


def _target(target, document, language, anchors):
    """A link's target as it is reached from where the document is in the language."""
    if re.match(r"[a-z]+:", target):
        return target
    path, _, anchor = target.partition("#")
    there = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
    other = document if not path else there
    anchor = anchors.get(other, {}).get(anchor, anchor)
    if path:
        wanted = place(there, language) if there in anchors else there
        path = posixpath.relpath(wanted, posixpath.dirname(place(document, language)) or ".")
    return f"{path}#{anchor}" if anchor else path


def _anchors(course, document, language):
    """Anchor of each English heading -> that of its translation."""
    path = catalogue_path(course.root / "locale", language, stem(document))
    known = read_texts(path, course.shown(path))
    headings = [block for _, block in texts(_read(course, document)) if block.startswith("#")]
    return {slug(heading): slug(known.get(heading, heading)) for heading in headings}


def slug(heading) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-")


def update(course, check=False) -> list:
    """Writes the documents in each language; the paths that changed, or would under `check`."""
    changed = []
    for language in languages(course):
        for document in documents(course):
            path = course.root / place(document, language)
            text = built(course, document, language)
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                changed.append(course.shown(path))
                if not check:
                    write_text(path, text)
    return changed
