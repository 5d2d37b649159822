"""nbgrader's configuration for an --out folder, so that its formgrader works there."""

from sqlalchemy import URL

from grader.course import HERE
from grader.intake.deadlines import FILE
from grader.records import address
from grader.records.gradebook import COURSE
from grader.records.secret import default_path

MARK = "# Written by python -m grader autograde. Delete this line to keep your own changes.\n"


def configuration(options, gradebook=None) -> str:
    """nbgrader_config.py for the folder of results: where submissions, lessons and the gradebook
    are, that its autograde button uses this grader, and its generate button the course's build."""
    deadlines = options.deadlines or options.submitted.resolve().parent / FILE
    secret = (options.secret_file or default_path()).resolve()
    return f"""{MARK}import sys

sys.path.insert(0, {str(HERE)!r})

from grader.nbgrader_plugin.converters import IntakeExporter, SandboxedExecute, name_notebook
from grader.nbgrader_plugin.late import CourseLatePenalty
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, SaveAutoGrades
from publish.release import PREPROCESSORS
from publish.release import configuration as release

c = get_config()
c.merge(release())
c.GenerateAssignment.preprocessors = PREPROCESSORS
c.CourseDirectory.course_id = {COURSE!r}
c.CourseDirectory.submitted_directory = {str(options.submitted.resolve())!r}
c.CourseDirectory.source_directory = {str(options.course.root / "solutions" / "en")!r}
c.CourseDirectory.release_directory = {str(options.course.root / "notebooks" / "en")!r}
c.Autograde.exporter_class = IntakeExporter
c.Autograde.pre_convert_hook = name_notebook
c.Autograde.autograde_preprocessors = [
    SandboxedExecute, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata,
]
c.AssignLatePenalties.plugin_class = CourseLatePenalty
c.CourseLatePenalty.deadlines = {str(deadlines.resolve())!r}
c.SandboxedExecute.secret_file = {str(secret)!r}
c.SandboxedExecute.course_root = {str(options.course.root)!r}
c.SandboxedExecute.unsafe_no_sandbox = {options.unsafe!r}
c.IntakeExporter.course_root = {str(options.course.root)!r}
""" + _database(gradebook)


def _database(gradebook):
    """nbgrader looks for a file beside its configuration; a server has to be named."""
    if not isinstance(gradebook, URL):
        return ""
    return f"c.CourseDirectory.db_url = {address.setting(gradebook)!r}\n"


def write(store, options, gradebook=None):
    """Writes it, unless the folder has a configuration of its own."""
    path = store.root / "nbgrader_config.py"
    if not path.exists() or path.read_text(encoding="utf-8").startswith(MARK):
        store.write(path, configuration(options, gradebook))
