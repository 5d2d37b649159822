"""Downloads and tables of Canvas and Moodle in the shapes that they really have."""

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest

from grader.__main__ import main
from grader.intake import sheets
from grader.intake.classroom import ClassroomError
from grader.lms import times, worksheet
from grader.lms.download import collect
from grader.lms.names import read_names
from grader.records.arrivals import read_arrivals
from grader.records.gradebook import Record
from tests.test_collect import LESSON, at, contents, written, zipped

NB = "01_reinforce.ipynb"


def collected(tmp_path, files, source="canvas", **more):
    told = collect(zipped(tmp_path / "a.zip", files), tmp_path / "to", LESSON, source, **more)
    return told, contents(tmp_path / "to") if (tmp_path / "to").exists() else {}


# Canvas's names


def test_a_class_zipped_again_on_a_mac_or_windows_is_whole(tmp_path):
    files = {f"all/lovelaceada_1234_98765_{NB}": "ada", f"all/hoppergrace_77_98770_{NB}": "grace"}
    left = {f"__MACOSX/all/._{name.split('/')[1]}": "\0\5" for name in files}
    left |= {
        "all/.DS_Store": "x",
        "all/Thumbs.db": "x",
        "all/desktop.ini": "x",
        f"all/.ipynb_checkpoints/turingalan_8_98771_{NB}": "an old state",
    }
    told, found = collected(tmp_path, {**files, **left})
    assert found == {at("1234"): "ada", at("77"): "grace"}
    assert len(told.lines) == 2 and not told.missing


def test_moodles_folders_zipped_again_on_a_mac_are_whole(tmp_path):
    mark = "Ada Lovelace_1234_assignsubmission_file_"
    files = {
        f"{mark}/{NB}": "ada",
        f"__MACOSX/{mark}/._{NB}": "\0",
        f"{mark}/.DS_Store": "x",
        f"{mark}/.ipynb_checkpoints/01_reinforce-checkpoint.ipynb": "old",
    }
    assert collected(tmp_path, files, "moodle")[1] == {at("Ada_Lovelace_1234"): "ada"}


def test_an_anonymous_assignment_names_students_by_their_anonymous_ids(tmp_path):
    files = {
        f"anon_aB3xZ_98765_{NB}": "1",
        f"LATE_anon_k9Qm2_98770_{NB}": "2",
        "anon_Zz1aa_98771_Untitled.ipynb": "3",
        f"anon_12345_98772_{NB}": "4",
        f"anon_q7777_LATE_98773_{NB}": "5",
    }
    told, found = collected(tmp_path, files)
    students = ["anon_aB3xZ", "anon_k9Qm2", "anon_Zz1aa", "anon_12345", "anon_q7777"]
    assert found == {at(name): str(n) for n, name in enumerate(students, 1)}
    late = {one.student for one in read_arrivals(tmp_path / "to").values() if one.late}
    assert late == {"anon_k9Qm2", "anon_q7777"} and not told.missing


def test_a_resubmission_to_an_anonymous_assignment_is_the_same_students(tmp_path):
    collected(tmp_path, {f"anon_aB3xZ_98765_{NB}": "first"})
    _told, found = collected(tmp_path, {"anon_aB3xZ_99001_01_reinforce-1.ipynb": "second"})
    assert found == {at("anon_aB3xZ"): "second"}


def test_a_person_called_anon_beside_named_people_is_not_guessed(tmp_path):
    files = {f"anon_12345_98772_{NB}": "who?", f"lovelaceada_1234_98765_{NB}": "ada"}
    told, found = collected(tmp_path, {**files, f"anon_12345_98772_2_{NB}": "who?"})
    assert found == {at("1234"): "ada"} and len(told.missing) == 2


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("eve_77_5_98770_01_reinforce.ipynb", "5"),
        ("eve_77_LATE_5_98770_01_reinforce.ipynb", "5"),
        ("eve_LATE_5_98770_77_9_01_reinforce.ipynb", "5"),
        ("77_5_98770_x.ipynb", "5"),
        ("eve_77_5_98770_x.ipynb", ""),
        ("eve_5_98770_2_x.ipynb", ""),
        ("eve_5_98770_77_98771_01_reinforce.ipynb", ""),
        ("eve_5_98770_x_77_98771_01_reinforce.ipynb", "5"),
        ("eve_5_98770_01_reinforce.ipynb", "5"),
        ("eve2_5_98770_01_reinforce (1).ipynb", "5"),
        ("evil_LATE_x_5_98770_01_reinforce.ipynb", "5"),
    ],
)
def test_no_number_of_a_name_or_a_file_becomes_a_student(name, student):
    assert read_names([name], "canvas", LESSON)[name].number == student


def test_canvass_case_of_a_name_that_ends_in_a_number(tmp_path):
    files = {"eve_77_5_98770_01_reinforce.ipynb": "eve", "hoppergrace_77_98771_hw.ipynb": "grace"}
    assert collected(tmp_path, files)[1] == {at("5"): "eve", at("77"): "grace"}


def test_an_ambiguous_name_is_left_out_by_name(tmp_path):
    files = {"eve_77_5_98770_x.ipynb": "eve", "hoppergrace_77_98771_hw.ipynb": "grace"}
    told, found = collected(tmp_path, files)
    assert found == {at("77"): "grace"}
    assert "eve_77_5_98770_x.ipynb" in told.lines[0] and "77, 5" in told.lines[0]
    assert told.missing == ["eve_77_5_98770_x.ipynb"]


def test_a_reading_that_gives_one_number_to_two_people_is_none(tmp_path):
    """Eve is called "eve 5", her number is 77 ... or Grace's is: one of the two is read wrongly."""
    files = {"eve_5_77_9_01_reinforce.ipynb": "eve", "hoppergrace_77_98771_hw.ipynb": "grace"}
    told, found = collected(tmp_path, files)
    assert found == {at("77"): "grace"} and len(told.missing) == 1
    assert "more than one student: 5, 77)" in told.lines[0] and "--roster" in told.lines[0]


def test_where_the_gradebook_knows_all_readings_a_name_that_helps_is_told(tmp_path):
    roster = tmp_path / "canvas.csv"
    roster.write_text("Student,ID\nEve,5\nGrace,77\n")
    grace = {"hoppergrace_77_98771_hw.ipynb": "grace"}
    files = {**grace, "eve_5_77_9_01_reinforce.ipynb": "eve"}
    told, found = collected(tmp_path, files, roster=roster)
    assert found == {at("77"): "grace"}
    assert "5, 77)" in told.lines[0] and f"NAME_ID_NUMBER_{NB}" in told.lines[0]
    files = {**grace, f"eve_5_77_{NB}": "eve"}
    assert collected(tmp_path, files, roster=roster)[1] == {at("77"): "grace", at("5"): "eve"}


def test_canvass_gradebook_tells_a_person_called_anon(tmp_path):
    files = {f"anon_12345_98772_{NB}": "anon", f"lovelaceada_1234_98765_{NB}": "ada"}
    told, _found = collected(tmp_path, files)
    assert "more than one student: anon_12345, 12345)" in told.lines[0]
    roster = tmp_path / "canvas.csv"
    roster.write_text("Student,ID\nAnon,12345\nAda,1234\n")
    _told, found = collected(tmp_path, files, roster=roster)
    assert found == {at("12345"): "anon", at("1234"): "ada"}


def test_a_name_that_no_platform_gives_is_told_where_to_go(tmp_path):
    told, _found = collected(tmp_path, {"mine.ipynb": "?", f"ada_1_2_{NB}": "ada"})
    assert "mine.ipynb" in told.lines[0]
    assert str(tmp_path / "to" / "STUDENT" / LESSON / NB) in told.lines[0]


def test_canvass_gradebook_decides_between_readings(tmp_path):
    roster = tmp_path / "canvas.csv"
    roster.write_text("Student,ID\nEve,5\n")
    files = {"eve_77_5_98770_x.ipynb": "eve"}
    assert collected(tmp_path, files, roster=roster)[1] == {at("5"): "eve"}


# What is said


def test_a_second_notebook_is_named_and_other_endings_are_taken(tmp_path):
    files = {
        f"ada_1_2_{NB}": "ada",
        "ada_1_3_scratch.ipynb": "x",
        f"bob_2_4_{NB}.txt": "bob",
        f"cem_3_5_{NB}.json": "cem",
        "dot_4_6_01_reinforce.ipynb (1).txt": "dot",
    }
    told, found = collected(tmp_path, files)
    assert found == {at("1"): "ada", at("2"): "bob", at("3"): "cem", at("4"): "dot"}
    assert "scratch.ipynb" in told.lines[0] and f"{NB}.txt" in told.lines[1]
    assert not told.missing


def strict(tmp_path, files, *more):
    path = zipped(tmp_path / "a.zip", files)
    options = ["--from", "canvas", "--to", str(tmp_path / "to"), "--lesson", LESSON, *more]
    return main(["collect", str(path), *options])


@pytest.mark.parametrize("lost", ["bob_2_3_notes.pdf", "bob_2_3_a.ipynb", "eve_77_5_9_x.ipynb"])
def test_fewer_notebooks_than_people_is_said_last_and_fails_where_asked(tmp_path, capsys, lost):
    files = {f"ada_1_2_{NB}": "ada", lost: "x"}
    if lost == "bob_2_3_a.ipynb":
        files["bob_2_4_b.ipynb"] = "y"
    assert strict(tmp_path, files) == 0
    last = capsys.readouterr().out.strip().split("\n")[-1]
    assert "Notebooks: 1, of 2 people" in last and ("2" in last or lost in last)
    assert strict(tmp_path, files, "--strict") == 1
    assert strict(tmp_path, {f"ada_1_2_{NB}": "ada"}, "--strict") == 0


SHEET = "Identifier,Full name,Email address\nParticipant 1234,Ada,ada@x.org\nParticipant 77,Gr,\n"
FILES = {f"Ada_1234_assignsubmission_file_/{NB}": "ada", f"Gr_77_assignsubmission_file_/{NB}": "gr"}


def test_a_person_without_an_address_gets_a_sentence(tmp_path):
    (tmp_path / "w.csv").write_text(SHEET)
    told, found = collected(tmp_path, FILES, "moodle", roster=tmp_path / "w.csv")
    assert found == {at("ada@x.org"): "ada", at("Gr_77"): "gr"}
    (line,) = [line for line in told.lines if line.startswith("Gr_77")]
    assert "neither username nor address" in line


def test_a_blind_worksheet_gets_one_sentence(tmp_path):
    (tmp_path / "w.csv").write_text("Identifier,Status\nParticipant 1234,Submitted\n")
    files = {f"Participant 1234_1234_assignsubmission_file_/{NB}": "ada"}
    told, found = collected(tmp_path, files, "moodle", roster=tmp_path / "w.csv")
    assert found == {at("Participant_1234_1234"): "ada"}
    assert "blind marking" in told.lines[-1] and "neither" not in " ".join(told.lines)


def test_a_participant_whom_the_worksheet_lacks_is_told(tmp_path):
    (tmp_path / "w.csv").write_text(SHEET.replace("Participant 77,Gr,\n", ""))
    told, _found = collected(tmp_path, FILES, "moodle", roster=tmp_path / "w.csv")
    assert "no participant 77" in "".join(told.lines)


def test_who_gets_another_name_from_the_worksheet_is_told_of_the_old_folder(tmp_path):
    (tmp_path / "w.csv").write_text(SHEET)
    collected(tmp_path, FILES, "moodle")
    told, found = collected(tmp_path, FILES, "moodle", roster=tmp_path / "w.csv")
    assert {at("ada@x.org"), at("Ada_1234"), at("Gr_77")} == set(found)
    (line,) = [line for line in told.lines if "before" in line]
    assert line.startswith("ada@x.org was called Ada_1234") and "grader forget Ada_1234" in line
    assert str(tmp_path / "to" / "Ada_1234" / LESSON) in line
    shutil.rmtree(tmp_path / "to" / "Ada_1234")
    told, _found = collected(tmp_path, FILES, "moodle", roster=tmp_path / "w.csv")
    assert "before" not in "".join(told.lines)


# Worksheets of other languages

WORKSHEETS = {
    "es": (
        (
            'Identificador,"Nombre completo","Dirección de correo",Estado,Calificación,'
            '"Calificación máxima","La calificación puede ser cambiada",'
            '"Última modificación (entrega)","Última modificación (calificación)"'
        ),
        "Participante 1234",
        "domingo, 29 de noviembre de 2026, 22:15",
    ),
    "pt_BR": (
        (
            'Identificador,"Nome completo","Endereço de email",Status,Nota,"Nota máxima",'
            '"A nota pode ser alterada","Última modificação (envio)",'
            '"Última modificação (nota)"'
        ),
        "Participante 1234",
        "domingo, 29 nov 2026, 22:15",
    ),
    "pt": (
        (
            'Identificador,"Nome completo","Endereço de e-mail",Estado,Avaliação,"Nota máxima",'
            '"A nota pode ser alterada","Última atualização (submissão)",'
            '"Última atualização (avaliação)"'
        ),
        "Participante 1234",
        "domingo, 29 de novembro de 2026 às 22:15",
    ),
    "fr": (
        (
            "Identifiant;Nom complet;Adresse de courriel;Statut;Note;Note maximale;"
            "La note peut être modifiée;Dernière modification (travail remis);"
            "Dernière modification (note)"
        ),
        "Participant 1234",
        "dimanche 29 novembre 2026, 22:15",
    ),
    "de": (
        (
            "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Beste Bewertung,"
            "Bewertung kann geändert werden,Zuletzt geändert (Abgabe),"
            "Zuletzt geändert (Bewertung)"
        ),
        "Teilnehmer/in1234",
        "Sonntag, 29. November 2026, 22:15",
    ),
    "it": (
        (
            "Identificativo,Nome completo,Indirizzo email,Stato,Valutazione,Valutazione massima,"
            "La valutazione può essere modificata,Ultima modifica (consegna),"
            "Ultima modifica (valutazione)"
        ),
        "Partecipante 1234",
        "domenica, 29 novembre 2026, 22:15",
    ),
    "en": (
        (
            "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
            "Last modified (submission),Last modified (grade)"
        ),
        "Participant 1234",
        "Sunday, 29 November 2026, 10:15 PM",
    ),
    "cs": (
        (
            "Identifikátor,Celé jméno,E-mailová adresa,Stav,Známka,Nejvyšší známka,Lze změnit,"
            "Poslední změna (odevzdání),Poslední změna (hodnocení)"
        ),
        "Účastník 1234",
        "2026-11-29 22:15",
    ),
}


def a_worksheet(path, language, maximum="25,00", grade="", encoding="utf-8-sig"):
    head, identifier, when = WORKSHEETS[language]
    sign = ";" if ";" in head else ","
    number = f'"{maximum}"' if sign in maximum else maximum
    row = [identifier, "Ada Lovelace", "ada@x.org", "ok", grade, number, "y", f'"{when}"', "-"]
    path.write_text("\n".join([head, sign.join(row)]) + "\n", encoding=encoding)
    return path


@pytest.mark.parametrize("language", list(WORKSHEETS))
def test_a_worksheet_is_read_in_moodles_languages(tmp_path, language):
    encoding = "utf-16" if language == "fr" else "utf-8-sig"
    path = a_worksheet(tmp_path / "w.csv", language, encoding=encoding)
    files = {f"Ada Lovelace_1234_assignsubmission_file_/{NB}": "ada"}
    told, found = collected(tmp_path, files, "moodle", roster=path, zone="Europe/Madrid")
    assert found.pop(at("ada@x.org")) == "ada", told.lines
    assert found == {f"ada@x.org/{LESSON}/timestamp.txt": "2026-11-29 21:15:00 UTC\n"}
    assert read_arrivals(tmp_path / "to")["ada@x.org", LESSON].submitted.startswith("2026-11-29")


def test_a_time_that_cant_be_read_is_said(tmp_path):
    path = a_worksheet(tmp_path / "w.csv", "en")
    path.write_text(path.read_text().replace("Sunday, 29 November 2026", "11/12/26"))
    files = {f"Ada Lovelace_1234_assignsubmission_file_/{NB}": "ada"}
    told, _found = collected(tmp_path, files, "moodle", roster=path)
    assert "can't be read" in told.lines[0] and "11/12/26" in told.lines[0]


def test_the_submissions_time_is_the_zones(tmp_path):
    zone = times.zone_of("America/New_York")
    moment = times.moodle_time("Sunday, November 29, 2026, 12:05 AM", zone)
    assert times.text_of(moment) == "2026-11-29 05:05:00 UTC"
    assert times.moodle_time("-", zone) is None and times.text_of(None) == ""


def test_canvass_gradebook_is_no_worksheet(tmp_path, capsys):
    (tmp_path / "c.csv").write_text("Student,ID,SIS Login ID\nAda,1234,ada\n")
    path = zipped(tmp_path / "a.zip", FILES)
    options = ["--from", "moodle", "--to", str(tmp_path / "to"), "--lesson", LESSON]
    assert main(["collect", str(path), *options, "--roster", str(tmp_path / "c.csv")]) == 1
    assert "grading worksheet" in capsys.readouterr().err


# Marks


class Ledger:
    """A gradebook of whole marks: student -> {lesson: score}."""

    def __init__(self, marks):
        self.marks = marks

    def by_hand(self):
        return {}

    def states(self):
        from grader.records.outcome import GRADED, Mark, Outcome

        for student, lessons in self.marks.items():
            for lesson, score in lessons.items():
                outcome = Outcome(GRADED, [], [Mark("x", score, 20.0, "passed")])
                yield Record(student, lesson, "", outcome)


def exported(tmp_path, text, marks, form="canvas", lesson=None):
    from grader.lms import marks as marking

    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8-sig", newline="")
    return marking.FORMATS[form](Ledger(marks), marking.READERS[form](path), lesson)


def table(text, delimiter=","):
    return list(csv.reader(text.splitlines(), delimiter=delimiter))


HEAD = "Student,ID,SIS User ID,SIS Login ID,Section,02 variance (555)\n    Points Possible,,,,,20\n"
COLLISION = HEAD + '"Lovelace, Ada",1234,S1,77,A,\n"Hopper, Grace",77,S2,1234,B,\n'
MARKS = {"1234": {"02_variance": 3.0}, "77": {"02_variance": 8.5}}


SHEETS = {"canvas": HEAD + '"Lovelace, Ada",1234,S1,ada,A,\n', "moodle": SHEET}


@pytest.mark.parametrize("form", SHEETS)
@pytest.mark.parametrize("sheet", [True, False])
def test_a_lesson_without_marks_is_told_and_makes_no_file(tmp_path, form, sheet):
    from grader.lms import marks as marking

    (tmp_path / "r.csv").write_text(SHEETS[form].replace("address", "address,Grade,Maximum Grade"))
    roster = marking.READERS[form](tmp_path / "r.csv") if sheet else None
    for known in (MARKS, {}):
        with pytest.raises(ClassroomError, match="no marks of 02_varience. There are of: "):
            marking.FORMATS[form](Ledger(known), roster, "02_varience")


@pytest.mark.parametrize("form", SHEETS)
def test_of_one_lesson_nothing_is_said_about_the_others(tmp_path, form):
    """Who isn't in the roster and handed in something else is missing in no file of this lesson."""
    from grader.lms import marks as marking

    roster = tmp_path / "r.csv"
    roster.write_text(SHEETS[form].replace("address", "address,Grade,Maximum Grade"))
    marks = {"1234": {"02_variance": 3.0}, "gone": {"01_reinforce": 2.0}}
    for sheet in (marking.READERS[form](roster), None):
        found = marking.FORMATS[form](Ledger(marks), sheet, "02_variance")
        assert "gone" not in found.text + str(found.lines)


def test_one_persons_login_that_is_anothers_id_swaps_no_marks(tmp_path):
    found = exported(tmp_path, COLLISION, MARKS)
    assert {row[0]: row[-1] for row in table(found.text)[2:]} == {
        "Lovelace, Ada": "3",
        "Hopper, Grace": "8.5",
    }
    assert not found.refused and not found.lines


def test_a_login_that_is_anothers_id_gives_no_mark_to_the_other(tmp_path):
    """Only Grace handed in: Ada, whose login is Grace's ID, gets nothing."""
    found = exported(tmp_path, COLLISION, {"77": {"02_variance": 8.5}})
    assert [row[0] for row in table(found.text)[2:]] == ["Hopper, Grace"]


@pytest.mark.parametrize("left", [False, True])
def test_a_number_that_is_nobodys_id_any_more_is_no_login(tmp_path, left):
    """Ada, whose ID was 1234, left the course; Grace has 1234 for a login."""
    text = HEAD + '"Hopper, Grace",77,S2,1234,B,\n"Curie, Marie",78,S3,marie,B,\n'
    marks = {"1234": {"02_variance": 3.0}, "78": {"02_variance": 5.0}}
    if not left:
        marks["77"] = {"02_variance": 8.5}
    found = exported(tmp_path, text, marks)
    rows = {row[0]: row[-1] for row in table(found.text)[2:]}
    assert rows == {"Curie, Marie": "5"} | ({} if left else {"Hopper, Grace": "8.5"})
    assert not found.refused and "1234" in found.lines[0]


def test_a_class_with_numbers_for_logins_is_found_by_them(tmp_path):
    """Names from a hub: 77 is Ada's login, not Grace's ID."""
    text = HEAD + '"Lovelace, Ada",1234,S1,77,A,\n"Hopper, Grace",77,S2,88,B,\n'
    found = exported(tmp_path, text, {"77": {"02_variance": 3.0}, "88": {"02_variance": 8.5}})
    rows = {row[0]: row[-1] for row in table(found.text)[2:]}
    assert rows == {"Lovelace, Ada": "3", "Hopper, Grace": "8.5"}


@pytest.mark.parametrize(
    ("rows", "marks"),
    [
        ('"A, A",1,S1,ada,A,\n"B, B",2,S2,ada,B,\n', {"ada": {"02_variance": 1.0}}),
        ('"A, A",1,S1,ada,A,\n"B, B",1,S2,ben,B,\n', {"1": {"02_variance": 1.0}}),
        ('"A, A",1,S1,ada,A,\n', {"1": {"02_variance": 1.0}, "ada": {"02_variance": 2.0}}),
    ],
)
def test_who_matches_two_rows_is_refused_by_name(tmp_path, rows, marks):
    found = exported(tmp_path, HEAD + rows, marks)
    assert table(found.text)[2:] == [] and set(found.refused) == set(marks)
    assert all(name in found.lines[0] for name in marks)


def test_one_person_under_two_names_in_two_lessons_has_one_row(tmp_path):
    marks = {"1": {"02_variance": 1.0}, "ada": {"01_reinforce": 2.0}}
    found = exported(tmp_path, HEAD + '"A, A",1,S1,ada,A,\n', marks)
    assert table(found.text)[2][-2:] == ["2", "1"] and not found.refused


def test_a_file_with_semicolons_comes_back_with_semicolons_and_commas(tmp_path):
    text = HEAD.replace(",", ";") + "Lovelace, Ada;1234;S1;ada;A;\nHopper, Grace;77;S2;g;B;8,50\n"
    rows = table(exported(tmp_path, text, MARKS).text, ";")
    assert rows[0][-1] == "02 variance (555)" and rows[1][-1] == "20"
    assert rows[2:] == [
        ["Lovelace, Ada", "1234", "S1", "ada", "A", "3"],
        ["Hopper, Grace", "77", "S2", "g", "B", "8,5"],
    ]


def test_titles_full_of_commas_are_no_columns(tmp_path):
    """A Spanish Canvas separates with semicolons; its header has more commas than those."""
    titles = "Tarea 1: logits, softmax, rollout, retorno, a (5);Tarea, 02 variance, a, b (555)"
    text = f"Student;ID;SIS Login ID;Section;{titles}\n    Points Possible;;;;10;20\n"
    found = exported(tmp_path, text + "Hopper, Grace;77;grace;A;;\n", MARKS)
    rows = table(found.text, ";")
    assert rows[0][-1] == "Tarea, 02 variance, a, b (555)"
    assert rows[2] == ["Hopper, Grace", "77", "grace", "A", "8,5"]


def test_lines_that_end_early_belong_to_the_table(tmp_path):
    (tmp_path / "g.csv").write_text("group,student,lesson;x\nteam,ada\nteam,ben\n")
    sheet = sheets.read_sheet(tmp_path / "g.csv", "remedy")
    assert sheet.rows == [["team", "ada", ""], ["team", "ben", ""]]


@pytest.fixture
def command(tmp_path):
    """Runs export into a file, with the machine's letters as given. Returns (status, errors)."""
    program = """
import sys
from grader import __main__ as command
from tests.test_platform_files import MARKS, Ledger
import contextlib
command._ledger = lambda out: contextlib.nullcontext(Ledger(MARKS))
sys.exit(command.main(["export", "--out", "out", "--format", "canvas", "--roster", sys.argv[1]]))
"""
    (tmp_path / "r.csv").write_text(HEAD + '"Łoś, Ærø 李",77,S,z,A,\n', encoding="utf-8")

    def run(letters, to):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "r.csv")],
            env={**os.environ, "PYTHONIOENCODING": letters, "COURSE_LANGUAGE": "en"},
            stdout=to,
            stderr=subprocess.PIPE,
            text=True,
        )
        return done.returncode, done.stderr

    return run


@pytest.mark.parametrize("letters", ["utf-8", "latin-1", "cp1252", "ascii"])
def test_the_file_is_utf8_whatever_the_machine_writes(tmp_path, command, letters):
    with open(tmp_path / "marks.csv", "wb") as file:
        status, errors = command(letters, file)
    assert status == 0 and "Traceback" not in errors
    made = (tmp_path / "marks.csv").read_bytes()
    assert b'"\xc5\x81o\xc5\x9b, ' in made and b"\r\r" not in made and b"\r\n" in made


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk to write to")
def test_a_full_disk_is_said_in_words(command):
    with open("/dev/full", "wb") as full:
        status, errors = command("utf-8", full)
    assert status == 1 and "No space left" in errors
    assert "Traceback" not in errors and "Exception" not in errors


@pytest.mark.parametrize("letters", ["latin-1", "ascii"])
def test_a_name_that_the_terminal_cant_write_stops_nothing(tmp_path, letters):
    path = zipped(tmp_path / "a.zip", {f"Łoś_12_assignsubmission_file_/{NB}": "x"})
    options = ["--from", "moodle", "--to", str(tmp_path / "to"), "--lesson", LESSON]
    done = subprocess.run(
        [sys.executable, "-m", "grader", "collect", str(path), *options],
        env={**os.environ, "PYTHONIOENCODING": letters},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert rb"\u0141o" in done.stdout and (tmp_path / "to" / at("Łoś_12")).is_file()


def test_who_has_heard_enough_stops_nothing(tmp_path):
    """As head does after its first lines: no traceback, and what was to be written is."""
    path = zipped(tmp_path / "a.zip", {f"Ann_12_assignsubmission_file_/{NB}": "x"})
    options = ["--from", "moodle", "--to", str(tmp_path / "to"), "--lesson", LESSON]
    heard, said = os.pipe()
    os.close(heard)
    done = subprocess.run(
        [sys.executable, "-m", "grader", "collect", str(path), *options],
        stdout=said,
        stderr=subprocess.PIPE,
    )
    os.close(said)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "to" / at("Ann_12")).is_file()


def test_semicolons_with_points_stay_so(tmp_path):
    text = HEAD.replace(",", ";") + "Hopper, Grace;77;S2;g;B;7.50\n"
    assert table(exported(tmp_path, text, MARKS).text, ";")[2][-1] == "8.5"


@pytest.mark.parametrize(
    "text",
    [
        (
            "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section,02 variance (555)\n"
            "    Points Possible,,,,,,20\nHopper,Grace,77,S2,grace,B,\n"
        ),
        (
            "Student,ID,SIS Login ID,Integration ID,Root Account,Section,Notes,02 variance (555),"
            "Final Score\n    Points Possible,,,,,,,20,(read only)\n,,,,,,,Manual Posting,\n"
            '"Hopper, Grace",77,grace,i,r,B,note,,42\n'
        ),
        "ID\n77\n",
    ],
)
def test_columns_that_say_who_somebody_is_come_back_as_they_were(tmp_path, text):
    before = table(text)
    found = exported(tmp_path, text, {"77": {"02_variance": 8.5}})
    rows = table(found.text)
    known = [n for n in before[0] if n not in ("Notes", "Final Score", "02 variance (555)")]
    assert rows[0][:-1] == known and rows[0][-1].startswith("02")
    grace = dict(zip(before[0], before[-1], strict=True))
    assert rows[-1] == [*(grace[name] for name in known), "8.5"]


@pytest.mark.parametrize("language", list(WORKSHEETS))
def test_moodles_worksheet_comes_back_with_the_marks_in_its_own_dialect(tmp_path, language):
    a_worksheet(tmp_path / "w.csv", language)
    text = (tmp_path / "w.csv").read_text(encoding="utf-8-sig")
    sign = ";" if language == "fr" else ","
    found = exported(tmp_path, text, {"ada@x.org": {"02_variance": 8.5}}, "moodle")
    before, after = table(text, sign), table(found.text, sign)
    changed = [i for i, (a, b) in enumerate(zip(before[1], after[1])) if a != b]
    assert found.lines == ["In Moodle this assignment has 25 points, the lesson has 20."]
    assert before[0] == after[0] and [after[1][i] for i in changed] == ["8,5"] and changed == [4]


def test_people_without_an_address_are_found_by_their_number(tmp_path):
    text = SHEET.replace("\n", ",\n").replace("address,", "address,Grade", 1)
    marks = {
        "ada@x.org": {"02_variance": 1.0},
        "Gr_77": {"02_variance": 2.0},
        "No_9": {"02_variance": 3.0},
    }
    found = exported(tmp_path, text, marks, "moodle")
    assert [row[3] for row in table(found.text)[1:]] == ["1", "2"]
    assert "No_9" in found.lines[0]


@pytest.mark.parametrize(
    ("name", "student", "found"),
    [
        ("Grace Hopper", "juan_77", False),
        ("Grace Hopper", "Grace_Hopper_77", True),
        ("Grace Hopper", "team_2-Grace_Hopper_77", True),
        ("Grace O'Hopper", "Grace_OHopper_77", True),
        ("Grace Hopper", "Participant_77", True),
        ("Grace " * 30, ("Grace_" * 30)[:117] + "_77", True),
    ],
)
def test_a_username_with_a_number_behind_is_no_participants(tmp_path, name, student, found):
    """Juan, whose username is juan_77, left the course; participant 77 is somebody else. Moodle's
    own folders have the person's name before the number, or its word for one (blind marking)."""
    head = "Identifier,Full name,Email address,Grade\n"
    text = f"{head}Participant 77,{name},grace@x.org,\nParticipant 8,Ada,ada@x.org,\n"
    told = exported(tmp_path, text, {student: {"02_variance": 2.0}}, "moodle")
    assert [row[3] for row in table(told.text)[1:]] == (["2", ""] if found else ["", ""])
    assert told.lines == ([] if found else [f"Not in the roster, so not in this file: {student}."])


def test_a_worksheet_of_one_lesson_asks_which(tmp_path):
    from grader.intake.classroom import ClassroomError

    marks = {"ada@x.org": {"02_variance": 1.0, "01_reinforce": 2.0}}
    text = SHEET.replace("\n", ",\n").replace("address,", "address,Grade", 1)
    with pytest.raises(ClassroomError, match="--lesson: 01_reinforce, 02_variance"):
        exported(tmp_path, text, marks, "moodle")
    found = exported(tmp_path, text, marks, "moodle", "01_reinforce")
    assert table(found.text)[1][3] == "2"


def test_a_gradebook_saved_on_windows_is_read(tmp_path):
    (tmp_path / "c.csv").write_bytes("Student;ID\nPeña;77\n".encode("cp1252"))
    sheet = sheets.read_sheet(tmp_path / "c.csv", "remedy")
    assert (sheet.rows, sheet.delimiter, sheet.decimal) == ([["Peña", "77"]], ";", ",")
    assert worksheet.identifiers(sheet) is None


def test_a_damaged_list_of_arrivals_stops_nothing(tmp_path):
    written(tmp_path / "to", {"collected.json": "{"})
    collected(tmp_path, {f"ada_1_2_{NB}": "ada"})
    assert json.loads((tmp_path / "to" / "collected.json").read_text())[0]["student"] == "1"
