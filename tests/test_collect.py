"""Downloads from Canvas and Moodle become submitted/STUDENT/LESSON/LESSON.ipynb alone."""

import errno
import os
import zipfile
from pathlib import Path

import pytest

from grader.__main__ import main
from grader.intake.classroom import ClassroomError, find_submissions
from grader.lms.download import collect
from grader.lms.feedback import _names
from grader.records.arrivals import read_arrivals
from policy_gradients import i18n

LESSON = "01_reinforce"
CANVAS = {
    "lovelaceada_1234_98765_01_reinforce.ipynb": "ada",
    "hopper-grace_LATE_77_98770_01_reinforce-2.ipynb": "grace, again",
    "turingalan_8_98771_Untitled.ipynb": "alan, another name",
    "turingalan_8_98772_notes.pdf": "no notebook",
    "deepaul_9_1_a.ipynb": "one",
    "deepaul_9_2_b.ipynb": "or the other",
    "readme.ipynb": "not of Canvas's making",
}
MOODLE = {
    "Ada Lovelace_1234_assignsubmission_file_/01_reinforce.ipynb": "ada",
    "Grace Hopper_77_assignsubmission_file/sub/01_reinforce (1).ipynb": "grace, newer Moodle",
    "Alan Turing_8_assignsubmission_file_01_reinforce.ipynb": "alan, without folders",
    "José de la Peña_9_assignsubmission_file_/x.ipynb": "josé",
    "Ada Lovelace_1234_assignsubmission_onlinetext_/onlinetext.html": "no notebook",
}
WORKSHEET = "Identifier,Full name,Email address\nParticipant 1234,Ada Lovelace,ada@x.org\n"


def written(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def contents(folder):
    """The files that students gave: not the list of where they came from."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "collected.json"
    }


def at(student):
    return f"{student}/{LESSON}/{LESSON}.ipynb"


@pytest.fixture(params=["folder", "zip"])
def download(request, tmp_path):
    """A function from files to a download, once unpacked and once as it came."""
    made = tmp_path / "download"
    return lambda files: (
        written(made, files)
        if request.param == "folder"
        else zipped(made.with_suffix(".zip"), files)
    )


def test_canvas(download, tmp_path):
    to = tmp_path / "submitted"
    lines = collect(download(CANVAS), to, LESSON, "canvas").lines
    assert contents(to) == {
        at("1234"): "ada",
        at("77"): "grace, again",
        at("8"): "alan, another name",
    }
    told = "\n".join(lines)
    assert "9: left out: 2 notebooks" in told and "notes.pdf (not a notebook)" in told
    assert "readme.ipynb (not a name that canvas gives)" in told
    assert not any(one.refused for one in find_submissions(to, [LESSON]))


def test_moodle(download, tmp_path):
    to = tmp_path / "submitted"
    collect(download(MOODLE), to, LESSON, "moodle")
    assert contents(to) == {
        at("Ada_Lovelace_1234"): "ada",
        at("Grace_Hopper_77"): "grace, newer Moodle",
        at("Alan_Turing_8"): "alan, without folders",
        at("José_de_la_Peña_9"): "josé",
    }
    assert not any(one.refused for one in find_submissions(to, [LESSON]))


def test_moodles_worksheet_names_the_students(download, tmp_path):
    roster = tmp_path / "worksheet.csv"
    roster.write_text(WORKSHEET, encoding="utf-8-sig")
    collect(download(MOODLE), tmp_path / "to", LESSON, "moodle", roster)
    assert at("ada@x.org") in contents(tmp_path / "to")
    roster.write_text("Name\nAda\n")
    with pytest.raises(ClassroomError, match="no column Identifier"):
        collect(download(MOODLE), tmp_path / "to", LESSON, "moodle", roster)


def test_a_second_download_replaces_only_what_changed(tmp_path):
    to, first = tmp_path / "to", {"lovelaceada_1_2_01_reinforce.ipynb": "1", "b_2_3_x.ipynb": "b"}
    lines = collect(written(tmp_path / "a", first), to, LESSON, "canvas").lines
    assert [line.split(",")[0] for line in lines] == ["1: new", "2: new"]
    again = {**first, "lovelaceada_1_2_01_reinforce.ipynb": "2"}
    lines = collect(written(tmp_path / "b", again), to, LESSON, "canvas").lines
    assert lines[0].startswith("1: replaced") and lines[1] == "2: unchanged"
    assert contents(to) == {at("1"): "2", at("2"): "b"}


MARK = "Ada Lovelace_1234_assignsubmission_file_"


@pytest.mark.parametrize(
    "name",
    [
        f"Eve_5_assignsubmission_file_/{MARK}{LESSON}.ipynb",
        f"Eve_5_assignsubmission_file_/{MARK}/{LESSON}.ipynb",
        f"Eve_5_assignsubmission_onlinetext_/{MARK}{LESSON}.ipynb",
        f"{MARK}_5_assignsubmission_file_/{LESSON}.ipynb",
        f"Eve_5_assignsubmission_file_{MARK}{LESSON}.ipynb",
        f"{MARK}_5_assignsubmission_file_{LESSON}.ipynb",
    ],
)
def test_nobody_hands_in_under_another_persons_number(name, download, tmp_path):
    lines = collect(
        download({MARK + "/homework.ipynb": "ada", name: "eve"}), tmp_path / "to", LESSON, "moodle"
    ).lines
    found = contents(tmp_path / "to")
    assert found.pop(at("Ada_Lovelace_1234")) == "ada"
    assert list(found.values()) == ["eve"] or "left out" in lines[0]


def test_people_whose_addresses_differ_in_a_sign_keep_apart(tmp_path):
    roster = tmp_path / "worksheet.csv"
    roster.write_text(WORKSHEET.replace("ada@x.org", "a'da@x.org") + "Participant 5,Eve,a!da@x.org")
    files = {MARK + "/x.ipynb": "ada", "Eve_5_assignsubmission_file_/x.ipynb": "eve"}
    collect(written(tmp_path / "a", files), tmp_path / "to", LESSON, "moodle", roster)
    assert contents(tmp_path / "to") == {at("a_da@x.org_1234"): "ada", at("a_da@x.org_5"): "eve"}


def test_a_long_name_keeps_its_number(tmp_path):
    files = {f"{'n' * 150}_{i}_assignsubmission_file_/x.ipynb": str(i) for i in (1, 2)}
    collect(zipped(tmp_path / "a.zip", files), tmp_path / "to", LESSON, "moodle")
    assert sorted(contents(tmp_path / "to").values()) == ["1", "2"]


@pytest.mark.parametrize(
    "name",
    [
        "../../evil_1_assignsubmission_file_/x.ipynb",
        "/etc/evil_1_assignsubmission_file_/x.ipynb",
        ".._1_assignsubmission_file_/../../x.ipynb",
        "..\\..\\a_1_assignsubmission_file_/x.ipynb",
    ],
)
def test_no_name_leads_out_of_the_folder(name, tmp_path):
    to = tmp_path / "deep" / "er" / "to"
    collect(zipped(tmp_path / "a.zip", {name: "x"}), to, LESSON, "moodle")
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".ipynb"]
    assert len(files) == 1 and files[0].is_relative_to(to)
    assert sorted(path.name for path in to.parent.iterdir()) == ["to"]
    (found,) = find_submissions(to, [LESSON])
    assert found.refused is None


def test_a_link_in_a_download_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    folder = written(tmp_path / "a", {"ada_1_2_01_reinforce.ipynb": "ada"})
    (folder / "eve_2_3_01_reinforce.ipynb").symlink_to(tmp_path / "secret")
    collect(folder, tmp_path / "to", LESSON, "canvas")
    assert contents(tmp_path / "to") == {at("1"): "ada"}


def test_a_damaged_entry_stops_nobody_else(tmp_path):
    path = zipped(tmp_path / "a.zip", {"ada_1_2_x.ipynb": "A" * 50, "bob_2_3_x.ipynb": "bob"})
    path.write_bytes(path.read_bytes().replace(b"A" * 50, b"B" * 50))
    lines = collect(path, tmp_path / "to", LESSON, "canvas").lines
    assert "can't be read" in lines[0] and contents(tmp_path / "to") == {at("2"): "bob"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p.write_text("x"), "neither a folder nor a zip"),
        (lambda p: p.mkdir(), "no notebook with a name"),
        (lambda p: None, "neither a folder nor a zip"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_download(make, words, tmp_path, capsys):
    make(tmp_path / "d")
    options = ["--from", "canvas", "--to", str(tmp_path / "to"), "--lesson", LESSON]
    assert main(["collect", str(tmp_path / "d"), *options]) == 1
    assert words in capsys.readouterr().err


def test_a_folder_that_cant_be_written_is_not_blamed_on_the_download(tmp_path, capsys):
    path = zipped(tmp_path / "a.zip", {"ada_1_2_01_reinforce.ipynb": "ada"})
    (tmp_path / "file").write_text("in the way")
    options = ["--from", "canvas", "--to", str(tmp_path / "file"), "--lesson", LESSON]
    assert main(["collect", str(path), *options]) == 1
    error = capsys.readouterr().err
    assert "--to names a folder that you may write" in error and "zip archive" not in error


def test_a_full_disk_leaves_the_older_file_whole(tmp_path, monkeypatch):
    first = written(tmp_path / "a", {"ada_1_2_x.ipynb": "first"})
    collect(first, tmp_path / "to", LESSON, "canvas")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    again = written(tmp_path / "b", {"ada_1_2_x.ipynb": "second"})
    with pytest.raises(ClassroomError, match="No space left"):
        collect(again, tmp_path / "to", LESSON, "canvas")
    assert contents(tmp_path / "to") == {at("1"): "first"}


def test_a_lesson_that_isnt_there_is_refused_with_those_that_are(tmp_path, capsys):
    options = ["--from", "canvas", "--to", str(tmp_path), "--lesson", "99_no"]
    assert main(["collect", str(tmp_path), *options]) == 1
    assert LESSON in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "path", "as_name", "student"),
    [
        ("canvas", "eve_5_9_01_reinforce.zip", "eve_5_9_01_reinforce.ipynb", "5"),
        ("moodle", "Eve X_5_assignsubmission_file_/Tarea.RAR", "Tarea.ipynb", "Eve_X_5"),
    ],
)
def test_an_archive_in_the_download_is_left_out_with_a_way_out(
    tmp_path, platform, path, as_name, student
):
    files = {path: "zip", **(CANVAS if platform == "canvas" else MOODLE)}
    told = collect(zipped(tmp_path / "a.zip", files), tmp_path / "to", LESSON, platform)
    (line,) = [one for one in told.lines if "an archive" in one]
    assert as_name in line and student in told.missing
    folder = written(tmp_path / "folder", files)
    (folder / path).with_name(as_name).write_text("eve")
    told = collect(folder, tmp_path / "to", LESSON, platform)
    assert student not in told.missing and contents(tmp_path / "to")[at(student)] == "eve"


def zip_of(tmp_path, files):
    return zipped(tmp_path / "inner.zip", files).read_bytes()


@pytest.mark.parametrize(
    ("platform", "path", "student", "page"),
    [
        ("canvas", "eve_5_9_hw.zip", "5", "eve_5_9_hw.html"),
        (
            "moodle",
            "Eve X_5_assignsubmission_file_/hw.ZIP",
            "Eve_X_5",
            f"Eve X_5_assignsubmission_file_/{LESSON}.html",
        ),
    ],
)
def test_a_notebook_that_was_handed_in_as_a_zip_is_taken(tmp_path, platform, path, student, page):
    """As the lesson was handed out: its folder, packed."""
    inner = {
        f"{LESSON}/{LESSON}.ipynb": "eve",
        f"{LESSON}/notes.txt": "x",
        f"__MACOSX/{LESSON}/._{LESSON}.ipynb": "x",
        f"{LESSON}/.ipynb_checkpoints/{LESSON}-checkpoint.ipynb": "x",
    }
    files = {path: zip_of(tmp_path, inner), **(CANVAS if platform == "canvas" else MOODLE)}
    for download in (zipped(tmp_path / "a.zip", files), written(tmp_path / "folder", files)):
        told = collect(download, tmp_path / "to", LESSON, platform)
        assert contents(tmp_path / "to")[at(student)] == "eve" and student not in told.missing
        (line,) = [one for one in told.lines if one.startswith(f"{student}:")]
        assert path.split("/")[-1].removeprefix("eve_5_9_") in line
    assert _names(read_arrivals(tmp_path / "to"), LESSON, platform)[student] == page


def test_what_a_zip_holds_is_no_way_around(tmp_path, monkeypatch):
    """Nobody's file goes elsewhere, and a notebook beside a zip goes before what is in it."""
    monkeypatch.setattr("grader.lms.download.MAX_ARCHIVE_BYTES", 2_000)
    evil = {f"../../77/{LESSON}/{LESSON}.ipynb": "evil", "hoppergrace_77_9_x.ipynb": "evil"}
    two = {"a.ipynb": "1", "b.ipynb": "2"}
    files = {
        "eve_5_9_hw.zip": zip_of(tmp_path, evil),
        "two_6_9_hw.zip": zip_of(tmp_path, two),
        "beside_7_9_hw.zip": zip_of(tmp_path, {f"{LESSON}.ipynb": "old"}),
        f"beside_7_10_{LESSON}.ipynb": "beside",
        "none_8_9_hw.zip": zip_of(tmp_path, {"a.txt": "x", "deeper.zip": "x"}),
        "large_9_9_hw.zip": zip_of(tmp_path, {"a.ipynb": "".join(map(str, range(3_000)))}),
        "broken_11_9_hw.zip": zip_of(tmp_path, two)[:-9],
        "whose.zip": zip_of(tmp_path, {f"{LESSON}.ipynb": "?"}),
    }
    told = collect(zipped(tmp_path / "a.zip", files), tmp_path / "to", LESSON, "canvas")
    assert contents(tmp_path / "to") == {at("5"): "evil", at("7"): "beside"}
    assert set(told.missing) == {"6", "8", "9", "11"}
    assert "2 notebooks (a.ipynb, b.ipynb)" in "".join(told.lines)
    assert not (tmp_path / "77").exists()


def test_what_the_system_says_is_told_in_the_language_in_use(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(i18n, "_chosen", "es")
    options = ["--from", "canvas", "--to", str(tmp_path / "to"), "--lesson", LESSON]
    assert main(["collect", str(tmp_path / "none.zip"), *options]) == 1
    error = capsys.readouterr().err
    assert "No existe el archivo o la carpeta" in error and "No such" not in error
    (tmp_path / "page.zip").write_text("<html>")
    assert main(["collect", str(tmp_path / "page.zip"), *options]) == 1
    assert "zip file" not in capsys.readouterr().err


def test_no_message_of_ours_has_the_systems_own_words():
    """``reason`` translates them; an error's own text has its number and the path once more."""
    for path in Path("grader").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "why=error.strerror" not in text, path
