"""What the class teaches the course: mistakes across lessons, and pairs that share what is rare."""

import re

import pytest

from grader.course import HERE, Course
from grader.grading.model_answers import known_prints
from grader.marking.prints import all_prints, sample
from grader.records.gradebook import Record
from grader.records.history import told
from grader.records.outcome import GRADED, PASSED, WRONG, Mark, Outcome
from grader.reports.mistakes import Mistakes
from grader.reports.pairs import Pairs
from tests import classroom
from tests.classroom import submit
from tests.test_autograde import (  # noqa: F401
    alembic_on_path,
    copied,
    grade,
    graded,
    needs_walls,
    scores,
    warm,
)

AXIS = "def softmax(x):\n    w = np.exp(x - x.max(0))\n    return w / w.sum(0)\n"
LONG = """
def train(env, policy, rate):
    history = []
    for step in range(100):
        obs, _ = env.reset(seed=step)
        total, done = 0.0, False
        while not done:
            action = int(policy.sample(obs[0] * 0.37 + step % 7))
            obs, rew, term, trunc, _ = env.step(action)
            total = total * 0.91 + rew - 0.013 * step
            done = term or trunc or total < -17.5
        history.append((step, max(total, -3.25), sum(history[-3:], start=0)))
    return history[::2]
"""
RENAMED = LONG.replace("history", "log").replace("total", "summe")
RENAMED = RENAMED.replace("    for step", "    # my own idea\n    for step")
RENAMED = re.sub(r"(?<!\.)\bstep\b", "i", RENAMED)
OTHER = """
def train(env, policy, rate):
    return [play(env, policy, seed) for seed in range(100)]


def play(env, policy, seed):
    obs = env.reset(seed=seed)[0]
    rewards, end = [], False
    while not end:
        obs, reward, *ends, _info = env.step(policy.act(obs))
        rewards.append(reward)
        end = any(ends)
    return discounted(rewards)
"""


def test_prints_see_neither_names_nor_comments():
    assert all_prints(LONG) == all_prints(RENAMED) != set()
    assert not all_prints(LONG) & all_prints(OTHER) or len(all_prints(LONG) & all_prints(OTHER)) < 5
    assert sample("def f(:") == [] and sample("") == []


def record(student, lesson="01_a", code=None, wrong=(), group="", **verdicts):
    """wrong: exercise -> what came."""
    marks = [Mark(name, 0.0, 1.0, WRONG, "odd", got=got) for name, got in dict(wrong).items()]
    marks += [Mark(name, 1.0, 1.0, verdict) for name, verdict in verdicts.items()]
    prints = {"train": sample(code)} if code else {}
    outcome = Outcome(GRADED, [], marks, prints=prints)
    return Record(student, lesson, "", outcome, group=group, lead="ada" if group else "")


def found(*records, known=None):
    pairs = Pairs(known)
    for one in records:
        pairs.add(one)
    return [(pair.one, pair.other, pair.wrong, pair.code) for pair in pairs.found()]


def class_of(count, **more):
    return [record(f"s{n:03}", code=OTHER, **more) for n in range(count)]


def test_nearly_the_same_code_is_a_pair_whatever_its_names():
    pair = [record("ada", code=LONG), record("ben", code=RENAMED)]
    assert found(*pair, *class_of(20)) == [("ada", "ben", [], ["train"])]
    assert found(*pair) == [("ada", "ben", [], ["train"])]


def test_what_many_write_or_the_course_itself_is_no_pair():
    assert found(*class_of(20)) == []
    pair = [record("ada", code=LONG), record("ben", code=RENAMED)]
    assert found(*pair, known={"train": all_prints(LONG)}) == []


def test_a_group_is_no_pair():
    pair = [record("ada", code=LONG, group="x"), record("ben", code=LONG, group="x")]
    assert found(*pair) == []


@pytest.mark.parametrize(("shared", "pairs"), [(1, []), (2, [("ada", "ben", ["e0", "e1"], [])])])
def test_two_rare_wrong_answers_are_a_pair(shared, pairs):
    wrong = {f"e{n}": f"array [{n}.25]" for n in range(shared)}
    usual = class_of(10, wrong={"e7": "array [1.0]", "e8": "0.5"})
    assert found(record("ada", wrong=wrong), record("ben", wrong=wrong), *usual) == pairs


def test_those_who_were_told_are_followed_through_resubmissions():
    class Row:
        def __init__(self, student, source):
            self.student, self.lesson, self.source = student, "01_a", source
            self.exercise, self.mistake = "softmax", "softmax-axis"

    mistakes = Mistakes([Row("ada", "1"), Row("ben", "1"), Row("cem", "1"), Row("dot", "1")])
    for student, source, verdict in (("ada", "2", PASSED), ("ben", "1", PASSED),
                                     ("cem", "2", WRONG), ("dot", "1", WRONG)):  # fmt: skip
        mark = Mark("softmax", 0.0, 1.0, verdict, "softmax-axis" if verdict == WRONG else "")
        mistakes.add(Record(student, "01_a", "", Outcome(GRADED, [], [mark]), source=source))
    (one,) = mistakes.found()
    assert (one.mistake, one.exercises, one.times) == ("softmax-axis", ["softmax"], 2)
    assert (one.told, one.again, one.passed) == (4, 2, 1)  # ben's mark changed, not his notebook


@needs_walls
def test_the_report_follows_a_mistake_and_costs_nobody_points(copied, warm):  # noqa: F811
    course = classroom.Course(copied / "course")
    for student in ("pat", "quin"):
        submit(copied / "in", student, classroom.solved(course, softmax=AXIS))
    grade(copied)
    before = scores(copied)
    submit(copied / "in", "=cora", classroom.solved(course))
    grade(copied)
    report = (copied / "out" / "report.html").read_text()
    assert "Mistakes across lessons" in report
    row = report[report.index("<td>softmax-axis</td><td>softmax</td>") :].split("</tr>")[0]
    assert [cell.split("<")[0] for cell in row.split('class="number">')[1:]] == ["2", "3", "1", "1"]
    after = scores(copied)
    assert {k: v for k, v in after.items() if k != "'=cora"} == {
        k: v for k, v in before.items() if k != "'=cora"}  # fmt: skip
    from grader.records.gradebook import Ledger

    with Ledger(copied / "out" / "gradebook.db") as ledger:
        assert {row.student for row in told(ledger)} == {"=cora", "pat", "quin"}


def test_the_courses_own_answers_are_known():
    known = known_prints(Course(HERE))
    assert known["softmax"] and known["train_reinforce"]
