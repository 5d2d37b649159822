"""Feedback goes back under the names that each platform gave, and its own reader finds them."""

import errno
import os
import re
import zipfile

import pytest

from grader.__main__ import main
from grader.intake.classroom import ClassroomError
from grader.lms import feedback
from grader.lms.download import collect
from grader.records.arrivals import read_arrivals
from tests.classroom import NAME
from tests.test_autograde import (  # noqa: F401
    alembic_on_path,
    copied,
    give_by_hand,
    grade,
    graded,
    needs_walls,
    warm,
)
from tests.test_collect import zipped

FILE = f"{NAME}.ipynb"


def canvas_reads(name):
    """(student, attachment) as Canvas infers them: the first two numbers between signs "_"."""
    numbers = [part for part in name.split("_") if re.fullmatch(r"\d+", part)]
    return tuple(numbers[:2])


def moodle_reads(path):
    """(participant, plugin, file) as Moodle's importer reads them: five parts of one folder."""
    parts = path.split("/")
    for at, part in enumerate(parts):
        info = part.split("_", 4)
        if len(info) >= 4 and info[1].isdecimal():
            rest = [info[4]] if len(info) == 5 else [""]
            return info[1], "_".join(info[2:4]), "/".join([*rest, *parts[at + 1 :]]).lstrip("/")
    return None


def returned(folder, platform, *more):
    options = ["--out", str(folder / "out"), "--to", platform, "--lesson", NAME]
    status = main(["return", *options, "--submitted", str(folder / "in"), *more])
    path = folder / "out" / "return" / f"{NAME}-{platform}.zip"
    with zipfile.ZipFile(path) as archive:
        return status, {name: archive.read(name).decode() for name in archive.namelist()}


def downloaded(folder, platform, files):
    """The class of test_autograde, of whom these came from a platform."""
    notebook = (folder / "in" / "anna" / NAME / FILE).read_text()
    texts = dict.fromkeys(files, notebook)
    told = collect(zipped(folder / "a.zip", texts), folder / "in", NAME, platform)
    grade(folder)
    return [one.student for one in told.arrivals]


CANVAS = {
    f"lovelaceada_1234_98765_{FILE}": ("1234", "98765"),
    "hopper-grace_LATE_77_98770_01_tiny-2.ipynb": ("77", "98770"),
    f"eve_78_5_98771_{FILE}": ("5", "98771"),
    f"turing_8_98772_{FILE}.txt": ("8", "98772"),
    "jones_9_98773_My homework_2.ipynb": ("9", "98773"),
}


@needs_walls
def test_canvas_reads_each_page_as_the_students(copied, warm, capsys):  # noqa: F811
    students = downloaded(copied, "canvas", CANVAS)
    assert students == ["1234", "5", "77", "8", "9"]
    status, pages = returned(copied, "canvas")
    assert status == 0 and {canvas_reads(name) for name in pages} == set(CANVAS.values())
    for name, text in pages.items():
        assert name.endswith(".html") and f"<title>{NAME}: {canvas_reads(name)[0]}<" in text
    assert f"lovelaceada_1234_98765_{NAME}.html" in pages
    told = capsys.readouterr()
    assert "anna" in told.err and "Pages: 5" in told.out


@needs_walls
def test_an_anonymous_assignments_pages_keep_their_anonymous_names(copied, warm):  # noqa: F811
    downloaded(copied, "canvas", [f"anon_aB3xZ_98765_{FILE}", f"LATE_anon_12345_98770_{FILE}"])
    _status, pages = returned(copied, "canvas")
    assert set(pages) == {f"anon_aB3xZ_98765_{NAME}.html", f"LATE_anon_12345_98770_{NAME}.html"}


@needs_walls
def test_moodle_reads_each_page_as_the_participants(copied, warm):  # noqa: F811
    files = {
        f"Ada Lovelace_1234_assignsubmission_file_/{FILE}": "1234",
        f"Grace_Brewster Hopper_77_assignsubmission_file/sub/{FILE}": "77",
        f"José de la Peña_9_assignsubmission_file_{FILE}": "9",
    }
    downloaded(copied, "moodle", files)
    _status, pages = returned(copied, "moodle")
    found = {moodle_reads(path) for path in pages}
    assert found == {(n, "assignsubmission_file", f"{NAME}.html") for n in files.values()}
    assert f"Ada Lovelace_1234_assignsubmission_file_/{NAME}.html" in pages


@needs_walls
def test_pages_older_than_the_marks_are_not_returned(copied, warm, capsys):  # noqa: F811
    downloaded(copied, "canvas", [f"lovelaceada_1234_98765_{FILE}"])
    give_by_hand(copied, "1234", "q_why", 3)
    options = ["--to", "canvas", "--lesson", NAME, "--submitted", str(copied / "in")]
    assert main(["return", "--out", str(copied / "out"), *options]) == 1
    assert "1234" in (error := capsys.readouterr().err) and "Run autograde again" in error
    grade(copied)
    assert returned(copied, "canvas")[0] == 0


@needs_walls
@pytest.mark.parametrize("platform", ["canvas", "moodle"])
def test_without_a_download_the_remedy_is_told(copied, warm, capsys, platform):  # noqa: F811
    options = ["--to", platform, "--lesson", NAME, "--submitted", str(copied / "in")]
    assert read_arrivals(copied / "in") == {}
    assert main(["return", "--out", str(copied / "out"), *options]) == 1
    assert "collect sorted the download into" in capsys.readouterr().err


def test_a_disk_that_fills_up_leaves_the_zip_that_was_there(tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("new")
    told = feedback.Returned({"a.html": tmp_path / "page.html"})
    zipped(tmp_path / "f.zip", {"a.html": "old"})

    def full(handle, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched, pytest.raises(ClassroomError, match="No space left"):
        patched.setattr(feedback, "write_whole", full)
        feedback.write_zip(tmp_path / "f.zip", told)
    with zipfile.ZipFile(tmp_path / "f.zip") as archive:
        assert archive.read("a.html") == b"old"
    feedback.write_zip(tmp_path / "f.zip", told)
    with zipfile.ZipFile(tmp_path / "f.zip") as archive:
        assert archive.read("a.html") == b"new"
