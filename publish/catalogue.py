"""Look texts up in the catalogues of translations, locale/LANGUAGE/LC_MESSAGES/NAME.po."""

import functools
import io
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from publish.course import write_bytes
from publish.problems import Problem, PublishError

LOCALE = Path(__file__).resolve().parents[1] / "locale"
SOURCE_LANGUAGE = "en"


def N_(message):
    """Mark a message for the catalogue of messages."""
    return message


def catalogue_path(locale, language, name):
    """Where the catalogue called `name` is: a lesson's name, or "messages"."""
    return Path(locale) / language / "LC_MESSAGES" / f"{name}.po"


def languages(course) -> list:
    """The languages that have a folder of catalogues; English needs none."""
    return sorted(path.parent.name for path in (course.root / "locale").glob("*/LC_MESSAGES"))


def compiled_path(course, language):
    """Where the packages find the messages of a language when they run."""
    folder = course.root / "policy_gradients" / "locale"
    return catalogue_path(folder, language, "messages").with_suffix(".mo")


def compiled(course, language) -> bytes | None:
    """What gettext reads for the language's messages; None where it has no catalogue of them."""
    path = catalogue_path(course.root / "locale", language, "messages")
    catalogue = load(path, course.shown(path))
    if catalogue is None:
        return None
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def compile_messages(course, language):
    """Bring the compiled messages up to date; a fuzzy one stays English."""
    content, path = compiled(course, language), compiled_path(course, language)
    if content is not None and not (path.exists() and path.read_bytes() == content):
        write_bytes(path, content)


def load(path, shown_path):
    """The catalogue at `path`, or None without a file; PublishError where it is no catalogue."""
    try:
        with path.open("rb") as file:
            return read_po(file, abort_invalid=True)
    except FileNotFoundError:
        return None
    except (OSError, PoFileError, ValueError, LookupError) as error:
        line = getattr(error, "lineno", None) or 0
        message, remedy = f"The catalogue cannot be read ({error}).", "mend it in a .po editor."
        raise PublishError([Problem(shown_path, line + 1, message, remedy)]) from None


def read_texts(path, shown_path):
    """English text -> translation, for what is translated and not fuzzy; {} without a file."""
    return {
        entry.id: entry.string
        for entry in load(path, shown_path) or ()
        if isinstance(entry.id, str) and entry.id and entry.string and not entry.fuzzy
    }


@functools.cache
def text_in(language, message, locale=LOCALE):
    """A message in `language`, or itself where there is no translation of it."""
    if language == SOURCE_LANGUAGE:
        return message
    path = catalogue_path(locale, language, "messages")
    return read_texts(path, path.name).get(message, message)
