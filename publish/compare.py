"""Compare built notebooks with those on disk, figures' pixels and trained numbers left out."""

import copy
import difflib

import nbformat

from publish.course import notebook_text

IMAGES = ("image/png", "image/jpeg", "image/svg+xml", "image/gif", "application/pdf")


def without_pixels(notebook):
    """A copy in which every picture's data is a fixed word; that there is one still counts."""
    copied = copy.deepcopy(notebook)
    for output in _outputs(copied.cells):
        for kind in IMAGES:
            if kind in output.get("data", {}):
                output.data[kind] = "pixels"
    return copied


def without_luck(notebook):
    """As `without_pixels`; of what comes out of training only kinds and count are left, too.

    Trained numbers differ from processor to processor, and the lesson's claims judge them.
    """
    copied = without_pixels(notebook)
    trained = [cell for cell in copied.cells if cell.metadata.policy_gradients.get("trained")]
    for output in _outputs(trained):
        if "text" in output:
            output.text = "trained"
        for kind in output.get("data", {}):
            output.data[kind] = "trained"
    return copied


def _outputs(cells):
    return [output for cell in cells for output in cell.get("outputs", [])]


def without_outputs(notebook):
    """A copy as if it had never been executed."""
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copied


def difference(built, path, view=lambda notebook: notebook):
    """None where the file at `path` holds `built`, else a few lines that say what differs.

    `view` is applied to both sides: `without_pixels`, say.
    """
    try:
        text = path.read_text(encoding="utf-8")
        committed = nbformat.reads(text, as_version=4)
    except FileNotFoundError:
        return "the file is missing"
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        return f"the file cannot be read ({type(error).__name__})"
    if notebook_text(committed) != text:
        return "the file was not written by the build"
    old, new = notebook_text(view(committed)), notebook_text(view(built))
    if old == new:
        return None
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), "on disk", "built", lineterm="", n=1
    )
    return "\n".join([line[:160] for line in lines][:24])
