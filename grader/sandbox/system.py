"""Grading needs Linux. Checks in notebooks, progress, collecting and the build run anywhere."""

import sys

from grader.errors import UserError
from grader.i18n import N_, _

NAMES = {"win32": "Windows", "darwin": "macOS"}
REMEDIES = {
    "win32": N_("On Windows use WSL: wsl --install, clone the course there, make setup."),
    "darwin": N_("On macOS use a Linux container or virtual machine."),
}
WORDS = N_(
    "Grading needs Linux, and this is {system}: submissions are other people's code, and the "
    "sandbox that shuts them in is made of parts of Linux. {remedy} Everything else works here: "
    "notebooks, checks, progress, collect, export and the build."
)


class NotLinux(UserError):
    """Grading was asked for on another system; says what to do."""


def need_linux():
    """NotLinux anywhere else."""
    if sys.platform != "linux":
        remedy = REMEDIES.get(sys.platform, N_("Use a Linux machine or container."))
        system = NAMES.get(sys.platform, sys.platform)
        raise NotLinux(_(WORDS).format(system=system, remedy=_(remedy)))
