"""What make says, in the system's language: ``python3 publish/say.py help``.

make runs it before anything is installed, so it needs the standard library alone.
"""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _i18n():
    """The package's messages; the package itself wants NumPy, which may not be there yet."""
    path = ROOT / "policy_gradients" / "i18n.py"
    found = importlib.util.spec_from_file_location("course_i18n", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


_messages = _i18n()


def N_(message):
    """Marks a message for the catalogue."""
    return message


def _(message):
    """The message in the system's language, or in COURSE_LANGUAGE."""
    with _messages.speaking(_messages.language(default=_messages.system_language())):
        return _messages._(message)


COMMANDS = {
    "lab": N_("install the course and open JupyterLab (instructors: ROLE=instructor)"),
    "test": N_("install everything and run all tests"),
    "demo": N_("autograde a small class of submissions and print the marks"),
    "notebooks": N_("build solutions/ and notebooks/ from lessons/ (ARGS=01_reinforce)"),
    "claims": N_("measure the lessons' headline claims over other seeds and rates"),
    "translations": N_("bring locale/ and the translated documents up to date"),
    "site": N_("build the course as web pages in build/site, in each language"),
    "lint": N_("check style, layout and imports of the code"),
    "bench": N_("measure speeds"),
    "canary": N_("test the oldest and the newest packages that are allowed"),
    "lock": N_("write requirements.lock from pyproject.toml (ARGS=--upgrade)"),
    "setup": N_("install everything into .venv"),
    "clean": N_("remove what setup, tests and grading left"),
}
SENTENCES = {
    "old": N_(
        "Python 3.11 or newer is needed; {0} is {1}.\n"
        "Remedy: install one and name it, for example: make {2} PYTHON=python3.12"
    ),
    "no-venv": N_(
        "The virtual environment {0} could not be made; the reason stands above.\n"
        "Remedy: make this folder writable, or, where ensurepip is missing (Debian, Ubuntu),\n"
        "install the package python3-venv. Then run the command again."
    ),
    "installing": N_("Installing the course into {0}: about 1.4 GB with torch."),
    "not-installed": N_("Not installed: {0}. Tests that need them are skipped."),
    "missing": N_(
        "Not installed: {0}. Tests of the sandbox (bubblewrap, libseccomp2), of the\n"
        "browser (chromium, chromium-driver) and of a gradebook on a server (postgresql) are\n"
        "skipped where they are missing."
    ),
    "no-role": N_("ROLE is student or instructor. Remedy: make lab, or make lab ROLE=instructor"),
    "no-notebooks": N_("There is no folder notebooks/en. Remedy: make notebooks"),
}


def help_text() -> str:
    """One line for each command of make."""
    return "\n".join(f"make {name:13} {_(words)}" for name, words in COMMANDS.items())


def main(arguments):
    """Prints the help, or the sentence of that name with the words that follow filled in."""
    name, *words = arguments
    print(help_text() if name == "help" else _(SENTENCES[name]).format(*words), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
