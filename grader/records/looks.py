"""Marks that people gave by hand and that somebody should look at again."""

from grader.records.nbgrader_tables import (
    ASSIGNMENT,
    BASE_CELL,
    GRADE,
    SUBMITTED_ASSIGNMENT,
    graded_cells,
)


def changed_since(ledger) -> dict:
    """(student, lesson) -> exercises whose mark was given by hand before the text, or the check's
    own result, changed. It counts as it was given until a person looks again."""
    query = graded_cells(
        GRADE,
        SUBMITTED_ASSIGNMENT.c.student_id,
        ASSIGNMENT.c.name.label("lesson"),
        BASE_CELL.c.name.label("exercise"),
    ).where(GRADE.c.needs_manual_grade, GRADE.c.manual_score.is_not(None))
    found = {}
    with ledger.explained(), ledger.engine.connect() as connection:
        for row in connection.execute(query):
            found.setdefault((row.student_id, row.lesson), []).append(row.exercise)
    return {who: sorted(names) for who, names in found.items()}
