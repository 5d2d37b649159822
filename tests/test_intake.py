"""Intake: what is refused, what is mended, and where a student's cells end up."""

import html
import json
import os
import re
import socket
from dataclasses import replace

import pytest

from grader.checks.registry import need_checks
from grader.course import Course, CourseError, Lesson, SourceCell
from grader.course.notes import Refused, clean, note, shown
from grader.intake import classroom as classrooms
from grader.intake import document as reading
from grader.intake import folder, matching
from grader.intake.assemble import assemble, blank
from grader.intake.document import read_document
from grader.intake.folder import collect
from grader.marking.below import below_their_check
from grader.marking.notebook import tame
from grader.marking.packages import lacking
from grader.reports import tables
from tests import classroom
from tests.classroom import NAME, code, find, insert_after, submit


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return classroom.build_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def lesson(course):
    return course.lesson(NAME)


def read(notebook):
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return read_document(data)


def plan_of(lesson, notebook):
    return assemble(lesson, read(notebook))


# The folder


def test_notebook_is_read_with_its_timestamp(tmp_path):
    path = submit(tmp_path, "anna", "{}")
    (path.parent / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC\n")
    found = collect(path.parent, NAME)
    assert (found.data, found.timestamp) == (b"{}", "2026-01-02 03:04:05 UTC")
    assert not found.notes and not found.suspicions


def test_single_notebook_under_another_name_is_taken_with_a_note(tmp_path):
    path = submit(tmp_path, "anna", "{}", file="homework (1).ipynb")
    found = collect(path.parent, NAME)
    assert found.data == b"{}"
    assert "homework (1).ipynb" in str(found.notes[0])


def test_several_notebooks_are_refused_unless_one_has_the_name(tmp_path):
    path = submit(tmp_path, "anna", "1", file="a.ipynb")
    submit(tmp_path, "anna", "2", file="b.ipynb")
    with pytest.raises(Refused, match=r"a\.ipynb, b\.ipynb"):
        collect(path.parent, NAME)
    submit(tmp_path, "anna", "3")
    assert collect(path.parent, NAME).data == b"3"


def test_empty_folder_is_refused_with_the_name_to_use(tmp_path):
    with pytest.raises(Refused, match=f"{NAME}.ipynb"):
        collect(tmp_path, NAME)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([f"{NAME}.zip", "a.txt"], f"but {NAME}.zip. If it is in there, take it out"),
        ([f"{NAME}/{NAME}.ipynb", "a.txt"], f"but {NAME}. If it is in there, take it out"),
        ([f"{NAME}.html"], f"only {NAME}.html. Ask for {NAME}.ipynb"),
        (["timestamp.txt"], f"It should be called {NAME}.ipynb"),
    ],
)
def test_what_lies_in_the_notebooks_place_is_named(tmp_path, files, told):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with pytest.raises(Refused, match=re.escape(told)):
        collect(tmp_path, NAME)


def test_work_that_lies_elsewhere_is_seen(tmp_path):
    """A folder too few or too many, an archive, a misspelt lesson."""
    places = {
        "ada/01_a/01_a.ipynb": False,
        "ada/00_start/x.ipynb": False,
        "ada/notes.txt": False,
        "collected.json": False,
        "__MACOSX/ada/._01_a.ipynb": False,
        "ada/.ipynb_checkpoints/01_a.ipynb": False,
        "ben/01_a.ipynb": True,
        "cem/01_a.ZIP": True,
        "dot.ipynb": True,
        "all.zip": True,
        "eve/01_A": True,
    }
    for name in places:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if path.suffix else path.mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "ben")
    found = classrooms.astray(tmp_path, {"01_a", "00_start"})
    assert found == sorted(name for name, away in places.items() if away)


def test_link_in_the_notebooks_place_is_refused_and_not_read(tmp_path):
    target = tmp_path / "secret.txt"
    target.write_text('{"cells": []}')
    place = tmp_path / "anna" / NAME
    place.mkdir(parents=True)
    (place / f"{NAME}.ipynb").symlink_to(target)
    with pytest.raises(Refused, match="symbolic link"):
        collect(place, NAME)


def test_linked_folder_is_refused(tmp_path):
    path = submit(tmp_path, "anna", "{}")
    (tmp_path / "link").symlink_to(path.parent)
    with pytest.raises(Refused, match="symbolic link"):
        collect(tmp_path / "link", NAME)


@pytest.mark.parametrize("make", ["pipe", "socket", "folder"])
def test_what_is_no_file_is_refused_without_waiting(tmp_path, make):
    place = tmp_path / NAME
    place.mkdir()
    name = place / f"{NAME}.ipynb"
    if make == "pipe":
        os.mkfifo(name)
    elif make == "socket":
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(str(name))
    else:
        name.mkdir()
    with pytest.raises(Refused):
        collect(place, NAME)


def test_pipe_called_timestamp_does_not_wait(tmp_path):
    path = submit(tmp_path, "anna", "{}")
    os.mkfifo(path.parent / "timestamp.txt")
    found = collect(path.parent, NAME)
    assert found.timestamp == "" and "named pipe" in str(found.suspicions[0])


def test_swapped_between_listing_and_opening(tmp_path):
    """Only a regular file is read, whatever the listing said."""
    os.mkfifo(tmp_path / "x.ipynb")
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(Refused, match="not a regular file"):
            folder.read_regular(handle, "x.ipynb", 10)
    finally:
        os.close(handle)


def test_large_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MAX_BYTES", 1 << 20)
    path = submit(tmp_path, "anna", b" " * ((1 << 20) + 1))
    with pytest.raises(Refused, match="larger than 1 MB"):
        collect(path.parent, NAME)


def test_other_files_are_ignored_and_a_library_is_a_sign(tmp_path):
    path = submit(tmp_path, "anna", "{}")
    (path.parent / "gymnasium.py").write_text("evil = True")
    (path.parent / "notes.txt").write_text("x")
    (path.parent / "data.csv").write_text("1")
    found = collect(path.parent, NAME, allowed=("data.csv",))
    assert found.files == {"data.csv": b"1"}
    assert "gymnasium.py, notes.txt" in str(found.notes[0]) and "data.csv" not in str(
        found.notes[0]
    )
    assert len(found.suspicions) == 1 and "gymnasium.py" in str(found.suspicions[0])


def test_crowded_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MAX_ENTRIES", 3)
    path = submit(tmp_path, "anna", "{}")
    for n in range(5):
        (path.parent / f"{n}.txt").touch()
    with pytest.raises(Refused, match="more than 3 files"):
        collect(path.parent, NAME)


# The document


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\0" * 100, "empty"),
        (b"not json", "not valid JSON"),
        (b'{"cells": [', "not valid JSON"),
        (b"[" * 50_000 + b"]" * 50_000, "too deep"),
        (b'{"cells":' + b'{"a":' * 200 + b"1" + b"}" * 201, "too deep"),
        (b"[]", "not a notebook"),
        (b'"text"', "not a notebook"),
        (b"{}", "not a notebook"),
        (b'{"nbformat": 4, "cells": {}}', "not a notebook"),
        (b'{"nbformat": 5, "cells": []}', "newer"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not text"),
        (b"[" + b"0," * 2_000_001 + b"0]", "too many parts"),
        (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x", "merged"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_reason(data, why):
    with pytest.raises(Refused, match=why):
        read_document(data)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252"])
def test_encodings(course, encoding):
    notebook = classroom.solved(course, q_why="porque la política muestrea: ñ")
    data = json.dumps(notebook, ensure_ascii=False).encode(encoding)
    if encoding == "utf-16-le":
        data = b"\xff\xfe" + data
    document = read_document(data)
    assert any("ñ" in cell.source for cell in document.cells)
    assert document.notes


def test_nbformat_3_is_converted():
    cells = [
        {
            "cell_type": "code",
            "input": ["a = 1\n", "b"],
            "metadata": {"nbgrader": {"grade_id": "x"}},
        },
        {"cell_type": "heading", "level": 1, "source": "Title"},
    ]
    document = read({"nbformat": 3, "worksheets": [{"cells": cells}, "junk", {"cells": 3}]})
    assert [(c.cell_type, c.source, c.grade_id) for c in document.cells] == [
        ("code", "a = 1\nb", "x"),
        ("markdown", "Title", ""),
    ]
    assert "old" in str(document.notes[0])


def test_odd_cells_are_left_out_with_a_note():
    cells = [
        None,
        3,
        {"cell_type": "code", "source": {"a": 1}},
        {"cell_type": "code", "source": "x"},
        {"source": "raw?"},
        {"cell_type": [], "source": ["y"]},
    ]
    document = read({"nbformat": 4, "cells": cells})
    assert [cell.source for cell in document.cells] == ["x", "raw?", "y"]
    assert "3 entries" in str(document.notes[0])


def test_huge_outputs_do_not_survive(course):
    notebook = classroom.solved(course)
    find(notebook, "softmax-answer")["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 10**6}
    ]
    document = read(notebook)
    assert all(not hasattr(cell, "outputs") for cell in document.cells)
    assert max(len(cell.source) for cell in document.cells) < 1000


def test_too_much_text_is_refused():
    cell = {"cell_type": "code", "source": "#" * (reading.MAX_CELL_CHARACTERS + 1)}
    with pytest.raises(Refused, match="too much text"):
        read({"nbformat": 4, "cells": [cell]})
    with pytest.raises(Refused, match="more than"):
        read({"nbformat": 4, "cells": [{"cell_type": "code", "source": ""}] * 2_001})


def test_unknown_kernel_is_noted(course):
    notebook = classroom.solved(course)
    notebook["metadata"]["kernelspec"] = {"name": "ir", "language": "R"}
    assert "kernel ir" in str(read(notebook).notes[0])


@pytest.mark.parametrize("name", ["conda-env-pg-py", "xpython", "Python 3.12", None])
def test_a_kernel_of_python_may_have_any_name(course, name):
    notebook = classroom.solved(course)
    notebook["metadata"]["kernelspec"] = {"name": name, "display_name": "x"}
    assert not read(notebook).notes
    notebook["metadata"]["kernelspec"]["language"] = "python"
    assert not read(notebook).notes


def test_a_notebook_that_lost_its_language_is_known_by_its_texts(course, lesson):
    spanish = Lesson(
        NAME,
        "es",
        tuple(
            replace(cell, source=f"Hola {cell.source}") if cell.kind == "prose" else cell
            for cell in lesson.cells
        ),
        {},
    )
    notebook = classroom.solved(course)
    translations = {"en": lesson, "es": spanish}
    assert matching.spoken_in(read(notebook), translations) == "en"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = f"Hola {''.join(cell['source'])}"
    assert matching.spoken_in(read(notebook), translations) == "es"
    assert matching.spoken_in(read({"nbformat": 4, "cells": []}), translations) == ""


@pytest.mark.parametrize("ending", [".txt", ".json", " (1).txt", ".TXT", ".json.txt"])
def test_a_notebook_with_another_ending_is_taken_with_a_note(tmp_path, ending):
    path = submit(tmp_path, "anna", "{}", file=f"{NAME}.ipynb{ending}")
    found = collect(path.parent, NAME)
    assert found.data == b"{}" and f"{NAME}.ipynb{ending}".split()[0] in str(found.notes[0])
    submit(tmp_path, "anna", "2", file="scratch.ipynb")
    assert collect(path.parent, NAME).data == b"{}"


def test_what_systems_leave_behind_is_no_file_of_the_students(tmp_path):
    path = submit(tmp_path, "anna", "{}")
    for name in (f"._{NAME}.ipynb", ".DS_Store", "Thumbs.db", "desktop.ini", "._x"):
        (path.parent / name).write_text("x")
    for name in ("__MACOSX", ".ipynb_checkpoints"):
        (path.parent / name).mkdir()
        (path.parent / name / f"{NAME}.ipynb").write_text("x")
        (tmp_path / name / NAME).mkdir(parents=True)
    found = collect(path.parent, NAME)
    assert found.data == b"{}" and not found.notes and not found.suspicions
    from grader.intake.classroom import find_submissions

    assert [one.student for one in find_submissions(tmp_path, [NAME])] == ["anna"]


def test_a_package_that_the_grader_lacks_is_told(course, lesson):
    text = "import numpy, nopkg.x\nfrom otherpkg import y\ndef softmax(x):\n    import third_pkg\n"
    notes = lacking(plan_of(lesson, classroom.solved(course, softmax=text)))
    assert "nopkg, otherpkg, third_pkg" in str(notes[0]) and "numpy" not in str(notes[0])
    assert lacking(plan_of(lesson, classroom.solved(course))) == []


def test_a_module_that_a_cell_writes_is_not_lacking(course, lesson):
    notebook = classroom.solved(course)
    cells = "%%writefile -a ./helper_of_mine.py\nx = 1\n", "import helper_of_mine, nopkg\n"
    plan = plan_of(lesson, insert_after(notebook, "softmax", *map(code, cells)))
    (told,) = lacking(plan)
    assert "imports nopkg," in str(told)


def test_a_definition_below_its_own_check_is_told_where_the_check_failed(course, lesson):
    notebook = classroom.solved(course)
    own = code("x = 1\n%time\n" + classroom.SOLUTIONS["softmax"] + "q: int = 2\n")
    broken = code("def softmax(:\n")
    other = code("def mine():\n    softmax = 1\nsoftmax.y = 2\n")
    plan = plan_of(lesson, insert_after(notebook, "softmax", own, broken, other))
    (told,) = below_their_check(plan, {"softmax", "discounted_return"})
    assert ": softmax. " in str(told)
    assert below_their_check(plan, set()) == below_their_check(plan, {"q_why"}) == []
    above = plan_of(lesson, insert_after(classroom.solved(course), "softmax-answer", own))
    assert below_their_check(above, {"softmax"}) == []


def test_another_lessons_notebook_is_called_so(course, lesson):
    notebook = classroom.blank(course)
    notebook["metadata"]["policy_gradients"]["lesson"] = "01_other"
    assert plan_of(lesson, notebook).notes == []  # the lesson's own cells: it was renamed
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["cell_type"] != "code"]
    first = plan_of(lesson, notebook).notes[0]
    assert f"notebook of 01_other, handed in for {lesson.name}" in str(first)
    notebook["metadata"]["policy_gradients"]["lesson"] = lesson.name
    assert "01_other" not in str(plan_of(lesson, notebook).notes[0])


def test_language_of_the_notebook(course):
    notebook = classroom.solved(course)
    assert read(notebook).language == "en"
    for language, kept in (("es", "es"), ("fr", ""), (["es"], ""), (None, "")):
        notebook["metadata"]["policy_gradients"]["language"] = language
        assert read(notebook).language == kept


def test_surrogates_and_controls_can_be_written():
    document = read({"nbformat": 4, "cells": [{"cell_type": "code", "source": "a\ud800b\0c"}]})
    document.cells[0].source.encode("utf-8")
    assert clean("a\ud800\x1b[31m\u202eb") == "a\\ud800\\x1b[31m\\x202eb"


def test_pictures_are_kept_where_they_are_pictures():
    good, bad = "iVBORw0KGgoAAAA=", "PHN2Zz4="
    attachments = {
        "a.png": {"image/png": good},
        "b.svg": {"image/svg+xml": bad},
        "../c": {"image/png": good},
        "d.png": {"image/png": 'iVBORw0KGgo" onerror=alert(1)'},
        "e": 3,
    }
    cell = {"cell_type": "markdown", "source": "x", "attachments": attachments}
    assert read({"nbformat": 4, "cells": [cell]}).cells[0].pictures == {
        "a.png": {"image/png": good}
    }


# Text that a student controls


def test_tame_markdown_runs_nothing():
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    nasty = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x]: javascript:alert(1)\n\n[x]",
        "<!--><svg/onload=a()>",
        "![x][y]\n\n[y]: javascript:alert(1)",
        "[x]\\\n(javascript:alert(1))",
        "<a\nhref=javascript:a()>",
        "![a](attachment:a.png)",
        "$\\href{javascript:alert(1)}{x}$",
        "&#36;&#92;href{javascript:alert(1)}{x}&#36;",
        "&dollar;&bsol;href{javascript:alert(1)}{x}&dollar;",
        "$\\h\0ref{javascript:alert(1)}{x}$",
        "$\\mmlToken{mi}[href='javascript:alert(1)']{x}$",
        "$\\bbox[position:fixed;top:0;left:0]{x}$",
    ]
    for text in nasty:
        page = markdown2html_mistune(tame(text))
        lowered = page.lower().replace("<p>", "").replace("</p>", "")
        assert "<script" not in lowered and "<img" not in lowered and "<svg" not in lowered, page
        assert 'href="javascript' not in lowered and "<a\n" not in lowered and "<!--" not in lowered
        # A browser drops a NUL. MathJax reads what is left.
        shown = html.unescape(lowered.replace("\0", ""))
        assert not re.search(r"\\(href|mmltoken|bbox)", shown)


def test_tame_keeps_formulas_and_pictures():
    assert tame("$a<b$, $x \\le y$ and **bold**") == "$a< b$, $x \\le y$ and **bold**"
    assert tame("![a](attachment:a.png)", {"a.png"}) == "![a](attachment:a.png)"
    assert tame("R&D, $a &= b$\r\nx") == "R&D, $a &= b$\nx"
    assert tame(tame("[x](y) <b> &lt;")) == tame("[x](y) <b> &lt;")


def test_shown_names_cannot_break_a_line():
    assert shown("a\nb\u202e") == repr("a b\\x202e")
    assert len(shown("x" * 500)) < 70


# The course


def test_blank_plan_runs_nothing(lesson):
    plan = blank(lesson)
    assert [cell.source for cell in plan.cells] == list(lesson.cells)
    assert not any(cell.run for cell in plan.cells)


def test_course_says_what_is_wrong_with_it(tmp_path):
    with pytest.raises(CourseError, match="make notebooks"):
        Course(tmp_path).names()
    place = tmp_path / "notebooks" / "en" / "01_x"
    place.mkdir(parents=True)
    (place / "01_x.ipynb").write_text("{}")
    with pytest.raises(CourseError, match="not a notebook of this course"):
        Course(tmp_path).lesson("01_x")
    metadata = {
        "policy_gradients": {"kind": "check"},
        "nbgrader": {"grade": True, "grade_id": "no_such", "points": 1},
    }
    cell = {"cell_type": "code", "id": "a", "source": "", "metadata": metadata}
    (place / "01_x.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    with pytest.raises(CourseError, match="no check for no_such"):
        need_checks(Course(tmp_path).lesson("01_x"))


def test_missing_translation_falls_back_to_english(course):
    assert course.lesson(NAME, "es").language == "en"


def test_lesson_is_read_once_and_hashable():
    cell = SourceCell("check", "code", "", "x", "x", 1.0, {})
    assert hash(Lesson("a", "en", (cell,), {}, "f")) == hash(Lesson("a", "en", (cell,), {}, "f"))


def test_notes_survive_the_way_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(Refused("{name} is odd", name="a b")))
    assert str(error.note) == "'a b' is odd" == str(error)
    assert note("{n} of {m}", n=1, m=2.5).plain() == ["{n} of {m}", {"n": 1, "m": 2.5}]


def test_lesson_without_marks_is_passed_over(course, tmp_path):
    from grader.intake.classroom import find_submissions

    for name in (NAME, "00_start", "99_no_such"):
        submit(tmp_path, "anna", "{}", name=name)
    found = find_submissions(tmp_path, [NAME], None, ["00_start"])
    assert [(one.lesson, one.refused is None) for one in found] == [
        (NAME, True),
        ("99_no_such", False),
    ]
    assert [one.lesson for one in find_submissions(tmp_path, [NAME], [NAME], ["00_start"])] == [
        NAME
    ]


def test_no_odd_name_takes_the_place_of_another(tmp_path):
    from grader.intake.classroom import MOST_NAME, find_submissions

    long = "n" * MOST_NAME
    odd = [
        long + "x",
        long + "y",
        "ada\n",
        " ada",
        "ada\u00a0b",
        "eve\x07",
        os.fsdecode(b"eve\xff"),
    ]
    plain = [long, "ada", "ada b", "ada  b", "eve\\x07"]
    for name in (*odd, *plain):
        (tmp_path / name / NAME).mkdir(parents=True)
    found = find_submissions(tmp_path, [NAME])
    assert sorted(one.student for one in found if one.refused is None) == sorted(plain)
    labels = [one.student for one in found]
    assert len(set(labels)) == len(odd) + len(plain) == len({tables.safe(name) for name in labels})
    assert all(len(name) <= MOST_NAME and name.isprintable() for name in labels)


@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
@pytest.mark.parametrize("before", ["", " ", "\t", "\r\n", "\u200b", "\ufeff", "\xa0"])
def test_no_text_of_a_table_begins_like_a_formula(before, sign):
    assert tables.safe(f"{before}{sign}cmd|' /C calc'!A0")[0] == "'"
    assert tables.safe("a=b") == "a=b" and tables.safe("a  b\n\tc") == "a  b c"


def test_a_folder_of_pipes_does_not_flood_the_report(tmp_path):
    submit(tmp_path, "eve", "{}")
    for number in range(200):
        os.mkfifo(tmp_path / "eve" / NAME / f"pipe{number}")
        (tmp_path / "eve" / NAME / f"numpy.{number}.py").write_text("")
    assert len(collect(tmp_path / "eve" / NAME, NAME).suspicions) <= 20
