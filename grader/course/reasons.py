"""Why a file can't be used, in the language in use."""

from grader.i18n import N_, _

# What a system says when a file can't be used, by the words that Python gives.
SYSTEMS = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Operation not permitted"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("File name too long"),
    N_("No space left on device"),
    N_("Disk quota exceeded"),
    N_("Read-only file system"),
    N_("Input/output error"),
    N_("Too many levels of symbolic links"),
    N_("Too many open files"),
    N_("File is not a zip file"),
)


def reason(error: Exception) -> str:
    """Why it happened, in the language in use: what the system says, without number and path."""
    return _(getattr(error, "strerror", None) or str(error) or type(error).__name__)
