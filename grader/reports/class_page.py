"""report.html: what an instructor wants to know about a class at a glance."""

import functools
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import quote

from grader.i18n import N_, _
from grader.records.history import told
from grader.records.outcome import (
    BLANK,
    FAILED,
    GRADED,
    MARKED,
    NOTED,
    PASSED,
    REFUSED,
    STOPPED,
    VOID,
    WAITING,
    WRONG,
)
from grader.reports import figures, tables
from grader.reports.mistakes import Mistakes
from grader.reports.pages import environment
from grader.reports.pairs import Pairs
from policy_gradients.i18n import language, languages, speaking

HERE = Path(__file__).resolve().parent
MOST_ROWS = 200
EXAMPLES = 3
SLOWEST = 10
NOT_TRIED = ("not-written", "not-answered")

# Of several submissions; a line about one has words of its own.
STATUSES = {
    GRADED: N_("Graded"),
    NOTED: N_("Graded with a note"),
    STOPPED: N_("Stopped"),
    REFUSED: N_("Refused"),
    FAILED: N_("Not graded: the grader failed"),
}
SAID = {
    "title": N_("Grading report"),
    "unsafe": N_("Submissions graded without a sandbox (--unsafe-no-sandbox): {n}."),
    "total": N_("Submissions: {n}."),
    "marks": N_("Mean {mean} and median {median} of {points} points."),
    "waiting": N_("Texts that wait for a mark by hand: {n}."),
    "passed": N_("Checks passed"),
    "blank": N_("Not written: {names}."),
    "void": N_("Void, full points for everybody whose notebook could be read: {names}."),
    "frequent": N_("Most frequent mistakes"),
    "exercise": N_("exercise"),
    "mistake": N_("mistake"),
    "times": N_("times"),
    "examples": N_("for example"),
    "student": N_("student"),
    "lesson": N_("lesson"),
    "seen": N_("what was seen"),
    "more": N_("Further rows, in submissions.csv: {n}."),
    "failed": N_("Run the same command again. If they fail again, the reason says where to look."),
    "refused": N_(
        "Nothing of these was run. Each counts 0 until a good notebook is there; then run the same "
        "command again."
    ),
    "stopped": N_(
        "The notebook's process ended early or ran out of time. Checks before that count."
    ),
    "suspicious": N_("Suspicious"),
    "suspicion": N_(
        "Mentions of things that an exercise doesn't need, and oddities of the files. None of this "
        "costs points or proves anything; it is worth a look."
    ),
    "across": N_("Mistakes across lessons"),
    "across_words": N_(
        "A mistake is told by its name and a hint. Of those who were told it, some handed in "
        "again, and some of these passed. It doesn't say why: others may have helped, too."
    ),
    "made": N_("made now"),
    "told": N_("told to"),
    "again": N_("handed in again"),
    "then": N_("passed then"),
    "pairs": N_("Alike"),
    "pairs_words": N_(
        "Pairs of people who share rare wrong answers, or nearly the same code, names and "
        "comments apart; what the course's own answers have doesn't count. This doesn't prove that "
        "anybody copied: people who learn together, or ask the same book or program, write alike. "
        "Nor does it find everybody who did. It costs no points. Read both before you talk to "
        "anybody."
    ),
    "pair": N_("students"),
    "same_wrong": N_("the same rare wrong answer"),
    "same_code": N_("nearly the same code"),
    "changed": N_("Changed after it was marked by hand"),
    "changed_words": N_(
        "The text, or the check's own result, is another than the one that was marked. The mark "
        "counts as it was given until somebody looks again: at texts with python -m grader mark, "
        "at checks in the formgrader."
    ),
    "late": N_("Handed in late"),
    "late_words": N_("What was taken off stands in submissions.csv, beside the raw mark."),
    "noted": N_("These were graded in full. The note says what was mended."),
    "slowest": N_("Slowest"),
    "seconds": N_("seconds"),
    "peak": N_("peak MB"),
}


@functools.cache
def _template():
    made = environment(HERE, SAID)
    made.globals["status_word"] = lambda status: _(STATUSES[status])
    made.globals["status_words"] = status_words
    return made.get_template("class_page.html")


def status_words(status, count) -> str:
    """How many submissions have a status."""
    return _("{status}: {n}.").format(status=_(STATUSES[status]), n=count)


def page(ledger, known=None, changed=None) -> str:
    """The report on everything in the gradebook, as one HTML file without scripts, in the language
    in use. known: exercise -> prints of the course's own answers; changed: (student, lesson) ->
    exercises that changed after they were marked by hand."""
    by_hand, alike, across = ledger.by_hand(), Pairs(known), Mistakes(told(ledger))
    lessons, seen = {}, _Seen(changed or {})
    for record in ledger.states():
        lesson = lessons.setdefault(record.lesson, _Lesson(record.lesson))
        lesson.add(record, tables.marks_of(record, by_hand))
        for one in (seen, alike, across):
            one.add(record)
    for lesson in lessons.values():
        lesson.draw()
    return _template().render(
        lessons=list(lessons.values()),
        seen=seen,
        pairs=alike.found(),
        across=across.found(),
        most_rows=MOST_ROWS,
        unsafe=seen.unsafe,
        language=language(),
    )


class _Lesson:
    """One lesson's numbers."""

    def __init__(self, name):
        self.name, self.points, self.scores = name, 0.0, []
        self.statuses, self.waiting = Counter(), 0
        self.passed, self.tried, self.blank = Counter(), {}, Counter()
        self.mistakes, self.examples, self.sentences = Counter(), defaultdict(list), {}
        self.histogram, self.rates, self.void = "", "", Counter()

    def add(self, record, rows):
        self.statuses[record.outcome.status] += 1
        if not rows:
            return
        self.points = sum(mark.max_score for mark, _score, _verdict in rows)
        self.scores.append(sum(score or 0.0 for _mark, score, _verdict in rows))
        for mark, score, verdict in rows:
            self.waiting += score is None
            self._count(record, mark, verdict)

    def _count(self, record, mark, verdict):
        if verdict == VOID:
            self.void[mark.exercise] += 1
        if verdict in (WAITING, MARKED, BLANK, VOID) or record.outcome.status == REFUSED:
            return
        self.tried[mark.exercise] = self.tried.get(mark.exercise, 0) + 1
        self.passed[mark.exercise] += verdict == PASSED
        if mark.mistake in NOT_TRIED:
            self.blank[mark.exercise] += 1
        elif verdict == WRONG:
            key = mark.exercise, mark.mistake
            self.mistakes[key] += 1
            self.sentences.setdefault(key, _sentence(mark))
            if len(self.examples[key]) < EXAMPLES:
                self.examples[key].append((record.student, _link(record), mark.got))

    def draw(self):
        """The two pictures, each with its words."""
        if self.scores:
            self.histogram = figures.histogram(self.scores, self.points)
            self.mean = sum(self.scores) / len(self.scores)
            self.median = statistics.median(self.scores)
        if self.tried:
            shares = {name: self.passed[name] / n for name, n in self.tried.items()}
            self.rates = figures.rates(shares)

    @property
    def unwritten(self):
        """Exercises that some left blank, and how many did."""
        return ", ".join(f"{name} {count}" for name, count in self.blank.items())

    @property
    def frequent(self):
        """(exercise, mistake, what a student was told, how often, examples), the most frequent
        first."""
        return [
            (*key, self.sentences[key], n, self.examples[key])
            for key, n in self.mistakes.most_common(20)
        ]


def _sentence(mark):
    """The hint that came with the mistake, in the language in which it was first told."""
    labels = set()
    for code in languages():
        with speaking(code):
            labels.add(_("hint"))
    return next((text for label, text in mark.lines if label in labels), "")


class _Seen:
    """Submissions that an instructor should look at."""

    def __init__(self, changed):
        self.changed_marks, self.changed = changed, []
        self.statuses, self.refused, self.stopped = Counter(), [], []
        self.failed, self.noted, self.suspicious, self.times = [], [], [], []
        self.late = []
        self.total, self.unsafe = 0, 0

    def add(self, record):
        outcome = record.outcome
        self.total += 1
        self.unsafe += record.unsafe
        self.statuses[outcome.status] += 1
        row = (record.student, record.lesson, _link(record), list(map(str, outcome.reason)))
        lists = {
            REFUSED: self.refused,
            STOPPED: self.stopped,
            FAILED: self.failed,
            NOTED: self.noted,
        }
        if outcome.status in lists:
            lists[outcome.status].append(row)
        if outcome.suspicions:
            self.suspicious.append((*row[:3], list(map(str, outcome.suspicions))))
        if names := self.changed_marks.get((record.student, record.lesson)):
            self.changed.append((*row[:3], names))
        if record.late.late:
            share = f"{record.late.share:.0%}" if record.late.share else "0%"
            self.late.append((*row[:3], [f"{record.late.words()}, -{share}"]))
        self.times.append((outcome.seconds, outcome.peak_mb, *row[:3]))

    @property
    def slowest(self):
        return sorted(self.times, reverse=True)[:SLOWEST]

    @property
    def counts(self):
        """(status, how many), in the order good to bad."""
        order = (GRADED, NOTED, STOPPED, REFUSED, FAILED)
        return [(status, self.statuses[status]) for status in order if self.statuses[status]]


def _link(record):
    """The feedback page, from the folder where the report lies; "" where there is none."""
    if not record.outcome.marks:
        return ""
    return "/".join(
        map(quote, ("feedback", record.student, record.lesson, f"{record.lesson}.html"))
    )
