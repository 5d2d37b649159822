"""Exercises with a choice that the syllabus leaves open."""

from dataclasses import dataclass, replace

from grader.checking import FunctionExercise
from grader.checking.remembering import remembered


@dataclass(frozen=True)
class AnyTruth(FunctionExercise):
    """Where the syllabus leaves a choice open: right is who agrees with one truth throughout."""

    others: tuple = ()

    def problem(self, cases, seen):
        return self._nearest(cases, seen)[0]

    def questions(self, cases, seen, verdict):
        if len(seen) < len(cases):  # cut off by the clock: nothing was compared
            return []
        return FunctionExercise.questions(self._nearest(cases, seen)[2], cases, seen, verdict)

    @remembered
    def _nearest(self, cases, seen):
        """(problem, right cases, the exercise with the one truth that explains the answer best)."""
        tried = []
        for truth in (self.truth, *self.others):
            one = replace(self, truth=truth)
            problem = FunctionExercise.problem(one, cases, seen)
            tried.append((problem, _right(one, cases, seen), one))
            if problem is None:
                return tried[-1]
        return max(tried, key=self._says)

    def _says(self, tried):
        """How well a problem explains the answer: by a listed mistake, by the choice that is right
        most often, by a relation."""
        problem, right, _one = tried
        listed = problem.mistake in {mistake.name for mistake in self.mistakes}
        return listed or problem.step == "inputs", right, bool(problem.mistake)


def _right(exercise, cases, seen):
    """In how many cases nothing is wrong."""
    expected = map(exercise.expected, cases)
    return sum(exercise.ladder(*row) is None for row in zip(cases, seen, expected))
