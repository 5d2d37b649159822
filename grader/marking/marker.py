"""Marks one submission: runs its cells in a session, and judges at each check cell."""

import contextlib
import hashlib
import json
import time
from dataclasses import asdict, replace

from grader.checking.verdict import Problem, Verdict
from grader.checks import judge as checking
from grader.checks.registry import get
from grader.course import ANSWERS
from grader.course.notes import Refused, Words, clean, note
from grader.i18n import N_, _
from grader.intake.assemble import assemble, blank
from grader.intake.document import read_document
from grader.intake.matching import spoken_in
from grader.marking import notebook as marked
from grader.marking.below import below_their_check
from grader.marking.hidden import for_the_student
from grader.marking.packages import lacking
from grader.marking.prints import prints_of
from grader.marking.resource_guard import resource_guard
from grader.marking.suspicions import suspicions_in
from grader.probes.runtime import TooSlow, time_limit
from grader.records.outcome import (
    BLANK,
    GRADED,
    NOT_RUN,
    NOTED,
    PASSED,
    REFUSED,
    STOPPED,
    VOID,
    WAITING,
    WRONG,
    Mark,
    Outcome,
    Task,
)
from grader.sandbox.errors import BadReply, Died, SandboxError, TimedOut
from policy_gradients.i18n import set_language

ANSWER_SECONDS = 2.0
ALL_ANSWERS_SECONDS = 20.0
# Processor time for judging one check, and all checks of a submission.
JUDGING_SECONDS, ALL_JUDGING_SECONDS = 60.0, 90.0
JUDGING_MB, ANSWER_MB = 1024, 512
MARGIN_SECONDS = 5.0
MOST_TEXT = 2_000


class MachineFault(Exception):
    """Something that is not the submission's doing went wrong; trying again may help."""


def mark(task: Task, zygotes) -> Outcome:
    """The outcome of one task; one of the zygotes makes the session. Raises MachineFault."""
    started = time.monotonic()
    try:
        outcome = _mark(task, zygotes)
    finally:
        set_language(None)
    outcome.seconds = time.monotonic() - started
    return outcome


def _mark(task, zygotes):
    if task.refused is not None:
        return refusal(task, task.refused)
    try:
        document = read_document(task.data)
    except Refused as why:
        return refusal(task, why.note)
    lesson, language = _language(task, document)
    set_language(language)
    run, usage = _run(task, lesson, document, zygotes, language)
    if run.lost_further:
        # What tells why an answer is wrong must not cost the exercises after it.
        run, usage = _run(task, lesson, document, zygotes, language, further=False)
    return run.outcome(usage, language)


def _run(task, lesson, document, zygotes, language, further=True):
    """(the run, what it used) in a session of its own."""
    plan = assemble(lesson, document)
    plan.notes[:0] = [*task.notes, *document.notes]
    plan.notes += lacking(plan)
    plan.suspicions = [*task.suspicions, *plan.suspicions, *suspicions_in(plan)]
    run = _Run(task, lesson, plan, further)
    zygote = zygotes.of("\n".join(cell.text for cell in plan.cells if cell.run))
    with zygote.session(allowed_files=task.files, language=language, lesson=lesson.name) as session:
        run.cells(session)
        return run, session.close()


def _language(task, document):
    """The lesson in the submission's language, and the language of its messages."""
    spoken = document.language or spoken_in(document, task.translations)
    language = task.language or spoken or task.lesson.language
    return task.translations.get(spoken or language, task.lesson), language


def refusal(task: Task, why) -> Outcome:
    """The outcome of a submission that is not run: every check 0, with the reason."""
    set_language(task.language or task.lesson.language)
    plan = blank(task.lesson)
    run = _Run(task, task.lesson, plan)
    run.stopped = str(why)
    for number, cell in enumerate(plan.cells):
        run.judge(number, cell, None)
    outcome = run.outcome(None, task.language or task.lesson.language, heading=str(why))
    outcome.status, outcome.reason = REFUSED, [why]
    outcome.suspicions = list(task.suspicions)
    return outcome


class _Run:
    """One pass over a plan's cells. further: whether a wrong answer is called again to tell why;
    lost_further: whether the session ended in such a call."""

    def __init__(self, task, lesson, plan, further=True):
        self.task, self.lesson, self.plan = task, lesson, plan
        self.further, self.lost_further = further, False
        self.outputs, self.marks, self.failed = {}, [], set()
        self.stopped = ""
        self.students_code_ran = self.checked = False
        self.asked_seconds = self.judging_seconds = 0.0

    def cells(self, session):
        for number, cell in enumerate(self.plan.cells):
            if cell.run and not self.stopped:
                self._execute(number, cell, session)
            self.judge(number, cell, session)

    def _execute(self, number, cell, session):
        result = session.run_cell(cell.text)
        self.outputs[number] = marked.student_outputs(result.outputs)
        if self.checked:
            self.outputs[number] = marked.withheld(self.outputs[number])
        mine = cell.written or cell.kind in ANSWERS
        if result.status != "ok" and not mine and not self.students_code_ran:
            raise MachineFault(
                f"the course's own {cell.kind} cell ended with {result.status}: "
                f"{result.reason or self.outputs[number]}"
            )
        self.students_code_ran |= mine
        if result.status == "timeout":
            message = N_("A cell was stopped when its time was over.")
            self.plan.notes.append(note(message))
        if result.flooded:
            message = N_("A cell was stopped after it had printed {mb:g} MB.")
            mb = session.limits.printed_kb / 1024
            self.plan.notes.append(note(message, mb=round(mb, 2)))
        if session.ended:
            self.stopped = session.ended

    def judge(self, number, cell, session):
        """Judges a check cell or looks whether a free text was written."""
        if cell.kind == "free":
            self.marks.append(self._free(cell))
        elif cell.kind == "check" and cell.source.void and session is not None:
            self._pass_over(number, cell.source)
        elif cell.kind == "check":
            verdict = self._verdict(cell.source.grade_id, session)
            if not verdict.passed:
                self.failed.add(verdict.exercise)
            told = self._told(verdict)
            made = _mark_of(verdict, told, cell.source.points)
            self.marks.append(made)
            face = _tidy(told)
            self.outputs[number] = marked.check_outputs(made, face.html(), face.text())

    def _pass_over(self, number, source):
        """A void check isn't asked: everybody gets its points, and later exercises may build on
        right values in the place of this one."""
        name, points = source.grade_id, source.points
        headline = _("{name}: void, full points for everybody").format(name=name)
        made = Mark(name, points, points, VOID, headline=headline)
        self.failed.add(name)
        self.marks.append(made)
        self.outputs[number] = marked.check_outputs(made, headline, headline)

    def _free(self, cell):
        if not cell.written:
            headline = _("{name}: no answer").format(name=cell.source.grade_id)
            return Mark(cell.source.grade_id, 0.0, cell.source.points, BLANK, headline=headline)
        headline = _("{name}: waits for a mark by hand").format(name=cell.source.grade_id)
        written = cell.text + (json.dumps(cell.pictures, sort_keys=True) if cell.pictures else "")
        digest = hashlib.sha256(written.encode()).hexdigest()[:16]
        return Mark(
            cell.source.grade_id,
            None,
            cell.source.points,
            WAITING,
            headline=headline,
            answer=digest,
        )

    def _verdict(self, name, session) -> Verdict:
        if self.stopped:
            problem = Problem(step=NOT_RUN, hint=_("Not run: {why}").format(why=self.stopped))
            return Verdict(name, False, 0, problem)
        exercise = get(name)
        # From here on the student's code has seen cases that only the grading draws.
        self.checked = True

        def probe(request, ask):
            allowed = set(request.get("replace", ())) & self.failed
            limit = exercise.by_the_clock + MARGIN_SECONDS
            try:
                return session.probe(
                    name, request, limit, self._answer_only(allowed) if ask else None
                )
            finally:
                self.lost_further |= bool(request.get("further") and session.ended)

        seed, failed = self.task.seeds[name], frozenset(self.failed)
        try:
            return checking.run_check(exercise, probe, seed, failed, self._guarded, self.further)
        except TooSlow:
            message = N_("Judging the check {name} took longer than allowed; it was given up.")
            self.plan.suspicions.append(note(message, name=name))
            return _unreadable(name)
        except (SandboxError, BadReply) as error:
            return self._lost(name, error, session)

    def _told(self, verdict):
        """What the student reads; what failed before any case was run stays as it is."""
        if verdict.exercise not in self.task.seeds:
            return verdict
        return for_the_student(verdict, get(verdict.exercise), self.task.seeds[verdict.exercise])

    def _lost(self, name, error, session):
        """The verdict where no observation came back."""
        if session.ended:
            self.stopped = session.ended
        if isinstance(error, TimedOut):
            problem = Problem(
                step="runs",
                got=_("no answer within the time limit"),
                hint=session.ended,
                mistake="too-slow",
            )
        elif isinstance(error, Died):
            got = _("the notebook's process ended: {why}").format(why=session.ended)
            problem = Problem(step="runs", got=got, mistake="died")
        else:
            self.plan.suspicions.append(
                note(
                    N_("The check {name} got a reply that is not plain data: {why}"),
                    name=name,
                    why=Words(error),
                )
            )
            return _unreadable(name)
        return Verdict(name, False, 0, problem)

    @contextlib.contextmanager
    def _guarded(self):
        """What reading a reply may cost: it comes from the student's process."""
        started = time.process_time()
        left = ALL_JUDGING_SECONDS - self.judging_seconds
        try:
            with resource_guard(min(JUDGING_SECONDS, left), JUDGING_MB):
                yield
        finally:
            self.judging_seconds += time.process_time() - started

    def _answer_only(self, allowed):
        """Answers for exercises that are decided already, and within bounds of time: what is asked
        comes from the student's process."""

        def ask(question):
            started = time.monotonic()
            try:
                if question.get("name") not in allowed or self.asked_seconds > ALL_ANSWERS_SECONDS:
                    return {}
                with resource_guard(ANSWER_SECONDS, ANSWER_MB), time_limit(ANSWER_SECONDS):
                    return checking.answer(question)
            except (Exception, TooSlow):
                return {}
            finally:
                self.asked_seconds += time.monotonic() - started

        return ask

    def outcome(self, usage, language, heading=""):
        wrong = {mark.exercise for mark in self.marks if mark.verdict == WRONG}
        notes = list(dict.fromkeys([*self.plan.notes, *below_their_check(self.plan, wrong)]))
        metadata = {**self.lesson.metadata}
        status = STOPPED if self.stopped else NOTED if notes else GRADED
        reason = [self.stopped] if self.stopped else list(notes)
        return Outcome(
            status,
            reason,
            self.marks,
            peak_mb=usage.peak_mb if usage else 0.0,
            notes=notes,
            suspicions=list(dict.fromkeys(self.plan.suspicions)),
            language=language,
            notebook=marked.build(self.plan, self.outputs, metadata, heading),
            prints=prints_of(self.plan),
        )


def _unreadable(name):
    hint = _("The result could not be read.")
    return Verdict(name, False, 0, Problem(step="reply", hint=hint, mistake="bad-reply"))


def _tidy(verdict: Verdict) -> Verdict:
    """The same verdict with texts that a student may have filled cut to size and cleaned."""
    if verdict.problem is None:
        return verdict
    texts = {key: clean(str(text))[:MOST_TEXT] for key, text in asdict(verdict.problem).items()}
    return replace(verdict, problem=Problem(**texts))


def _mark_of(verdict, told, points) -> Mark:
    """told: the verdict as the student reads it; what came back is for the instructor's report."""
    verdict, told = _tidy(verdict), _tidy(told)
    if verdict.passed:
        return Mark(verdict.exercise, points, points, PASSED, "", verdict.headline())
    word = NOT_RUN if verdict.step == NOT_RUN else WRONG
    mistake = "" if word == NOT_RUN else verdict.mistake or f"step:{verdict.step}"
    got = verdict.problem.got or verdict.problem.hint
    return Mark(
        verdict.exercise,
        0.0,
        points,
        word,
        mistake,
        verdict.headline(),
        tuple(told.lines()),
        got[:200],
    )
