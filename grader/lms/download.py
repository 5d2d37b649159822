"""Sorts what Canvas or Moodle gives for download into submitted/STUDENT/LESSON/LESSON.ipynb.

Canvas: Assignments, Download Submissions. Moodle: View all submissions, Download all; its grading
worksheet tells whose number is which. Names and contents are the students': nothing of them decides
where else a file is written (``names`` says whose it is).
"""

import io
import re
import unicodedata
import zipfile
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.course.notes import shown
from grader.course.reasons import reason
from grader.i18n import _
from grader.intake.classroom import MOST_NAME, ClassroomError
from grader.intake.folder import DATES, MAX_BYTES, is_archive, is_notebook, plain_name
from grader.intake.junk import is_junk
from grader.lms import times, worksheet
from grader.lms.canvas import read_gradebook, student_ids
from grader.lms.names import read_names
from grader.records.arrivals import Arrival, add_arrivals, read_arrivals
from grader.records.store import write_whole

# Canvas and browsers number a file that is handed in again: 01_reinforce-2.ipynb, ... (1).ipynb
AGAIN = re.compile(r"(?:-\d+| ?\(\d+\))?\.ipynb", re.IGNORECASE)
MOST_SHOWN = 120
# What a student's archive may hold is listed before it is known: not more than this is opened.
MAX_ARCHIVE_BYTES = 5 << 20


@dataclass
class Entry:
    """One file of the download: its path there, its size, how to read it, and the archive in which
    a student handed it in."""

    path: str
    size: int
    read: object
    inside: str = ""


@dataclass
class Collected:
    """What came of a download. lines: one for each file and person, in words; missing: those of
    whom no notebook was taken; arrivals: what was taken."""

    lines: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    arrivals: list = field(default_factory=list)


def collect(download: Path, to: Path, lesson: str, source: str, roster=None, zone=None):
    """Copies each student's notebook of the lesson; returns a Collected.

    source: "canvas" or "moodle"; roster: the path of Moodle's grading worksheet or of Canvas's
    gradebook; zone: the name of the worksheet's time zone (the machine's). Raises ClassroomError.
    """
    sorting = _Sorting(to, lesson, source, _people(roster, source, zone))
    with _entries(download) as entries:
        found = sorting.by_person(entries)
        folders = sorting.folders(found)
        for who in sorted(found, key=folders.get):
            sorting.take(folders[who], who, found[who])
    if not any(found.values()):
        words = _(
            "{download}: there is no notebook with a name that {source} gives. Name the download "
            "itself, a .zip or the folder made of it."
        )
        raise ClassroomError(words.format(download=download, source=source))
    sorting.end(len(found))
    return sorting.told


def _people(roster, source, zone) -> dict:
    """number -> worksheet.Person, or True for Canvas, whose gradebook has the numbers alone."""
    if not roster:
        return {}
    if source == "canvas":
        return dict.fromkeys(student_ids(read_gradebook(roster)), True)
    return worksheet.people(worksheet.read_worksheet(roster), times.zone_of(zone))


class _Sorting:
    """One run of ``collect``, and what it has to say."""

    def __init__(self, to, lesson, source, people):
        self.to, self.lesson, self.source, self.people = Path(to), lesson, source, people
        self.told = Collected()
        self.unread, self.unsure = [], 0

    def say(self, message, /, **values):
        """One more line."""
        self.told.lines.append(message.format(**values))

    def by_person(self, entries):
        """(name, number) -> [(Named, Entry)]: their notebooks, none where they gave other files."""
        paths = [entry.path for entry in entries]
        names = read_names(paths, self.source, self.lesson, self.people)
        found, archives = defaultdict(list), []
        for entry in entries:
            one, path = names[entry.path], shown(entry.path, MOST_SHOWN)
            mine = found[one.person, one.number] if one.number else None
            if is_archive(one.file):
                archives.append((one, entry))
            elif not is_notebook(one.file):
                self.say(_("left out: {path} (not a notebook)"), path=path)
            elif mine is None:
                why = _(one.why).format(source=self.source, students=", ".join(one.others))
                said = _("left out: {path} ({why}).").format(path=path, why=why)
                self.say("{said} {remedy}", said=said, remedy=self._remedy(one))
                self.unread.append(path)
                self.unsure += bool(one.others)
            else:
                mine.append((one, entry))
        inside = [(one, entry, self._inside(found, one, entry)) for one, entry in archives]
        for one, entry, notebooks in inside:
            if notebooks:
                found[one.person, one.number] += notebooks
            else:
                words = _(
                    "left out: {path} (an archive). Unpack the download, put the notebook that is "
                    "in this one beside it as {name}, and collect from the folder."
                )
                name = shown(f"{PurePosixPath(entry.path).stem}.ipynb", MOST_SHOWN)
                self.say(words, path=shown(entry.path, MOST_SHOWN), name=name)
        return found

    def _inside(self, found, one, entry):
        """The notebooks in a zip that somebody handed in and no notebook beside it."""
        if not one.number or found[one.person, one.number]:
            return []
        return [
            (replace(one, file=PurePosixPath(inner.path).name), replace(inner, path=entry.path))
            for inner in _zipped(entry)
            if is_notebook(PurePosixPath(inner.path).name)
        ]

    def _remedy(self, one):
        """What to do about a file of which the name doesn't tell whose it is."""
        if not one.others:
            words = _("If it is somebody's work, put it into {path}.")
            path = self.to / _("STUDENT") / self.lesson / f"{self.lesson}.ipynb"
            return words.format(path=path)
        if not self.people:
            return _("With --roster the IDs of Canvas's gradebook decide between them.")
        words = _(
            "Unpack the download, call the file NAME_ID_NUMBER_{lesson}.ipynb, with a NAME that "
            "holds no number, ID as in the gradebook, NUMBER the one that stands behind it now, "
            "and collect from the folder."
        )
        return words.format(lesson=self.lesson)

    def folders(self, found) -> dict:
        """(name, number) -> folder; two people whom one folder would hold get one each."""
        wanted = {who: self._folder(*who) for who in found}
        often = Counter(wanted.values())
        return {
            who: folder if often[folder] == 1 else _numbered(folder, who[1])
            for who, folder in wanted.items()
        }

    def _folder(self, name, number):
        if self.source == "canvas":
            return number
        person = self.people.get(number)
        return safe_folder(person.account if person else "") or _numbered(name, number)

    def take(self, student, who, mine):
        """Copies a student's notebook, or says why not."""
        if not mine:
            self.told.missing.append(student)
            return
        words, taken = self._take(student, mine)
        self.say("{student}: {words}", student=student, words=" ".join([words, *self._notes(who)]))
        if taken is None:
            self.told.missing.append(student)
        else:
            one, entry = taken
            moment = getattr(self.people.get(one.number), "submitted", "")
            self._date(student, moment)
            self.told.arrivals.append(
                Arrival(student, self.lesson, self.source, entry.path, one.late, moment)
            )

    def _take(self, student, mine):
        """(words, what was taken or None)."""
        named = [pair for pair in mine if _is_named(pair[0].file, self.lesson)]
        chosen = named or mine
        if len(chosen) > 1:
            names = ", ".join(shown(one.file) for one, _entry in chosen)
            words = _("left out: {n} notebooks ({names}). Keep one of them in the download.")
            return words.format(n=len(chosen), names=names), None
        (one, entry) = chosen[0]
        words, written = self._write(student, one, entry)
        others = [shown(other.file) for other, _entry in mine if other is not one]
        if written and others:
            more = _("Not taken, since {name} has the lesson's name: {others}.")
            words += " " + more.format(name=shown(one.file), others=", ".join(others))
        if written and entry.inside:
            words += " " + _("It lay in {name}.").format(name=shown(entry.inside))
        if written and plain_name(one.file) != one.file:
            words += " " + _("It was called {name}.").format(name=shown(one.file))
        return words, (one, entry) if written else None

    def _write(self, student, one, entry):
        """(words, whether the notebook is there)."""
        name = shown(one.file)
        if entry.size > MAX_BYTES:
            words = _("left out: {name} is larger than {mb} MB.")
            return words.format(name=name, mb=MAX_BYTES >> 20), False
        try:
            data = entry.read()
        except Exception as error:  # an archive may be damaged or made to fail in many ways
            words = _("left out: {name} can't be read ({error}).")
            return words.format(name=name, error=reason(error)), False
        path = self.to / student / self.lesson / f"{self.lesson}.ipynb"
        old = path.read_bytes() if path.is_file() else None
        if old == data:
            return _("unchanged"), True
        _written(path, data)
        words = _("new, from {name}.") if old is None else _("replaced, by {name}.")
        return words.format(name=name), True

    def _date(self, student, moment):
        """nbgrader's own file of the time; an older one goes where none is known any more."""
        path = self.to / student / self.lesson / DATES
        if moment:
            _written(path, (moment + "\n").encode())
        elif self.people:
            path.unlink(missing_ok=True)

    def _notes(self, who):
        """What the worksheet doesn't say of a person, in sentences."""
        if self.source == "canvas" or not self.people:
            return []
        person = self.people.get(who[1])
        if person is None:
            return [_("The worksheet has no participant {number}.").format(number=who[1])]
        told = []
        if not person.account and self._names_somebody():
            told.append(_("The worksheet has neither username nor address of this person."))
        if person.unread:
            words = _("The time {text} can't be read.")
            told.append(words.format(text=shown(person.unread)))
        return told

    def _renamed(self):
        """Says who has a second folder, since an earlier run called them otherwise: a worksheet
        gives Moodle's participants other names than the download does."""
        now = {self._number(one): one.student for one in self.told.arrivals}
        for one in read_arrivals(self.to).values():
            folder = self.to / one.student / one.lesson
            same = one.lesson == self.lesson and one.source == self.source
            student = now.get(self._number(one)) if same else None
            if student not in (None, one.student) and folder.is_dir():
                words = _(
                    "{student} was called {old} before, and {folder} is still there: delete it, or "
                    "both are graded. If it was graded: python -m grader forget {old} --out DIR"
                )
                self.say(words, student=student, old=shown(one.student), folder=folder)

    def _number(self, arrival):
        names = read_names([arrival.name], self.source, arrival.lesson, self.people)
        return names[arrival.name].number or arrival.name

    def _names_somebody(self):
        return any(person.account for person in self.people.values())

    def end(self, people):
        """Keeps where the notebooks came from, and says what is missing, last of all."""
        self._renamed()
        try:
            add_arrivals(self.to, self.told.arrivals)
        except OSError as error:
            raise _cannot_write(self.to, error) from None
        if self.source == "moodle" and self.people and not self._names_somebody():
            words = _(
                "The worksheet names nobody (blind marking): students are called by their numbers. "
                "Moodle's import of grades finds them once identities are revealed."
            )
            self.told.lines.append(words)
        elif self.source == "moodle" and not self.people:
            words = _(
                "Without Moodle's grading worksheet (--roster) no times of submission are known, "
                "and nobody's username."
            )
            self.told.lines.append(words)
        self.told.missing += self.unread
        if self.told.missing:
            words = _("Notebooks: {n}, of {people} people in the download. Left out: {names}.")
            names = ", ".join(self.told.missing)
            taken = len(self.told.arrivals)
            self.say(words, n=taken, people=people + self.unsure, names=names)


def _is_named(name, lesson):
    name = plain_name(name)
    return name.startswith(lesson) and AGAIN.fullmatch(name[len(lesson) :]) is not None


def _numbered(name, number):
    return f"{safe_folder(name)[: MOST_NAME - len(number) - 1]}_{number}"


def safe_folder(text):
    """A person's name as a folder: letters, digits and . @ + - alone, everything else "_"."""
    text = re.sub(r"[^\w.@+-]+", "_", unicodedata.normalize("NFC", text.strip()))
    return text.lstrip(".")[:MOST_NAME]


def _written(path, data):
    try:
        write_whole(path, data)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path, error):
    words = _("{path}: {why}. --to names a folder that you may write.")
    return ClassroomError(words.format(path=path, why=reason(error)))


@contextmanager
def _entries(download):
    """The download's files in the order of their names, without what systems left there."""
    if download.is_dir():
        files = [path for path in download.rglob("*") if path.is_file() and not path.is_symlink()]
        found = [
            Entry(path.relative_to(download).as_posix(), path.stat().st_size, path.read_bytes)
            for path in files
        ]
        yield _sorted(found)
        return
    with _archive(download) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        yield _sorted(
            Entry(info.filename, info.file_size, lambda info=info: archive.read(info))
            for info in infos
        )


def _zipped(entry):
    """The files in a zip of the download; none where it isn't one, or a large one."""
    if entry.size > MAX_ARCHIVE_BYTES:
        return []

    def read(info=None):
        with zipfile.ZipFile(io.BytesIO(entry.read())) as archive:
            return archive.infolist() if info is None else archive.read(info)

    try:
        infos = [info for info in read() if not info.is_dir()]
    except Exception:  # an archive may be damaged or made to fail in many ways
        return []
    name = PurePosixPath(entry.path).name
    return _sorted(
        Entry(info.filename, info.file_size, lambda info=info: read(info), name) for info in infos
    )


def _sorted(entries):
    kept = (entry for entry in entries if not is_junk(entry.path))
    return sorted(kept, key=lambda entry: entry.path)


def _archive(download):
    try:
        return zipfile.ZipFile(download)
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        words = _("{download}: neither a folder nor a zip archive ({error}).")
        raise ClassroomError(words.format(download=download, error=reason(error))) from None
