"""What in a student's code is worth an instructor's look. It proves nothing and costs no points."""

import re

from grader.course.notes import Words, note
from grader.i18n import N_

PATTERNS = (
    (r"input_transformers|ast_transformers|set_custom_exc|showtraceback", N_("hooks of IPython")),
    (r"gradebook|solutions[/\\]|BEGIN SOLUTION", N_("the gradebook or the solutions")),
    (
        r"subprocess|os\.(system|popen|fork|exec|spawn|kill)|pty\.|multiprocessing",
        N_("other programs"),
    ),
    (r"\bsocket\b|urllib|requests\.|http\.client|ftplib|smtplib", N_("the network")),
    (r"/proc\b|/etc/|/root\b|/home\b|/dev/|\.\./", N_("files of the machine")),
    (r"ctypes|cffi|\bmmap\b|faulthandler", N_("memory and system calls")),
    (
        r"sys\.modules|__builtins__|builtins\.|_getframe|gc\.get_|inspect\.stack|settrace|setprofile",
        N_("the interpreter's inside"),
    ),
    (
        r"grader\.(?!check\b)|import grader\b|run_check|runtime\.run|\bwire\b",
        N_("the grader's inside"),
    ),
    (r"signal\.|setitimer|atexit|os\._exit", N_("signals and exits")),
)
_COMPILED = [(re.compile(pattern), what) for pattern, what in PATTERNS]


def suspicions_in(plan) -> list:
    """One note per kind of thing that the student's own cells mention, with the line."""
    found = []
    texts = [cell.text for cell in plan.cells if cell.written and cell.cell_type == "code"]
    for pattern, what in _COMPILED:
        match = next((m for m in map(pattern.search, texts) if m), None)
        if match:
            start = match.string.rfind("\n", 0, match.start()) + 1
            line = match.string[start : match.end() + 40].split("\n")[0].strip()
            found.append(note(N_("The code mentions {what}: {line}"), what=Words(what), line=line))
    return found
