"""nbgrader's configuration, read when its commands run from the repository's root.

COURSE_LANGUAGE picks the language of the notebooks that are released and graded (en).
"""

import os
import sys
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)

sys.path.insert(0, str(Path(__file__).resolve().parent))

from grader.nbgrader_plugin.converters import IntakeExporter, SandboxedExecute, name_notebook
from grader.nbgrader_plugin.late import CourseLatePenalty
from publish.release import PREPROCESSORS, configuration

language = os.environ.get("COURSE_LANGUAGE") or "en"

c = get_config()  # noqa: F821  nbgrader defines it
c.merge(configuration())

c.CourseDirectory.course_id = "policy_gradients"
c.CourseDirectory.source_directory = f"solutions/{language}"
c.CourseDirectory.release_directory = f"notebooks/{language}"
# Files beside a submitted notebook would be copied next to it: a gymnasium.py would then be
# imported in place of the library.
c.CourseDirectory.ignore = [
    ".*",
    "__pycache__",
    "feedback",
    *("*.py", "*.pyc", "*.pyd", "*.so", "*.pth", "*.ipy", "*.zip"),
]

# The release is committed and the same each time; the gradebook of a fresh clone still has to
# hear of it.
c.GenerateAssignment.force = True
c.GenerateAssignment.preprocessors = PREPROCESSORS
# A deleted check cell scores 0, and does not wait for a mark by hand.
c.OverwriteCells.add_missing_cells = True

# The Validate button runs a whole lesson on the student's machine, which may be a slow one.
c.Execute.timeout = 120

# Submissions are read and run by the course's own grader, in its sandbox; nbgrader keeps the
# gradebook.
c.Autograde.exporter_class = IntakeExporter
c.Autograde.pre_convert_hook = name_notebook
c.Autograde.autograde_preprocessors = [
    SandboxedExecute,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
# What lateness costs stands in the first line of deadlines.csv, in this folder.
c.AssignLatePenalties.plugin_class = CourseLatePenalty
