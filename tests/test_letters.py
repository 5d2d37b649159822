"""The questions' letters: whoever follows a rule of thumb, and reads nothing, guesses."""

import pytest

from grader.checking import Choice
from grader.checks.registry import registry

LUCK = 0.08  # above chance: two questions of nineteen
QUESTIONS = [one for one in registry().values() if isinstance(one, Choice)]


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
