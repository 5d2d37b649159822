"""Bring the catalogues under locale/ up to date: ``python -m publish.translations``.

One catalogue per lesson and per document, and one for the messages that `_()`, `N_()` and `pg.tr()`
mark, and for the hints of mistakes. A text whose English changed becomes fuzzy and counts as
untranslated until a translator has seen it. The documents in other languages are then written anew.
"""

import argparse
import ast
import io
import re
import sys
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from publish import documents, spanish
from publish.catalogue import catalogue_path, compile_messages, languages, load
from publish.course import Course, write_bytes
from publish.problems import Problem, PublishError
from publish.proofread import RULES
from publish.translate import texts

HERE = Path(__file__).resolve().parents[1]
# Lessons are among them for the labels of their own figures, `pg.tr("...")`.
PACKAGES = ("policy_gradients", "grader", "publish", "lessons")
MARKS = ("_", "N_", "tr")
# Hints are messages unmarked: the second argument of these calls in the checks, and the values of a
# table that is handed over as `hints=`, or whose name ends in HINTS.
HINTED = ("Mistake", "Slip", "WrongForm")
HOLDS = re.compile(rf"\b({'|'.join(MARKS)})\(|{'|'.join(HINTED)}|hints|HINTS")
# Formulas are full of braces and percent signs; editors would call each one a broken format.
FORMAT_FLAGS = {"python-format", "python-brace-format"}


def lesson_template(course, name):
    """The lesson's texts as a catalogue without translations."""
    (lesson,) = course.read([name])
    template = Catalog()
    for _, text in texts(lesson):
        template.add(text)
    return template


def messages_template(course):
    """The messages that `_()` and `N_()` mark in the packages, and `pg.tr()` in the lessons."""
    template = Catalog()
    for package in PACKAGES:
        for *_place, message in sorted(messages(course.root / package)):
            template.add(message)
    return template


def messages(folder):
    """Yield (file's path in folder, line, whether it is a hint, column, message) of the messages
    that are marked, and of the hints of mistakes and choices."""
    for path in folder.rglob("*.py"):
        source, name = path.read_text(encoding="utf-8"), str(path.relative_to(folder))
        if not HOLDS.search(source):
            continue  # half of the files, which take their time to be parsed
        for node in ast.walk(ast.parse(source)):
            for is_hint, texts_of in enumerate((_marked, _hints_of)):
                for text in texts_of(node):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        line = text.lineno if is_hint else node.lineno
                        yield name, line, is_hint, text.col_offset, text.value


def _marked(node):
    """The expressions at the place of a message."""
    called = getattr(node, "func", None)
    name = getattr(called, "id", getattr(called, "attr", ""))
    return node.args[:1] if name in MARKS else []


def _hints_of(node):
    """The expressions at the place of a hint."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in HINTED:
        return node.args[1:2]
    if isinstance(node, ast.keyword) and node.arg == "hints":
        return getattr(node.value, "values", [])
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").endswith("HINTS"):
        return getattr(node.value, "values", [])
    return []


def document_template(course, document):
    """The texts of a document, such as README.md, as a catalogue without translations."""
    template = Catalog()
    for text in documents.template_texts(course, document):
        template.add(text)
    return template


def updated(template, old, language):
    """The bytes of the catalogue `old` (None: a new one) after an update from `template`."""
    catalogue = old or _new(language)
    # Dates would make every update a change.
    template.creation_date = catalogue.creation_date
    catalogue.update(template)
    catalogue.fuzzy = False
    for entry in catalogue:
        entry.flags -= FORMAT_FLAGS
    written = io.BytesIO()
    write_po(written, catalogue, width=0, no_location=True, ignore_obsolete=True)
    return written.getvalue()


def _new(language):
    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        message, remedy = f"{language!r} is no language's code.", "name one such as es or pt_BR."
        raise PublishError([Problem("locale", 1, message, remedy)]) from None
    return Catalog(
        locale=language,
        header_comment=f"# Translations of the policy gradients course, language {language}.",
        project="policy-gradients-course",
        version="1",
        msgid_bugs_address="",
        last_translator="",
        language_team=language,
    )


def update(course, language, check=False):
    """Update one language's catalogues; returns the paths that changed, or would under `check`."""
    names = [*course.page_names(), *course.lesson_names()]
    templates = {name: lesson_template(course, name) for name in names}
    for document in documents.documents(course):
        templates[documents.stem(document)] = document_template(course, document)
    changed = []
    for name, template in {"messages": messages_template(course), **templates}.items():
        path = catalogue_path(course.root / "locale", language, name)
        new = updated(template, load(path, course.shown(path)), language)
        if not path.exists() or path.read_bytes() != new:
            changed.append(course.shown(path))
            if not check:
                write_bytes(path, new)
    return changed


def rules(course, language):
    """The rules for a translation into the language: a translator's further ones, if any."""
    glossary = course.root / "locale" / "glossary.md"
    if language != "es" or not glossary.is_file():
        return RULES
    bound = spanish.glossary_rule(glossary.read_text(encoding="utf-8"))
    return *RULES, spanish.address, spanish.signs, bound


def complaints(course, language):
    """Yield a line for each rule that an entry breaks, and one for a catalogue's missing entries;
    a fuzzy entry is a missing one."""
    bound = rules(course, language)
    for path in sorted((course.root / "locale" / language / "LC_MESSAGES").glob("*.po")):
        catalogue = load(path, course.shown(path))
        entries = [entry for entry in catalogue if entry.id]
        done = [entry for entry in entries if entry.string and not entry.fuzzy]
        if len(done) < len(entries):
            missing = len(entries) - len(done)
            yield f"{course.shown(path)}: {missing} of {len(entries)} texts are not translated"
        for entry in done:
            for rule in bound:
                for words in rule(entry.id, entry.string):
                    yield f"{course.shown(path)}:{entry.lineno}: {rule.__name__}: {words}"


def main(arguments=None):
    """Update or check as `arguments` say; exit status 1 where --check finds a stale catalogue."""
    parser = argparse.ArgumentParser(prog="python -m publish.translations", description=__doc__)
    parser.add_argument("--add", metavar="LANGUAGE", help="begin a new language, such as es")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where stale")
    parser.add_argument("--root", type=Path, default=HERE, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    course = Course(options.root.resolve())
    changed, found = [], []
    try:
        for language in sorted({*languages(course), *filter(None, [options.add])}):
            changed += update(course, language, options.check)
            if not options.check:
                compile_messages(course, language)
                found += complaints(course, language)
        changed += documents.update(course, options.check)
    except PublishError as error:
        print(error, file=sys.stderr)
        return 2
    print(*(changed or ["All catalogues are up to date."]), *found, sep="\n")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
