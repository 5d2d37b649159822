"""Grades a folder of submissions into a folder of results. Can be stopped and started again."""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.checks.registry import need_checks
from grader.course import LANGUAGES, Course, marks_version, no_lesson, pages_version
from grader.course.notes import Refused, note
from grader.executor.local import LocalExecutor
from grader.executor.settings import Settings
from grader.grading.leaving import take_out
from grader.grading.model_answers import known_prints
from grader.i18n import N_, _
from grader.intake import deadlines, groups
from grader.intake.classroom import find_submissions, spelling
from grader.intake.folder import DATES, SECRET, collect, timestamp_of
from grader.nbgrader_plugin import configuration as formgrader
from grader.records import address, looks, penalties
from grader.records.arrivals import read_arrivals
from grader.records.gradebook import Ledger, Record, page_key, time_of
from grader.records.outcome import FAILED, GRADED, NOTED, REFUSED, STOPPED, Outcome, Task
from grader.records.secret import mark_of, read_secret, seeds_of
from grader.records.store import Store
from grader.records.teams import mirror, team_words
from grader.reports import class_page, tables
from grader.reports.student_page import page_of
from grader.sandbox.limits import Limits

BATCH, BATCH_SECONDS = 25, 2.0
# A status in a line about one submission.
ONE = {
    GRADED: N_("graded"),
    NOTED: N_("graded with note"),
    STOPPED: N_("stopped"),
    REFUSED: N_("refused"),
    FAILED: N_("failed"),
}


@dataclass
class Options:
    """What ``autograde`` is asked to do. lessons: None for all; language: "" leaves it to each
    notebook; jobs: 0 for one per core; scheduler: a Dask address, or ""; gradebook: a PostgreSQL
    database's address, "" for the one that was named before or a file in ``out``; deadlines
    and groups: files of them, deadlines.csv and groups.csv beside ``submitted`` by default."""

    submitted: Path
    out: Path
    course: Course = field(default_factory=Course)
    lessons: list | None = None
    jobs: int = 0
    scheduler: str = ""
    language: str = ""
    unsafe: bool = False
    secret_file: Path | None = None
    limits: Limits = Limits()
    gradebook: str = ""
    deadlines: Path | None = None
    groups: Path | None = None

    @property
    def settings(self) -> Settings:
        return Settings(self.limits, self.unsafe, marks_version())


def autograde(options: Options, watch=None) -> Counter:
    """Grades everything that is new or changed; returns how many submissions have which status.

    watch(total) is called once and returns a function (student, lesson, outcome or None where
    nothing had changed) that is called for each submission, and for each member of a group.
    """
    _know(options)
    course = options.course
    found = find_submissions(options.submitted, course.names(), options.lessons, course.ungraded())
    handed_in = {one.lesson for one in found}
    # The others cost seconds to read, and have no marks.
    names = options.lessons or [name for name in course.names() if name in handed_in]
    with Store(options.out) as store, _ledger(store, options) as ledger:
        for lesson in map(options.course.lesson, names):
            need_checks(lesson)
            ledger.prepare(lesson)
        formgrader.write(store, options, ledger.path)
        run = _Run(options, store, ledger, watch or (lambda total: lambda *_: None))
        try:
            run.all(found)
            run.take_out(found)
            run.share_marks()
        finally:
            run.settle()
            write_tables(store, ledger, course)
    return run.counts


def looked_for(options, record):
    """Whether this run looked for the record's submission."""
    return not options.lessons or record.lesson in options.lessons


def origins(record):
    """Where a group's submission may have lain, as (student, lesson): with the member who handed
    in, or under the group's name."""
    return {(record.lead, record.lesson), (record.group, record.lesson)}


def _ledger(store, options):
    """The gradebook; a server's address is kept in the folder once the server has answered."""
    where = address.gradebook_of(store.root, options.gradebook)
    ledger = Ledger(where, alone=True)
    if where != store.root / address.FILE:
        store.write(store.root / address.NOTE, address.shown(where) + "\n")
    return ledger


def write_tables(store, ledger, course):
    """The tables and the report, from what the gradebook holds now."""
    store.write(store.root / "grades.csv", tables.grades(ledger))
    store.write(store.root / "submissions.csv", tables.submissions(ledger))
    store.write(
        store.root / "report.html",
        class_page.page(ledger, known_prints(course), looks.changed_since(ledger)),
    )


def executor_for(options: Options):
    """The executor that the options name."""
    if options.scheduler:
        from grader.executor.cluster import ClusterExecutor

        return ClusterExecutor(options.scheduler, options.settings)
    return LocalExecutor(options.jobs or len(os.sched_getaffinity(0)), options.settings)


def _know(options):
    """no_lesson where the options name one that the course doesn't have."""
    known = options.course.names()
    unknown = sorted(set(options.lessons or []) - set(known))
    if unknown:
        raise no_lesson(unknown, known)


def beside(options, read, named, name):
    """What ``read`` makes of the named file, or of the one so called beside the submissions."""
    path = named or options.submitted.resolve().parent / name
    table = read(path, options.course.names(), needed=named is not None)
    return table.spelt(spelling(options.submitted))


@dataclass(frozen=True)
class _Given:
    """A submission on its way to a worker. key: of everything that its marks depend on; timestamp
    and secret: nbgrader's, as they stand beside the notebook; members: everybody whose work it
    is, first the one who handed it in; group: its name, "" for one
    person's; source: digest of the notebook."""

    one: object
    key: str
    timestamp: str
    secret: str
    members: tuple
    group: str = ""
    source: str = ""

    @property
    def team(self) -> str:
        """The group in words; "" for one person's work."""
        return team_words(self.group, self.members)

    @property
    def lead(self) -> str:
        """Who handed in for a group; "" for one person's work."""
        return self.one.student if self.group else ""


class _Run:
    """One pass over the submissions."""

    def __init__(self, options, store, ledger, watch):
        self.options, self.store, self.ledger, self.watch = options, store, ledger, watch
        self.secret = read_secret(options.secret_file)
        mirror(ledger)
        self.by_hand = ledger.by_hand()
        self.deadlines = beside(
            options, deadlines.read_deadlines, options.deadlines, deadlines.FILE
        )
        self.groups = beside(options, groups.read_groups, options.groups, groups.FILE)
        self.seen = set()
        self.arrivals = read_arrivals(options.submitted)
        self.counts = Counter()
        self.batch, self.written_at = [], time.monotonic()

    def all(self, found):
        shares = groups.share(found, self.groups, _time_of, _content_of)
        self.told = self.watch(sum(max(1, len(one.members)) for one in shares))
        try:
            with executor_for(self.options) as executor:
                for given, outcome in executor.run(self._tasks(shares)):
                    self._finish(given, outcome)
        finally:
            self._flush()

    def _tasks(self, shares):
        """What has to be graded, one at a time; the rest is counted on the way."""
        for shared in shares:
            if shared.found.refused is not None:
                self._list(shared.found)
                continue
            given, task = self._given(shared)
            self.seen |= {(student, given.one.lesson) for student in given.members}
            if not self._unchanged(given):
                yield given, task

    def _given(self, shared):
        members = [shared.found.student, *shared.members]
        if shared.members and shared.found.student not in shared.members:
            members = shared.members  # it lay under the group's own name
        one = replace(shared.found, student=members[0])
        task, timestamp, secret = self._task(one)
        if shared.clash:
            message = N_(
                "The group {group} handed in more than once ({names}), and no time says which is "
                "the last. Keep one of them."
            )
            task.refused = note(message, group=shared.group, names=shared.clash)
        members = tuple(dict.fromkeys(members))
        key = self._key(task, timestamp)
        source = hashlib.sha256(task.data or b"").hexdigest()[:16]
        given = _Given(one, key, timestamp, secret, members, shared.group, source)
        task.late, task.group = self._late_of(given, one.student), given.team
        return given, task

    def _late_of(self, given, student):
        """A member's lateness: the deadline is their own, the moment that of the one who handed
        in."""
        return self._late(student, given.one.lesson, moment_of(given.timestamp), given.one.student)

    def _late(self, student, lesson, moment, lead=""):
        """moment: when it was submitted, None where unknown; lead: who handed it in."""
        arrival = self.arrivals.get((lead or student, lesson))
        return self.deadlines.lateness(student, lesson, moment, bool(arrival and arrival.late))

    def take_out(self, found):
        """Takes out whom somebody took out of nbgrader's tables, who has a mark from a group that
        they no longer belong to, and folders that were no submission and are gone. A mark whose
        submission is gone stays: it may be another folder that was named."""
        folders = {(one.student, one.lesson) for one in found}
        here = self.seen | folders
        gone = [who for who in self.ledger.taken_out() if who not in here]
        lessons = self.options.lessons or self.options.course.names()
        for record in self.ledger.states():
            who = record.student, record.lesson
            away = record.lesson in lessons and who not in self.seen
            shared = record.group and away and origins(record) & folders
            listed = record.listed and looked_for(self.options, record) and who not in here
            if shared or listed:
                gone.append(who)
        for who in gone:
            take_out(self.ledger, self.store, *who)

    def share_marks(self):
        """What was given by hand to the one who handed in reaches every member's page."""
        changed = mirror(self.ledger)
        self.by_hand = self.ledger.by_hand() if changed else self.by_hand
        for who in changed:
            state = self.ledger.state(*who)
            members = self.groups.members(state.group, state.lesson)
            self._refresh(state, state.late, team_words(state.group, members))

    def settle(self):
        """Every penalty anew, from the marks and the deadlines as they are now."""
        by_hand, moments = self.ledger.by_hand(), penalties.timestamps(self.ledger)
        rows = []
        for record in self.ledger.states():
            who = record.student, record.lesson
            late = self._late(*who, moments.get(who), record.lead)
            raw = tables.raw_score(tables.marks_of(record, by_hand))
            due = self.deadlines.due_of(*who)
            rows.append(penalties.Settled(*who, late, late.penalty(raw), due))
        dues = {lesson: self.deadlines.due_of("", lesson) for lesson in {r.lesson for r in rows}}
        penalties.settle(self.ledger, dues, rows)

    def _list(self, one):
        """A folder that is no submission of a lesson gets a status and nothing else."""
        outcome = Outcome(REFUSED, [one.refused])
        self._add(Record(one.student, one.lesson, "", outcome, listed=True))
        self.told(one.student, one.lesson, outcome)

    def _task(self, one):
        course, name = self.options.course, one.lesson
        lesson = course.lesson(name)
        task = Task(
            one.student,
            lesson,
            None,
            seeds_of(self.secret, name, lesson.checks),
            language=self.options.language,
            unsafe=self.options.unsafe,
            by_hand=self.by_hand.get((one.student, name), {}),
            translations={code: course.lesson(name, code) for code in LANGUAGES},
        )
        try:
            collected = collect(one.path, name, lesson.allowed_files)
        except Refused as why:
            task.refused = why.note
            return task, "", ""
        task.data, task.files = collected.data, collected.files
        task.notes, task.suspicions = collected.notes, collected.suspicions
        return task, collected.timestamp, collected.secret

    def _key(self, task, timestamp):
        """A digest of everything that the outcome depends on, hand-given marks apart."""
        digest = hashlib.sha256(task.data or b"")
        for name, data in sorted(task.files.items()):
            digest.update(json.dumps([name, hashlib.sha256(data).hexdigest()]).encode())
        words = [n.plain() for n in (*task.notes, *task.suspicions, *filter(None, [task.refused]))]
        fingerprints = {code: lesson.fingerprint for code, lesson in task.translations.items()}
        settings = self.options.settings
        digest.update(
            json.dumps(
                [
                    words,
                    timestamp,
                    fingerprints,
                    task.language,
                    settings.unsafe,
                    settings.version,
                    asdict(settings.limits),
                    mark_of(self.secret),
                ]
            ).encode()
        )
        return digest.hexdigest()

    def _unchanged(self, given):
        """Whether this very submission is graded already, for all whose work it is; their pages
        follow hand-given marks, deadlines, groups, and the code that makes pages."""
        lesson, now = given.one.lesson, (given.key, given.group, given.lead)
        states = {student: self.ledger.state(student, lesson) for student in given.members}
        for student, state in states.items():
            files = self.store.autograded(student, lesson), self.store.feedback(student, lesson)
            known = state is not None and (state.key, state.group, state.lead) == now
            if not known or not all(path.is_file() for path in files):
                return False
        for student, state in states.items():
            self._refresh(state, self._late_of(given, student), given.team)
            self.counts[state.outcome.status] += 1
            self.told(student, lesson, None)
        return True

    def _refresh(self, state, late, team):
        """Writes a page anew where it shows something else by now."""
        student, lesson = state.student, state.lesson
        given = self.by_hand.get((student, lesson), {})
        if (made_from := page_key(given, pages_version(), late, team)) == state.page_key:
            return
        text = self.store.autograded(student, lesson).read_text(encoding="utf-8")
        state.outcome.notebook = json.loads(text)
        page = page_of(student, state.outcome, lesson, given, state.unsafe, late, team)
        self.store.write(self.store.feedback(student, lesson), page)
        state.page_key = made_from
        self.ledger.touch(state)

    def _finish(self, given, outcome):
        """Files first, the gradebook's row last: a row means that the files are there."""
        text, page = outcome.notebook, outcome.page
        for student in given.members:
            if student != given.one.student and outcome.status != FAILED:
                page = self._members_page(given, student, outcome, text)
            self._finish_for(given, student, replace(outcome, notebook=text, page=page))

    def _members_page(self, given, student, outcome, text):
        """The same page with another name, deadline, and marks given by hand."""
        lesson = given.one.lesson
        read = replace(outcome, notebook=json.loads(text))
        by_hand = self.by_hand.get((student, lesson), {})
        late = self._late_of(given, student)
        return page_of(student, read, lesson, by_hand, self.options.unsafe, late, given.team)

    def _finish_for(self, given, student, outcome):
        lesson, late = given.one.lesson, self._late_of(given, student)
        if outcome.status != FAILED:
            path, page = (
                self.store.autograded(student, lesson),
                self.store.feedback(student, lesson),
            )
            self.store.write(path, outcome.notebook)
            self.store.write(page, outcome.page)
            self._leave_marks(given, path.parent, page.parent)
        outcome.notebook = outcome.page = None
        by_hand = self.by_hand.get((student, lesson), {})
        made_from = page_key(by_hand, outcome.pages_version, late, given.team)
        when = made_from, given.timestamp, self.options.unsafe
        more = {"late": late, "group": given.group, "source": given.source}
        more["lead"] = given.lead
        self._add(Record(student, lesson, given.key, outcome, *when, **more))
        self.told(student, lesson, outcome)

    def _leave_marks(self, given, *folders):
        """The files by which nbgrader's exchange knows a submission again."""
        for folder in folders:
            for name, text in ((DATES, given.timestamp), (SECRET, given.secret)):
                if text:
                    self.store.write(folder / name, text)

    def _add(self, record):
        self.counts[record.outcome.status] += 1
        self.batch.append(record)
        late = time.monotonic() - self.written_at > BATCH_SECONDS
        if len(self.batch) >= BATCH or late:
            self._flush()

    def _flush(self):
        batch, self.batch = self.batch, []
        if batch:
            self.ledger.write(batch)
        self.written_at = time.monotonic()


def _time_of(found):
    return moment_of(timestamp_of(found.path))


def _content_of(found):
    try:
        return hashlib.sha256(collect(found.path, found.lesson).data).hexdigest()
    except Refused:
        return None


def moment_of(timestamp) -> datetime | None:
    """When a submission was made, by the text of its timestamp.txt."""
    moment = time_of(timestamp)
    return moment.replace(tzinfo=UTC) if moment else None


def total_words(counts) -> str:
    """How many submissions have which status, in one line."""
    total = _("Submissions: {n}.").format(n=counts.total())
    return " ".join([total, *(class_page.status_words(*pair) for pair in counts.most_common())])


def watch_lines(stream=sys.stdout, width=24):
    """A watcher that prints one line per submission."""

    def start(total):
        count = 0

        def told(student, lesson, outcome):
            nonlocal count
            count += 1
            words = _("unchanged") if outcome is None else _in_a_line(outcome)
            with contextlib.suppress(BrokenPipeError):
                print(
                    f"[{count}/{total}] {student:{width}} {lesson}: {words}",
                    file=stream,
                    flush=True,
                )

        return told

    return start


def watch_bar(stream=sys.stderr):
    """A watcher that draws a progress bar."""
    from tqdm import tqdm

    def start(total):
        bar = tqdm(total=total, file=stream, unit=" " + _("submissions"))

        def told(student, lesson, outcome):
            bar.update()
            if outcome is not None and outcome.status in (FAILED, REFUSED):
                bar.write(f"{student} {lesson}: {_in_a_line(outcome)}", file=stream)
            if bar.n >= total:
                bar.close()

        return told

    return start


def _in_a_line(outcome):
    score = sum(mark.score or 0.0 for mark in outcome.marks)
    most = sum(mark.max_score for mark in outcome.marks)
    marks = f" {score:g}/{most:g}" if most else ""
    reason = " ".join(map(str, outcome.reason))
    return f"{_(ONE[outcome.status])}{marks}" + (f" ({reason})" if reason else "")
