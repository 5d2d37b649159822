"""What `python -m grader` can be asked for, told in the language of the machine it runs on."""

import argparse
from contextlib import contextmanager
from pathlib import Path

from grader.course import LANGUAGES
from grader.i18n import N_, _
from policy_gradients.i18n import language, system_language

PLATFORMS = ("canvas", "moodle")
# Commands that run submissions, or share a folder of results with one that does.
LINUX_ALONE = ("autograde", "demo", "doctor", "report", "forget")
# argparse's own words, which `_in_our_words` looks up. It formats them with %.
OWN_WORDS = (
    N_("usage: "),
    N_("positional arguments"),
    N_("options"),
    N_("show this help message and exit"),
    N_("%(prog)s: error: %(message)s\n"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid %(type)s value: %(value)r"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("ignored explicit argument %r"),
    N_("expected one argument"),
    N_("expected at least one argument"),
)


def spoken() -> str:
    """The language of commands: chosen, COURSE_LANGUAGE, the notebooks' folder, the system's."""
    return language(default=system_language())


def asked(arguments=None):
    """The options that the arguments give; ends the process on --help and on wrong ones."""
    with _in_our_words():
        return parser().parse_args(arguments)


def help_text() -> str:
    """What --help shows."""
    with _in_our_words():
        return parser().format_help()


@contextmanager
def _in_our_words():
    """argparse says its own words, too, in the language in use. It has no door for that."""
    before = argparse._, argparse.ngettext
    argparse._ = _
    argparse.ngettext = lambda one, many, count: _(one if count == 1 else many)
    try:
        yield
    finally:
        argparse._, argparse.ngettext = before


def parser():
    """The parser of all commands, in the language in use."""
    top = argparse.ArgumentParser(
        prog="python -m grader",
        description=_("From a download of submissions to returned feedback, and a look at both."),
    )
    commands = top.add_subparsers(
        title=_("commands"), dest="command", required=True, metavar=_("COMMAND")
    )
    for add in COMMANDS:
        add(commands)
    return top


def _command(commands, name, words, description=None):
    return commands.add_parser(name, help=words, description=description or _sentence(words))


def _sentence(words):
    return f"{words[:1].upper()}{words[1:]}."


def _autograde(commands):
    words = _(
        "Grade what is new or changed. Exit status: 0 every submission has a status, 1 grading "
        "could not go on (what is graded is kept; run it again), 2 wrong arguments."
    )
    made = _command(commands, "autograde", _("grade a folder of submissions"), words)
    _folder(made, "--submitted", _("the folder that holds STUDENT/LESSON/LESSON.ipynb"), True)
    _out(made)
    made.add_argument("--lessons", nargs="+", metavar=_("NAME"), help=_("grade these alone"))
    words = _("a PostgreSQL database, postgresql://USER@HOST/DATABASE (a file in --out)")
    made.add_argument("--gradebook", default="", metavar=_("ADDRESS"), help=words)
    words = _("worker processes (one per core)")
    made.add_argument("--jobs", type=_jobs, default=0, metavar="N", help=words)
    words = _("a Dask scheduler, tcp://...")
    made.add_argument("--scheduler", default="", metavar=_("ADDRESS"), help=words)
    _language(made, _("of the messages (each notebook's own)"))
    words = _("who has until when, and what lateness costs (deadlines.csv beside --submitted)")
    _file(made, "--deadlines", words)
    _file(made, "--groups", _("who works together (groups.csv beside --submitted)"))
    _file(made, "--secret-file", _("the course's secret (.grader/secret)"))
    _unsafe(made)
    made.add_argument("--course", type=Path, help=argparse.SUPPRESS)


def _report(commands):
    made = _command(commands, "report", _("write the tables and report.html anew"))
    _out(made)
    _language(made, _("of the report (the system's)"))


def _export(commands):
    made = _command(commands, "export", _("print marks for Canvas or Moodle"))
    _out(made)
    _platform(made, "--format", _("the platform that imports them"))
    _roster(made)
    made.add_argument("--lesson", metavar=_("NAME"), help=_("this lesson's marks alone"))


def _return(commands):
    made = _command(commands, "return", _("zip the feedback pages for Canvas or Moodle"))
    _out(made)
    _platform(made, "--to", _("the platform that takes them"))
    _lesson(made)
    words = _("the folder that collect sorted the download into (submitted)")
    _folder(made, "--submitted", words, default=Path("submitted"))
    _file(made, "--zip", _("the zip to write (OUT/return/LESSON-PLATFORM.zip)"))


def _mark(commands):
    made = _command(commands, "mark", _("mark free texts by hand, question by question"))
    _out(made)
    words = _("of the page (a free one)")
    made.add_argument("--port", type=int, default=0, metavar="N", help=words)
    made.add_argument("--no-browser", action="store_true", help=_("only print the page's address"))
    _language(made, _("of the page (the system's)"))
    made.add_argument("--course", type=Path, help=argparse.SUPPRESS)


def _forget(commands):
    words = _(
        "Take somebody who left, with all marks and pages, out of the results. Delete their folder "
        "of submissions first."
    )
    made = _command(commands, "forget", _("take somebody out of the results"), words)
    made.add_argument("student", metavar=_("NAME"), help=_("the student, as the tables name them"))
    _out(made)
    words = _("this lesson's submission alone (all of theirs)")
    made.add_argument("--lesson", metavar=_("LESSON"), help=words)


def _doctor(commands):
    _command(commands, "doctor", _("say what this machine can isolate, and what is missing"))


def _collect(commands):
    words = _("sort a download from Canvas or Moodle into submitted/")
    made = _command(commands, "collect", words)
    words = _("the .zip, or the folder made of it")
    made.add_argument("download", type=Path, metavar=_("DOWNLOAD"), help=words)
    _platform(made, "--from", _("the platform that gave it"), dest="source")
    _folder(made, "--to", _("the folder of submissions"), True)
    _lesson(made)
    _roster(made)
    words = _("of the worksheet's times (this machine's)")
    made.add_argument("--time-zone", metavar=_("NAME"), help=words)
    words = _("exit status 1 where somebody's notebook is missing")
    made.add_argument("--strict", action="store_true", help=words)


def _progress(commands):
    made = _command(commands, "progress", _("say how far your own saved notebooks are"))
    _folder(made, "--notebooks", _("the folder that holds LESSON/LESSON.ipynb"))
    _language(made, _("of the messages (the notebooks' own)"))


def _demo(commands):
    made = _command(commands, "demo", _("grade a small class that is made up on the spot"))
    words = _("the folder of results (out/demo)")
    _folder(made, "--out", words, default=Path("out/demo"))
    words = _("the course's first, unless another is named")
    made.add_argument("--lesson", metavar=_("NAME"), help=words)
    _language(made, _("of the class and of the report (the system's)"))
    _unsafe(made)


COMMANDS = (
    _autograde, _report, _export, _return, _mark, _forget, _doctor, _collect, _progress, _demo
)  # fmt: skip


def _folder(made, option, words, required=False, default=None):
    made.add_argument(
        option, type=Path, required=required, default=default, metavar=_("DIR"), help=words
    )


def _file(made, option, words):
    made.add_argument(option, type=Path, metavar=_("FILE"), help=words)


def _platform(made, option, words, **others):
    made.add_argument(option, choices=PLATFORMS, required=True, help=words, **others)


def _out(made):
    _folder(made, "--out", _("the folder of results"), True)


def _lesson(made):
    made.add_argument("--lesson", required=True, metavar=_("NAME"), help=_("the lesson's name"))


def _roster(made):
    _file(
        made,
        "--roster",
        _("Canvas: the CSV that its gradebook exports; Moodle: its grading worksheet"),
    )


def _unsafe(made):
    words = _("run submissions unprotected: only where you trust every one")
    made.add_argument("--unsafe-no-sandbox", action="store_true", dest="unsafe", help=words)


def _language(made, what):
    made.add_argument("--language", choices=LANGUAGES, default="", help=what)


def _jobs(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(_("a whole number; leave it out for one per core"))
    return int(text)
