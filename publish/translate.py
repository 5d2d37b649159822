"""A lesson in another language: prose, figures' texts, docstrings and comments from its catalogue,
code as it is."""

import dataclasses

from publish.blocks import cut, is_translatable, translated
from publish.catalogue import SOURCE_LANGUAGE, catalogue_path, read_texts
from publish.problems import Problem, PublishError
from publish.remarks import remarks, with_remarks


def texts(lesson):
    """Yield (line, text) for every text of the lesson that has a translation, in its order."""
    for cell in lesson.cells:
        if cell.kind in ("prose", "free"):
            line = cell.start
            for block in cut(cell.source):
                if is_translatable(block):
                    yield line, block
                line += block.count("\n") + 1
            continue
        if cell.kind == "claim":
            continue
        if "alt" in cell.keys:
            yield cell.line, cell.keys["alt"]
        for one in remarks(cell.source):
            yield cell.start + one.row, one.text


def translate_lesson(lesson, course, language, strict=False):
    """The lesson in `language`; what has no translation, or a fuzzy one, stays English.

    Raises PublishError where the language has no catalogues, and, if `strict`, with one problem
    for each text that would stay English.
    """
    if language == SOURCE_LANGUAGE:
        return lesson
    locale = course.root / "locale"
    path = catalogue_path(locale, language, lesson.name)
    if not path.parent.is_dir():
        remedy = f"run 'make translations ARGS=\"--add {language}\"', or name another language."
        message = f"There are no catalogues for the language {language!r}."
        raise PublishError([Problem(f"locale/{language}", 1, message, remedy)])
    known = read_texts(path, course.shown(path))
    missing = [(line, text) for line, text in texts(lesson) if text not in known]
    if strict and missing:
        remedy = f"translate it in {course.shown(path)}, and take its 'fuzzy' away."
        raise PublishError(
            Problem(lesson.path, line, f"Not translated: {text.splitlines()[0][:60]!r}.", remedy)
            for line, text in missing
        )
    cells = [_translate_cell(cell, known) for cell in lesson.cells]
    return dataclasses.replace(lesson, cells=cells)


def _translate_cell(cell, known):
    if cell.kind in ("prose", "free"):
        source = translated(cell.source, lambda block: known.get(block, block))
        return dataclasses.replace(cell, source=source)
    if cell.kind == "claim":
        return cell
    keys = dict(cell.keys)
    if "alt" in keys:
        keys["alt"] = known.get(keys["alt"], keys["alt"])
    source = with_remarks(cell.source, lambda text: known.get(text, text))
    return dataclasses.replace(cell, source=source, keys=keys)
