"""``python -m grader``: collect, autograde, mark, report, export, return, doctor,
demo, progress."""

import argparse
import signal
import sys
from pathlib import Path

from grader.course import LANGUAGES, Course, no_lesson
from grader.errors import UserError
from grader.i18n import _
from grader.sandbox.system import LINUX_ALONE, need_linux
from policy_gradients.i18n import language, speaking

ROSTER = "Canvas: the CSV that its gradebook exports; Moodle: its grading worksheet"


def parser():
    top = argparse.ArgumentParser(prog="python -m grader", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _autograde_options(
        commands.add_parser(
            "autograde",
            help="grade a folder of submissions",
            description="Grade what is new or changed. Exit status: 0 every submission has a "
            "status, 1 grading could not go on (what is graded is kept; run it again), "
            "2 wrong arguments.",
        )
    )
    made = commands.add_parser("report", help="write the tables and report.html anew")
    _out(made)
    _language(made, "of the report (COURSE_LANGUAGE)")
    made = commands.add_parser("export", help="print marks for Canvas or Moodle")
    _out(made)
    made.add_argument("--format", choices=("canvas", "moodle"), required=True)
    made.add_argument("--roster", type=Path, help=ROSTER)
    made.add_argument("--lesson", metavar="NAME", help="this lesson's marks alone")
    _return_options(
        commands.add_parser("return", help="zip the feedback pages for Canvas or Moodle")
    )
    made = commands.add_parser("mark", help="mark free texts by hand, question by question")
    _out(made)
    made.add_argument("--port", type=int, default=0, help="of the page (a free one)")
    made.add_argument("--no-browser", action="store_true", help="only print the page's address")
    _language(made, "of the page (COURSE_LANGUAGE)")
    made.add_argument("--course", type=Path, help=argparse.SUPPRESS)
    commands.add_parser("doctor", help="say what this machine can isolate, and what is missing")
    _collect_options(
        commands.add_parser("collect", help="sort a download from Canvas or Moodle into submitted/")
    )
    made = commands.add_parser("progress", help="say how far your own saved notebooks are")
    made.add_argument(
        "--notebooks", type=Path, metavar="DIR", help="the folder that holds LESSON/LESSON.ipynb"
    )
    _language(made, "of the messages (the notebooks' own)")
    made = commands.add_parser("demo", help="grade a small class that is made up on the spot")
    made.add_argument("--out", type=Path, default=Path("out/demo"), help="(out/demo)")
    made.add_argument("--lesson", help="the course's first, unless another is named")
    made.add_argument("--unsafe-no-sandbox", action="store_true", dest="unsafe")
    return top


def _out(made):
    made.add_argument("--out", type=Path, required=True, help="the folder of results")


def _language(made, what):
    made.add_argument("--language", choices=LANGUAGES, default="", help=what)


def _collect_options(made):
    made.add_argument("download", type=Path, help="the .zip, or the folder made of it")
    made.add_argument("--from", choices=("canvas", "moodle"), required=True, dest="source")
    made.add_argument("--to", type=Path, required=True, help="the folder of submissions")
    made.add_argument("--lesson", required=True, metavar="NAME")
    made.add_argument("--roster", type=Path, help=ROSTER)
    made.add_argument(
        "--time-zone", metavar="NAME", help="of the worksheet's times (this machine's)"
    )
    made.add_argument(
        "--strict", action="store_true", help="exit status 1 where somebody's notebook is missing"
    )


def _return_options(made):
    _out(made)
    made.add_argument("--to", choices=("canvas", "moodle"), required=True)
    made.add_argument("--lesson", required=True, metavar="NAME")
    made.add_argument(
        "--submitted",
        type=Path,
        default=Path("submitted"),
        metavar="DIR",
        help="the folder that collect sorted the download into (submitted)",
    )
    made.add_argument(
        "--zip", type=Path, metavar="FILE", help="the zip to write (OUT/return/LESSON-PLATFORM.zip)"
    )


def _jobs(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(_("a whole number; leave it out for one per core"))
    return int(text)


def _autograde_options(made):
    made.add_argument(
        "--submitted",
        type=Path,
        required=True,
        help="the folder that holds STUDENT/LESSON/LESSON.ipynb",
    )
    _out(made)
    made.add_argument("--lessons", nargs="+", metavar="NAME", help="grade these alone")
    made.add_argument(
        "--gradebook",
        default="",
        metavar="ADDRESS",
        help="a PostgreSQL database, postgresql://USER@HOST/DATABASE (a file in --out)",
    )
    made.add_argument("--jobs", type=_jobs, default=0, help="worker processes (one per core)")
    made.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler, tcp://..."
    )
    _language(made, "of the messages (each notebook's own)")
    made.add_argument(
        "--deadlines",
        type=Path,
        metavar="FILE",
        help="who has until when, and what lateness costs (deadlines.csv beside --submitted)",
    )
    made.add_argument(
        "--groups", type=Path, metavar="FILE", help="who works together (groups.csv beside it)"
    )
    made.add_argument("--secret-file", type=Path, help="the course's secret (.grader/secret)")
    made.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        dest="unsafe",
        help="run submissions unprotected: only where you trust every one",
    )
    made.add_argument("--course", type=Path, help=argparse.SUPPRESS)


def main(arguments=None) -> int:
    """Runs one command and returns the exit status."""
    if not (sys.argv[1:] if arguments is None else arguments):
        parser().print_help(sys.stderr)
        return 2
    options = parser().parse_args(arguments)
    command = {
        "autograde": _autograde,
        "report": _report,
        "export": _export,
        "doctor": _doctor,
        "demo": _demo,
        "progress": _progress,
        "collect": _collect,
        "return": _return,
        "mark": _mark,
    }[options.command]
    with speaking(getattr(options, "language", "")):
        return _run(command, options)


def _run(command, options):
    try:
        if options.command in LINUX_ALONE:
            need_linux()
        return command(options)
    except KeyboardInterrupt:
        words = _("Stopped. What was graded is written; the same command goes on from there.")
        print(words, file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        if error.name.split(".")[0] in ("grader", "policy_gradients"):
            raise
        print(_("error: {words}").format(words=_not_installed(error.name)), file=sys.stderr)
        return 1
    except UserError as error:
        print(_("error: {words}").format(words=error), file=sys.stderr)
        return 1


def _not_installed(name):
    words = _(
        "{python} has no package {name}. Remedy: make setup, and in each new terminal "
        ". .venv/bin/activate"
    )
    return words.format(python=sys.executable, name=name)


def _autograde(options):
    from grader.grading import autograde
    from grader.reports import tables

    asked = autograde.Options(
        options.submitted,
        options.out,
        Course(options.course) if options.course else Course(),
        options.lessons,
        options.jobs,
        options.scheduler,
        options.language,
        options.unsafe,
        options.secret_file,
        gradebook=options.gradebook,
        deadlines=options.deadlines,
        groups=options.groups,
    )
    if options.unsafe:
        words = _("WARNING: no sandbox. Submissions can read and change whatever you can.")
        print(words, file=sys.stderr)
    signal.signal(signal.SIGTERM, _stop)
    watch = autograde.watch_bar() if sys.stderr.isatty() else autograde.watch_lines()
    counts = autograde.autograde(asked, watch)
    print(autograde.total_words(counts))
    if not counts:
        print(_nothing(asked), file=sys.stderr)
    if waiting := tables.waiting(options.out / "grades.csv"):
        print(_("Texts that wait for a mark by hand: {n}.").format(n=waiting))
    words = _("Marks: {marks}. Report: {report}.")
    print(words.format(marks=options.out / "grades.csv", report=options.out / "report.html"))
    return 0


def _nothing(asked):
    words = _(
        "{folder} holds no submission of {lessons}. --submitted names the folder that holds "
        "STUDENT/LESSON/LESSON.ipynb."
    )
    lessons = asked.lessons or asked.course.names()
    return words.format(folder=asked.submitted, lessons=", ".join(lessons))


def _stop(signum, frame):
    raise KeyboardInterrupt


def _report(options):
    from grader.grading.autograde import write_tables
    from grader.records.store import Store

    with _ledger(options.out) as ledger, Store(options.out) as store:
        write_tables(store, ledger, Course())
    print(_("Report: {report}").format(report=options.out / "report.html"))
    return 0


def _ledger(out):
    from grader.records.address import gradebook_of
    from grader.records.gradebook import GradebookError, Ledger

    where = gradebook_of(out)
    if isinstance(where, Path) and not where.is_file():
        words = _("{folder}: there is no gradebook.db. Name the --out folder of autograde.")
        raise GradebookError(words.format(folder=out))
    return Ledger(where)


def _export(options):
    from grader.lms import marks

    roster = marks.READERS[options.format](options.roster) if options.roster else None
    with _ledger(options.out) as ledger:
        exported = marks.FORMATS[options.format](ledger, roster, options.lesson)
    print(exported.text, end="")
    for line in exported.lines:
        print(line, file=sys.stderr)
    return 1 if exported.refused else 0


def _doctor(options):
    from grader.sandbox import doctor

    return doctor.main()


def _demo(options):
    from grader.grading import demo

    return demo.main(options.out, options.lesson, options.unsafe)


def _collect(options):
    from grader.lms import download

    known = Course().names()
    if options.lesson not in known:
        raise no_lesson([options.lesson], known)
    told = download.collect(
        options.download,
        options.to,
        options.lesson,
        options.source,
        options.roster,
        options.time_zone,
    )
    print(*told.lines, sep="\n")
    return 1 if told.missing and options.strict else 0


def _return(options):
    from grader.lms import feedback

    path = options.zip or options.out / "return" / f"{options.lesson}-{options.to}.zip"
    with _ledger(options.out) as ledger:
        given = options.out, options.submitted, options.lesson, options.to
        told = feedback.pages_for(ledger, *given)
    feedback.write_zip(path, told)
    for line in told.lines:
        print(line, file=sys.stderr)
    print(_("Pages: {n}, in {path}.").format(n=len(told.files), path=path))
    return 0


def _mark(options):
    from grader.handmarks.book import HandMarks
    from grader.handmarks.server import serve

    course = Course(options.course) if options.course else Course()
    with _ledger(options.out) as ledger:
        marks = HandMarks(ledger, course, options.out, language())
        serve(marks, options.port, not options.no_browser)
    return 0


def _progress(options):
    from grader.student import progress

    progress.show(options.notebooks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
