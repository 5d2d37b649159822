"""What lateness costs where nbgrader's own commands grade: its late penalty plugin."""

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Unicode

from grader.intake.deadlines import read_deadlines


class CourseLatePenalty(LateSubmissionPlugin):
    """The rule in the first line of deadlines.csv. The deadlines themselves are in the gradebook,
    where ``python -m grader autograde`` writes them."""

    deadlines = Unicode("deadlines.csv", help="The file that holds the rule.").tag(config=True)

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        """The points that are taken off, None where none are."""
        share = read_deadlines(self.deadlines).rule.cost(total_seconds_late)
        return round(score * share, 2) or None
