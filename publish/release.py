"""The student's version of a notebook, made by nbgrader's own preprocessors."""

import copy
import logging

from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    SaveCells,
)
from nbgrader.preprocessors.base import NbGraderPreprocessor
from traitlets.config import Config

from policy_gradients.handout import STUB, TEXT_STUB, exercise_of, text_mark
from publish.catalogue import text_in
from publish.rules import has_blank


class ClearAnswers(ClearSolutions):
    """nbgrader's ClearSolutions, which puts no stub where the cell has a blank to fill in.

    A question's `q_name = None` and an exercise's table of None are stubs already; a `raise`
    below them would have to be deleted by the student. A free text's stub is in the notebook's
    language.
    """

    def preprocess(self, nb, resources):
        self.text_stub = text_in(nb.metadata["policy_gradients"]["language"], TEXT_STUB)
        return super().preprocess(nb, resources)

    def _replace_solution_region(self, cell, language):
        name = exercise_of(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if cell.cell_type != "code" or not has_blank(cell.source, name):
            return super()._replace_solution_region(cell, language)
        stubs, self.code_stub = self.code_stub, {language: ""}
        try:
            replaced = super()._replace_solution_region(cell, language)
        finally:
            self.code_stub = stubs
        cell.source = cell.source.rstrip()
        return replaced


class MarkTexts(NbGraderPreprocessor):
    """Writes beside prose and demonstrations, which nbgrader gives no checksum, what they are when
    they are handed out: after an edit of the lesson nobody takes the old text for the student's."""

    def preprocess_cell(self, cell, resources, index):
        ours = cell.metadata.get("policy_gradients", {})
        if ours.get("kind") in MARKED:
            ours["text"] = text_mark(cell.source)
        return cell, resources


MARKED = ("prose", "demo")
# The order is nbgrader's own; SaveCells writes to the gradebook, which only its command line has.
PREPROCESSORS = [
    LockCells,
    ClearAnswers,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    MarkTexts,
    CheckCellMetadata,
]


def configuration():
    """nbgrader's configuration of the stub, shared by the build and nbgrader_config.py."""
    config = Config()
    config.ClearSolutions.code_stub = {"python": STUB}
    return config


def release(notebook):
    """The student's version of `notebook`: no outputs, solutions, hidden tests or mark scheme.

    Raises nbgrader's ValidationError where its metadata schema is violated.
    """
    released, resources = copy.deepcopy(notebook), {}
    config = configuration()
    for preprocessor in PREPROCESSORS:
        if preprocessor is not SaveCells:
            step = preprocessor(config=config)
            step.log.setLevel(logging.CRITICAL)
            released, resources = step.preprocess(released, resources)
    return released
