"""How far right answers of the training exercises lie from forged ones: for docs/grading.md.

    python -m bank.margins [SECRETS [FORGED_SECRETS [EXERCISE ...]]]

Each right style runs over so many secrets (20), each forgery over so many (3). A row gives the
least mean cosine of right answers' steps with the right gradients, the largest of a forgery that
got as far as that comparison, and how often a right answer failed or a forged one passed.
"""

import contextlib
import sys
from unittest import mock

from bank import forged, styles
from grader.checks.judge import run_check
from grader.checks.lesson_05 import led
from grader.checks.registry import get
from grader.checks.shared import actor_critic, sentences_led, tabular
from grader.probes import runtime

MEASURES = (
    (tabular, "first_led"),
    (actor_critic, "best_led"),
    (led, "best_way"),
    (sentences_led, "best_way"),
)
HEAD = "| exercise | network | right, least | forged, largest | right failed | forged passed |"


@contextlib.contextmanager
def noted():
    """The mean cosines that a verdict compares with its floors, in their order."""
    found = []
    with contextlib.ExitStack() as stack:
        for module, name in MEASURES:
            stack.enter_context(mock.patch.object(module, name, _noting(module, name, found)))
        yield found


def _noting(module, name, found):
    measure = getattr(module, name)

    def note(*given):
        found.append(measure(*given))
        return found[-1]

    return note


def judged(exercise, answer, secret):
    """(verdict, mean cosines: the policy's and, where it has one, the critic's)."""
    names = {exercise: answer}
    with noted() as found:
        verdict = run_check(
            get(exercise), lambda q, ask: runtime.run(names, exercise, q, ask), secret
        )
    return verdict, found


def main(secrets=20, of_forged=3, *chosen):
    answers, told = styles.load(), forged.load()
    print(HEAD, "|---|---|---|---|---|---|", sep="\n", flush=True)
    for exercise in chosen or answers:
        right, wrong, failed, passed = [], [], [], []
        for secret in range(1, int(secrets) + 1):
            for answer in answers[exercise]:
                verdict, found = judged(exercise, answer, secret)
                right.append(found)
                if not verdict.passed:
                    failed.append((answer.__name__, secret, verdict.mistake))
        for secret in range(1, int(of_forged) + 1):
            for forgery in told:
                if forgery.exercise == exercise:
                    verdict, found = judged(exercise, forgery.answer, secret)
                    if found and "moved-without-steps" not in forgery.names:
                        wrong.append((found[0], forgery.label))
                    if verdict.passed:
                        passed.append((forgery.label, secret))
        _print(exercise, right, wrong, failed, passed)


def _print(exercise, right, wrong, failed, passed):
    least = [min(column) for column in zip(*filter(None, right), strict=False)]
    largest = "{:.3f} ({})".format(*max(wrong)) if wrong else ""
    for network, value in zip(("policy", "critic"), least, strict=False):
        cells = exercise, network, f"{value:.3f}", largest if network == "policy" else ""
        counts = f"{len(failed)} of {len(right)}", len(passed)
        print("|", " | ".join(map(str, (*cells, *counts))), "|", flush=True)
    for one in (*failed, *passed):
        print("    ", one, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
