"""A class made up from a lesson's solutions and the bank's mistakes, graded before your eyes."""

import csv
import json
import shutil
import sys
from pathlib import Path

from grader.course import HERE, Course, CourseError, no_lesson
from grader.course.reasons import reason
from grader.i18n import _
from grader.records.store import StoreError
from grader.reports.student_page import number
from policy_gradients.handout import (
    BEGIN_SCHEME,
    BEGIN_SOLUTION,
    END_SOLUTION,
    answer_id,
    solution_path,
)
from policy_gradients.i18n import language

BROKEN = "broken"
MISTAKES = 4
# What beginners do most, where the lesson has it.
TYPICAL = ("softmax-axis", "gamma-ignored", "minus-sign", "not-normalised")
NAMES = ("carla", "dmitri", "esi", "farid")


def main(out: Path, lesson: str | None = None, unsafe: bool = False, course=None) -> int:
    """Makes the class in out/submitted, grades it into out, prints the marks."""
    from grader.grading import autograde

    course = course or Course()
    name = lesson or course.names()[0]
    if name not in course.names():
        raise no_lesson([name], course.names())
    try:
        make_class(course, name, out / "submitted")
    except OSError as error:
        words = _("{folder}: {why}. Choose a folder that you may write.")
        raise StoreError(words.format(folder=out, why=reason(error))) from None
    asked = autograde.Options(out / "submitted", out, course, [name], unsafe=unsafe)
    autograde.autograde(asked, autograde.watch_lines())
    print()
    show(out, name)
    return 0


def make_class(course, name, folder) -> dict:
    """Writes a perfect submission, a blank one, four with one typical mistake each and a broken
    file; returns student -> (exercise, mistake)."""
    shutil.rmtree(folder, ignore_errors=True)
    spoken = _handed_out(course, name)
    blank = json.loads(course.path(name, spoken).read_text(encoding="utf-8"))
    answers = solved_answers(course, name, spoken)
    made = {"ada": answers, "ben": {}}
    mistakes = {}
    for student, (exercise, mistake, text) in zip(
        NAMES, typical_mistakes(course, name), strict=False
    ):
        made[student] = {**answers, answer_id(exercise): text}
        mistakes[student] = exercise, mistake
    for student, texts in made.items():
        cells = [
            {**cell, "source": texts.get(cell["id"], cell["source"])} for cell in blank["cells"]
        ]
        _write(
            folder / student / name / f"{name}.ipynb",
            json.dumps({**blank, "cells": cells}, indent=1),
        )
    _write(
        folder / BROKEN / name / f"{name}.ipynb",
        json.dumps(blank)[: 3 * len(json.dumps(blank)) // 4],
    )
    return mistakes


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _handed_out(course, name):
    """The language of the class: the one in use, where the lesson is built in it."""
    built = course.path(name, language()).is_file()
    return language() if built else "en"


def solved_answers(course, name, language="en") -> dict:
    """cell id -> the solution's text, from the instructor's notebook."""
    path = solution_path(course.root, language, name)
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        words = _("{path} can't be read. Remedy: make notebooks")
        raise CourseError(words.format(path=path)) from None
    kinds = {cell["id"]: cell["metadata"]["policy_gradients"]["kind"] for cell in cells}
    return {
        cell["id"]: _as_typed("".join(cell["source"]))
        for cell in cells
        if kinds[cell["id"]] in ("exercise", "question", "free")
    }


def _as_typed(text):
    """A solution as a student would hand it in: no markers, no mark scheme."""
    text = text.split(BEGIN_SCHEME)[0].rstrip()
    marks = BEGIN_SOLUTION, END_SOLUTION
    return "\n".join(line for line in text.split("\n") if line.strip() not in marks)


def typical_mistakes(course, name) -> list:
    """(exercise, mistake, cell's text): wrong answers of the bank for different exercises."""
    sys.path.insert(0, str(HERE))
    try:
        from bank import load
        from bank.cells import cell_of
    except ImportError:
        words = _(
            "The demo takes its mistakes from the folder bank. Remedy: run it in a clone of "
            "the repository."
        )
        raise CourseError(words) from None
    exercises = [c.exercise for c in course.lesson(name).cells if c.kind == "exercise"]
    wrong = [
        e
        for e in load()
        if e.exercise in exercises
        and e.mistake
        and "step:" not in e.mistake
        and not e.exercise.startswith("train_")
    ]
    wrong.sort(key=lambda e: TYPICAL.index(e.mistake) if e.mistake in TYPICAL else len(TYPICAL))
    chosen = {}
    for entry in wrong:
        text = cell_of(entry)
        new = entry.exercise not in chosen and entry.mistake not in {
            m for _e, m, _t in chosen.values()
        }
        if text and new and len(chosen) < MISTAKES:
            chosen[entry.exercise] = entry.exercise, entry.mistake, text
    return sorted(chosen.values(), key=lambda one: exercises.index(one[0]))


def show(out, name):
    """Prints who has which marks, what was lost where, and where to read on."""
    with open(out / "submissions.csv", encoding="utf-8", newline="") as file:
        status = {row["student"]: row for row in csv.DictReader(file) if row["lesson"] == name}
    with open(out / "grades.csv", encoding="utf-8", newline="") as file:
        marks = [row for row in csv.DictReader(file) if row["lesson"] == name]
    heads = _("student"), _("status"), _("score"), _("lost")
    print("{:10} {:20} {:>8}  {}".format(*heads))
    for student in sorted(status):
        mine = [row for row in marks if row["student"] == student]
        score = sum(float(row["score"] or 0) for row in mine)
        most = sum(float(row["max_score"]) for row in mine)
        lost = [
            row for row in mine if row["score"] and float(row["score"]) < float(row["max_score"])
        ]
        words = _lost(lost, status[student]["reason"])
        points = sum(float(row["max_score"]) for row in mine if not row["score"])
        waits = _("{n} wait for a mark by hand").format(n=number(points)) if points else ""
        print(
            f"{student:10} {_(status[student]['status']):20} {number(score):>3} / {number(most):<3}"
            "  " + "; ".join(filter(None, [words, waits]))
        )
    student = _("STUDENT")
    feedback = f"{out}/feedback/{student}/{name}/{name}.html"
    print("\n" + _("Feedback: {path}").format(path=feedback))
    print(_("Report: {report}").format(report=f"{out}/report.html"))
    print(_("Marks: {path}").format(path=f"{out}/grades.csv, {out}/gradebook.db"))


def _lost(lost, reason):
    if reason:
        return reason.split(". ")[0]
    written = [row for row in lost if row["verdict"] != "blank"]
    if len(written) > 2:
        return _("exercises: {n}, {mistake}").format(n=len(written), mistake=_named(written[0]))
    return ", ".join(
        f"{row['exercise']} -{number(row['max_score'])}: {_named(row)}" for row in written
    )


def _named(row):
    return _("not written yet") if row["mistake"] == "not-written" else row["mistake"]
