"""``python -m grader``: collect, autograde, mark, report, export, return, forget, doctor,
demo, progress."""

import os
import select
import signal
import sys
from pathlib import Path

from grader import command_line
from grader.course import Course, no_lesson
from grader.course.notes import shown
from grader.course.reasons import reason
from grader.errors import UserError
from grader.i18n import N_, _
from policy_gradients.i18n import language, speaking

NOT_INSTALLED = N_(
    "error: {python} has no package {name}. Remedy: make setup, and in each new terminal "
    ". .venv/bin/activate"
)


def main(arguments=None) -> int:
    """Runs one command and returns the exit status."""
    if hasattr(sys.stdout, "reconfigure"):  # names may have letters that this machine's lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    with speaking(command_line.spoken()):
        if not (sys.argv[1:] if arguments is None else arguments):
            print(command_line.help_text(), end="", file=sys.stderr)
            return 2
        options = command_line.asked(arguments)
    # progress speaks as the notebooks do that it finds.
    given = getattr(options, "language", "")
    with speaking(given if options.command == "progress" else given or command_line.spoken()):
        return _run(options)


def _run(options):
    try:
        if options.command in command_line.LINUX_ALONE:
            from grader.sandbox.system import need_linux

            need_linux()
        return COMMANDS[options.command](options)
    except BrokenPipeError:
        if not _has_left():
            raise
        return 0
    except KeyboardInterrupt:
        words = N_("Stopped. What was graded is written; the same command goes on from there.")
        _complain(words)
        return 130
    except ModuleNotFoundError as error:
        if error.name.split(".")[0] in ("grader", "policy_gradients"):
            raise
        _complain(NOT_INSTALLED, python=sys.executable, name=error.name)
    except UserError as error:
        _complain(N_("error: {words}"), words=error)
    finally:
        if _has_left():
            _say_no_more()
    return 1


def _has_left():
    """Whether nobody reads along any more. Who has heard enough, such as head, ends no command:
    each speaks when its work is done."""
    try:
        ends = select.poll()
        ends.register(sys.stdout.fileno(), 0)
    except (AttributeError, OSError):  # no such call on Windows; no file of the system's
        return False
    return any(told & select.POLLERR for _file, told in ends.poll(0))


def _say_no_more():
    """What is left to say goes nowhere. Python would try once more at its end, and fail in its own
    words."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message, **fields):
    with speaking(command_line.spoken()):
        print(_(message).format(**fields), file=sys.stderr)


def _autograde(options):
    from grader.grading import autograde, oversights
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
    for words in oversights.sentences(asked):
        print(words, file=sys.stderr)
    if waiting := tables.waiting(options.out / "grades.csv"):
        print(_("Texts that wait for a mark by hand: {n}.").format(n=waiting))
    if changed := _changed(options.out):
        words = _(
            "Marks by hand whose text, or whose check's result, changed since: {n}. They count "
            "until somebody looks again; the report names them."
        )
        print(words.format(n=changed))
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


def _changed(out):
    from grader.records.looks import changed_since

    with _ledger(out) as ledger:
        return sum(map(len, changed_since(ledger).values()))


def _stop(signum, frame):
    raise KeyboardInterrupt


def _report(options):
    from grader.grading.autograde import write_tables
    from grader.records.store import Store

    with _ledger(options.out) as ledger, Store(options.out) as store:
        write_tables(store, ledger, Course())
    print(_("Report: {report}").format(report=options.out / "report.html"))
    return 0


def _ledger(out, alone=False):
    from grader.records.address import gradebook_of
    from grader.records.gradebook import GradebookError, Ledger

    where = gradebook_of(out)
    if isinstance(where, Path) and not where.is_file():
        words = _("{folder}: there is no gradebook.db. Name the --out folder of autograde.")
        raise GradebookError(words.format(folder=out))
    return Ledger(where, alone=alone)


def _export(options):
    from grader.lms import marks

    roster = marks.READERS[options.format](options.roster) if options.roster else None
    with _ledger(options.out) as ledger:
        exported = marks.FORMATS[options.format](ledger, roster, options.lesson)
    _write_out(exported.text)
    for line in exported.lines:
        print(line, file=sys.stderr)
    return 1 if exported.refused else 0


def _write_out(text):
    """A file on standard output. Canvas and Moodle read UTF-8, whatever this machine writes."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None or sys.stdout.isatty():
        print(text, end="")
        return
    try:
        sys.stdout.flush()
        stream.write(text.encode("utf-8", "backslashreplace"))
        stream.flush()
    except OSError as error:
        _say_no_more()
        words = _("the marks can't be written ({why}). Make room, or write them elsewhere.")
        raise UserError(words.format(why=reason(error))) from None


def _forget(options):
    from grader.grading import leaving
    from grader.grading.autograde import write_tables
    from grader.records.store import Store

    with _ledger(options.out, alone=True) as ledger, Store(options.out) as store:
        lessons = leaving.forget(ledger, store, options.student, options.lesson)
        write_tables(store, ledger, Course())
    words = _(
        "Taken out: {student} ({lessons}). Whoever hands in again, or whose folder still lies "
        "among the submissions, is back after the next autograde, without marks by hand."
    )
    student, names = shown(options.student), ", ".join(lessons) or "-"
    print(words.format(student=student, lessons=names))
    return 0


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


COMMANDS = {
    "autograde": _autograde,
    "report": _report,
    "export": _export,
    "doctor": _doctor,
    "demo": _demo,
    "progress": _progress,
    "collect": _collect,
    "return": _return,
    "mark": _mark,
    "forget": _forget,
}


if __name__ == "__main__":
    sys.exit(main())
