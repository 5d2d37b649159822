"""Exercises with a choice that the syllabus leaves open."""

from dataclasses import dataclass, replace

from grader.checking import FunctionExercise


@dataclass(frozen=True)
class AnyTruth(FunctionExercise):
    """Where the syllabus leaves a choice open: right is who agrees with one truth throughout."""

    others: tuple = ()

    def problem(self, cases, seen):
        problems = []
        for truth in (self.truth, *self.others):
            problem = FunctionExercise.problem(replace(self, truth=truth), cases, seen)
            if problem is None:
                return None
            problems.append(problem)
        return next((p for p in problems if p.mistake), problems[0])
