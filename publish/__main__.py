"""Command line: ``python -m publish [NAME ...]``."""

import argparse
import sys
from pathlib import Path

from publish.build import build, prepare, registered_names, verify
from publish.course import Course
from publish.problems import PublishError

HERE = Path(__file__).resolve().parents[1]


def parser():
    parsed = argparse.ArgumentParser(
        prog="python -m publish",
        description="Build solutions/ and notebooks/ from lessons/. Exit status: 0 built or "
        "unchanged, 1 --check found a difference, 2 something is wrong with the input.",
    )
    parsed.add_argument("names", nargs="*", metavar="NAME", help="lessons; all where none is given")
    parsed.add_argument("--language", default="en", help="language of the prose (en)")
    parsed.add_argument("--no-execute", action="store_true", help="leave out outputs and figures")
    parsed.add_argument("--check", action="store_true", help="compare with what is there")
    parsed.add_argument("--root", type=Path, default=HERE, help=argparse.SUPPRESS)
    return parsed


def main(arguments=None, registered=registered_names):
    """Build as `arguments` say and return the exit status."""
    options = parser().parse_args(arguments)
    try:
        return _build_all(options, Course(options.root.resolve()), registered())
    except PublishError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}. Remedy: make the folder writable; "
              "nothing was half-written.", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped. Lessons that were finished are written, nothing is half-written.",
              file=sys.stderr)
        return 130
    return 2


def _build_all(options, course, registered):
    prepared = prepare(course, options.names, options.language, registered)
    stale = 0
    for name, (lesson, notebook) in prepared.items():
        print(f"{name} ...", end=" ", flush=True)
        task = (course, name, lesson, notebook, options.language, not options.no_execute, HERE)
        if options.check:
            found = list(verify(*task))
            stale += len(found)
            print("differs" if found else "unchanged", flush=True)
            for path, difference in found:
                print(f"{path}: {difference}", flush=True)
        else:
            print(build(*task), flush=True)
    if stale:
        print(f"{stale} files differ. Remedy: run 'make notebooks' and commit what it writes.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
