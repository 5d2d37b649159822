"""From a submission's folder to its notebook's bytes, following no link and trusting no name."""

import os
import re
import stat
import sys
from dataclasses import dataclass, field

from grader.course.notes import Refused, Words, note
from grader.i18n import N_
from grader.intake.junk import is_junk

MAX_BYTES = 50 << 20
MAX_ENTRIES = 5_000
MAX_EXTRA_BYTES = 5 << 20
MOST_TOLD = 10  # suspicions of one sort: the report has a line for each
# A browser or a mail program may put its own ending behind, or a number before it.
NOTEBOOK = re.compile(r".*\.ipynb(?P<more>(?: ?\(\d+\)|-\d+)?(?:\.(?:txt|json))*)", re.I | re.S)
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz")
DATES = "timestamp.txt"
# nbgrader's exchange puts it beside a submission; who has it may fetch the feedback.
SECRET = "submission_secret.txt"
LIBRARIES = {
    "numpy",
    "torch",
    "gymnasium",
    "matplotlib",
    "policy_gradients",
    "grader",
    "IPython",
    "sitecustomize",
    "usercustomize",
}


@dataclass
class Collected:
    """data: the notebook's bytes; files: allowed further files; timestamp: text or ""; secret: of
    nbgrader's exchange, or ""; notes: for student and instructor; suspicions: what looks like an
    attack, for the instructor."""

    data: bytes
    files: dict = field(default_factory=dict)
    timestamp: str = ""
    secret: str = ""
    notes: list = field(default_factory=list)
    suspicions: list = field(default_factory=list)


def collect(folder, lesson: str, allowed=()) -> Collected:
    """The notebook of the submission in ``folder``.

    Only regular files directly in the folder are opened, without following links. Raises Refused.
    """
    handle = _open_folder(folder)
    try:
        regular, special, folders = _entries(handle)
        name = _notebook_name(regular, special, folders, lesson)
        found = Collected(read_regular(handle, name, MAX_BYTES))
        if name != f"{lesson}.ipynb":
            message = N_("The notebook was called {name}; it was taken as {wanted}.")
            found.notes.append(note(message, name=name, wanted=f"{lesson}.ipynb"))
        found.suspicions += [
            note(N_("{name} is {kind}; it was not opened."), name=other, kind=kind)
            for other, kind in sorted(special.items())[:MOST_TOLD]
        ]
        found.timestamp = _short_text(handle, regular, DATES)
        found.secret = _short_text(handle, regular, SECRET)
        _other_files(found, handle, sorted(set(regular) - {name, DATES, SECRET}), allowed)
        return found
    finally:
        os.close(handle)


def _other_files(found, handle, names, allowed):
    for name in names:
        if name in allowed:
            found.files[name] = read_regular(handle, name, MAX_EXTRA_BYTES)
    ignored = [name for name in names if name not in allowed]
    if ignored:
        found.notes.append(note(N_("Other files were ignored: {names}."), names=ignored))
    message = N_("{name} would stand in for a library; it was ignored.")
    shadowing = [name for name in ignored if shadows(name)]
    found.suspicions += [note(message, name=name) for name in shadowing[:MOST_TOLD]]


def _open_folder(folder):
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if os.path.islink(folder):
            message = N_("The folder is a symbolic link. Put the files themselves there.")
            raise Refused(message) from None
        raise Refused(N_("The folder cannot be read ({why})."), why=Words(error.strerror)) from None


def _entries(handle):
    """(regular files' names, {name: what it is} of everything that is neither file nor folder,
    folders' names)."""
    regular, special, folders = [], {}, []
    try:
        with os.scandir(handle) as entries:
            for count, entry in enumerate(entries):
                if count >= MAX_ENTRIES:
                    raise Refused(N_("The folder holds more than {n} files."), n=MAX_ENTRIES)
                if entry.name.startswith(".") or is_junk(entry.name):
                    continue
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISREG(mode):
                    regular.append(entry.name)
                elif stat.S_ISDIR(mode):
                    folders.append(entry.name)
                else:
                    special[entry.name] = kind_of(mode)
    except OSError as error:
        raise Refused(N_("The folder cannot be read ({why})."), why=Words(error.strerror)) from None
    return regular, special, folders


def kind_of(mode) -> Words:
    """What a directory entry that is neither file nor folder is, in words."""
    if stat.S_ISLNK(mode):
        return Words(N_("a symbolic link"))
    kinds = {stat.S_IFIFO: N_("a named pipe"), stat.S_IFSOCK: N_("a socket")}
    return Words(kinds.get(stat.S_IFMT(mode), N_("a device")))


def _notebook_name(regular, special, folders, lesson):
    wanted = f"{lesson}.ipynb"
    if wanted in regular:
        return wanted
    if wanted in special:
        message = N_("{name} is {kind}, not a file. Ask for the notebook itself.")
        raise Refused(message, name=wanted, kind=special[wanted])
    notebooks = sorted(filter(is_notebook, regular))
    renamed = [name for name in notebooks if plain_name(name) == wanted]
    if len(notebooks) == 1 or len(renamed) == 1:
        return (renamed if len(renamed) == 1 else notebooks)[0]
    if notebooks:
        message = N_(
            "There are several notebooks ({names}), none called {wanted}. "
            "Keep the one to grade, under that name."
        )
        raise Refused(message, names=notebooks, wanted=wanted)
    if names := sorted(filter(is_archive, regular)) or sorted(folders):
        message = N_(
            "There is no notebook, but {names}. If it is in there, take it out and put it beside "
            "that, as {wanted}."
        )
        raise Refused(message, names=names, wanted=wanted)
    if names := sorted(set(regular) - {DATES, SECRET}):
        message = N_("There is no notebook, only {names}. Ask for {wanted}.")
        raise Refused(message, names=names, wanted=wanted)
    raise Refused(N_("There is no notebook. It should be called {wanted}."), wanted=wanted)


def is_notebook(name) -> bool:
    """Whether the name is a notebook's, also as ``x.ipynb.txt`` or ``x.ipynb.json``."""
    return NOTEBOOK.fullmatch(name) is not None


def is_archive(name) -> bool:
    """Whether other files may be in it."""
    return name.casefold().endswith(ARCHIVES)


def plain_name(name) -> str:
    """The name without what was put behind ``.ipynb``."""
    found = NOTEBOOK.fullmatch(name)
    return name[: len(name) - len(found["more"])] if found else name


def read_regular(handle, name, most) -> bytes:
    """The content of a regular file directly in the open folder; Refused for anything else."""
    cannot = N_("{name} cannot be read ({why}).")
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        file = os.open(name, flags, dir_fd=handle)
    except OSError as error:
        raise Refused(cannot, name=name, why=Words(error.strerror)) from None
    with open(file, "rb") as opened:
        # Between listing and opening, the name may have been given to something else.
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Refused(cannot, name=name, why=Words(N_("not a regular file")))
        try:
            data = opened.read(most + 1)
        except OSError as error:
            raise Refused(cannot, name=name, why=Words(error.strerror)) from None
    if len(data) > most:
        message = N_("{name} is larger than {mb} MB. Ask for it again with its outputs cleared.")
        raise Refused(message, name=name, mb=most >> 20)
    return data


def timestamp_of(folder) -> str:
    """The text of a submission's timestamp.txt; "" where it is none."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return _short_text(handle, (DATES,), DATES)
    finally:
        os.close(handle)


def _short_text(handle, regular, name):
    """What nbgrader wrote into a file of its own, where there is one."""
    if name not in regular:
        return ""
    try:
        return read_regular(handle, name, 200).decode("ascii").strip()
    except (Refused, UnicodeDecodeError):
        return ""


def shadows(name) -> bool:
    """Whether Python would import this file in place of a library that a lesson uses."""
    stem = name.split(".")[0]
    code = name.endswith((".py", ".so", ".pyc", ".pth", ".zip"))
    return code and (stem in LIBRARIES or stem in sys.stdlib_module_names or name.endswith(".pth"))
