"""The questions' letters: whoever follows a rule of thumb, and reads nothing, guesses."""

import re

import pytest

from grader.checking import Choice
from grader.checks.registry import registry
from publish.__main__ import HERE
from publish.course import Course
from publish.translate import translate_lesson

LUCK = 0.08  # above chance: one or two questions of twenty-two
QUESTIONS = [one for one in registry().values() if isinstance(one, Choice)]
CHOICE = re.compile(r'^- (?:\*\*|`")([a-e])(?:\*\*|"`) (.*(?:\n  .*)*)', re.MULTILINE)


def letters(question):
    return sorted([question.right, *question.hints])


CHANCE = sum(1 / len(letters(one)) for one in QUESTIONS) / len(QUESTIONS)
RULES = {
    **{f"always {letter}": lambda one, letter=letter: letter for letter in "abcde"},
    "the last": lambda one: letters(one)[-1],
    "the last but one": lambda one: letters(one)[-2],
}


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_of_thumb_scores(rule):
    right = sum(RULES[rule](one) == one.right for one in QUESTIONS) / len(QUESTIONS)
    assert right <= CHANCE + LUCK, f"{rule}: {right:.0%} of the questions"


def test_the_letter_before_says_nothing_of_the_next():
    right = [one.right for one in QUESTIONS]
    same = sum(one == other for one, other in zip(right, right[1:]))
    assert same / (len(right) - 1) <= CHANCE + LUCK, right


def lengths(language):
    """question -> {letter: how long its choice is}, as a student reads it."""
    course, found = Course(HERE), {}
    for lesson in course.read(course.lesson_names()):
        cells = translate_lesson(lesson, course, language).cells
        for before, cell in zip(cells, cells[1:]):
            if cell.kind == "question":
                choices = CHOICE.findall(before.source)
                found[cell.keys["question"]] = {k: len(" ".join(t.split())) for k, t in choices}
    return found


def longest_first(choices):
    return sorted(choices, key=lambda letter: (-choices[letter], letter))


@pytest.fixture(scope="module", params=["en", "es"])
def by_length(request):
    found = lengths(request.param)
    assert {name: sorted(choices) for name, choices in found.items()} == {
        one.name: letters(one) for one in QUESTIONS
    }
    return {name: longest_first(choices) for name, choices in found.items()}


@pytest.mark.parametrize("place", [0, 1, 2, -1], ids=["longest", "second", "third", "shortest"])
def test_the_length_of_a_choice_says_nothing(by_length, place):
    right = sum(by_length[one.name][place] == one.right for one in QUESTIONS) / len(QUESTIONS)
    assert right <= CHANCE + LUCK, f"{right:.0%} of the questions"
