"""Command line: ``python -m publish [NAME ...]``."""

import argparse
import sys
from pathlib import Path

from publish.build import build, leftovers, prepare, registered_names, verify
from publish.catalogue import SOURCE_LANGUAGE, compile_messages, languages
from publish.course import Course
from publish.page import build_page, prepare_page, verify_page
from publish.problems import PublishError

HERE = Path(__file__).resolve().parents[1]


def parser():
    parsed = argparse.ArgumentParser(
        prog="python -m publish",
        description="Build solutions/ and notebooks/ from lessons/. Exit status: 0 built or "
        "unchanged, 1 --check found a difference, 2 something is wrong with the input.",
    )
    parsed.add_argument("names", nargs="*", metavar="NAME", help="lessons; all where none is given")
    parsed.add_argument("--language", help="only this language of the prose; else each one")
    parsed.add_argument("--strict", action="store_true", help="a missing translation is an error")
    parsed.add_argument("--no-execute", action="store_true", help="leave out outputs and figures")
    parsed.add_argument("--check", action="store_true", help="compare with what is there")
    parsed.add_argument("--root", type=Path, default=HERE, help=argparse.SUPPRESS)
    return parsed


def main(arguments=None, registered=registered_names):
    """Build as `arguments` say and return the exit status.

    `registered` gives the names that have checks, or None to leave that question out.
    """
    options = parser().parse_args(arguments)
    course = Course(options.root.resolve())
    wanted = [options.language] if options.language else [SOURCE_LANGUAGE, *languages(course)]
    try:
        known = registered()
        # The code is the same in all languages: what it claims is looked at in the first.
        return max(
            [
                _build_all(options, course, language, known, language == wanted[0])
                for language in wanted
            ]
        )
    except PublishError as error:
        _complain(error)
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}. Remedy: make the folder writable.")
    except KeyboardInterrupt:
        _complain("Stopped. What was finished is written, and nothing is half-written.")
        return 130
    return 2


def _complain(message):
    print(f"\n{message}", file=sys.stderr)


def _build_all(options, course, language, registered, claims):
    known = course.page_names()
    pages = {
        name: prepare_page(course, name, language, options.strict)
        for name in known
        if name in (options.names or known)
    }
    names = [name for name in options.names if name not in known]
    prepared = {}
    if names or not options.names:
        prepared = prepare(course, names, language, registered, options.strict, claims)
    if not options.check:
        compile_messages(course, language)
    stale = _build_pages(options, course, language, pages)
    for name, (lesson, notebook) in prepared.items():
        print(f"{language}/{name} ...", end=" ", flush=True)
        task = (course, name, lesson, notebook, language, not options.no_execute, HERE)
        if not options.check:
            print(build(*task), flush=True)
            continue
        found = list(verify(*task))
        print("differs" if found else "unchanged", flush=True)
        stale += [f"{path}: {difference}" for path, difference in found]
    if options.check and not options.names:
        without_lesson = leftovers(course, language)
        stale += [f"{path}: there is no such lesson" for path in without_lesson]
    if stale:
        print(*stale, "Remedy: run 'make notebooks', and remove what has no lesson.", sep="\n")
    return 1 if stale else 0


def _build_pages(options, course, language, pages):
    """Writes or compares the pages; returns what is stale."""
    stale = []
    for name, notebook in pages.items():
        task = (course, name, language, notebook)
        if options.check:
            found = list(verify_page(*task))
            stale += [f"{path}: {difference}" for path, difference in found]
            print(f"{language}/{name} ...", "differs" if found else "unchanged", flush=True)
        else:
            print(f"{language}/{name} ...", build_page(*task), flush=True)
    return stale


if __name__ == "__main__":
    sys.exit(main())
