"""The command line speaks the system's language, to its last word: help, errors, the demo, make."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader import command_line
from grader.__main__ import COMMANDS, main
from grader.course import HERE
from grader.course.notes import Words, note
from grader.errors import UserError
from grader.grading import demo
from grader.records import address, remedies, secret, store
from grader.sandbox import doctor
from policy_gradients import i18n
from publish import say
from tests import classroom
from tests.sandboxes import needs_walls
from tests.test_spanish_words import assert_marked, catalogue, language_of_marks  # noqa: F401

# What stands in a command's help by the name that is typed.
TYPED = {*COMMANDS, "grader", "python", "canvas", "moodle", "en", "es", "argparse"}


@pytest.fixture
def system_in_spanish(monkeypatch):
    """A machine whose system speaks Spanish, with the course's own catalogue."""
    monkeypatch.setattr(i18n, "_LOCALES", (HERE / "policy_gradients" / "locale",))
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    i18n.set_language(None)


def told(capsys, *arguments):
    """All that a command prints before it ends the process or returns."""
    try:
        main(list(arguments))
    except SystemExit as ended:
        assert ended.code in (0, 2)
    said = capsys.readouterr()
    return said.out + said.err


def plain(text):
    """Help without options, choices and file names."""
    return re.sub(r"--?[a-z][\w-]*|\{[\w,]+\}|\bN\b", " ", text)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_in_the_language_of_marks(command, capsys):
    text = told(capsys, *filter(None, [command]), "--help")
    assert command in text
    assert_marked(plain(text), *TYPED)


@pytest.mark.parametrize(
    "arguments",
    [
        ["autograde"],
        ["export", "--out", "x", "--format", "paper"],
        ["report", "--out"],
        ["report", "--out", "x", "y"],
        ["autograde", "--submitted", "x", "--out", "y", "--jobs", "two"],
        ["mark", "--out", "x", "--port", "one"],
        ["collect", "x", "--t", "y"],
        ["doctor", "--unsafe=1"],
        ["autograde", "--out", "x", "--lessons"],
    ],
)
def test_wrong_arguments_in_the_language_of_marks(arguments, capsys):
    text = told(capsys, *arguments)
    assert_marked(plain(text), *TYPED, "paper", "int", "x", "one", "two")
    assert "⟦%(prog)s" not in text


def test_a_command_without_words_shows_the_help(capsys):
    assert main([]) == 2
    assert_marked(plain(capsys.readouterr().err), *TYPED)


def raised(call):
    with pytest.raises(UserError) as error:
        call()
    return str(error.value)


def test_what_is_said_of_a_gradebook_and_of_the_secret(tmp_path, monkeypatch):
    (tmp_path / "gradebook.db").touch()
    server = "postgresql://a@b/c"
    assert_marked(raised(lambda: address.gradebook_of(tmp_path, server)))
    for name in ("mysql://a@b/c", "postgresql://a:c@b/d", "postgresql://a@b", "nowhere"):
        assert_marked(raised(lambda name=name: address.server(name)), "mysql", "nowhere")
    with monkeypatch.context() as patch:
        patch.setattr(address.importlib.util, "find_spec", lambda _name: None)
        assert_marked(raised(lambda: address.server(server)))
    (tmp_path / "secret").write_text("short")
    (tmp_path / "secret").chmod(0o600)
    assert_marked(raised(lambda: secret.read_secret(tmp_path / "secret")))
    (tmp_path / "secret").chmod(0o644)
    assert_marked(raised(lambda: secret.read_secret(tmp_path / "secret")))
    with store.Store(tmp_path / "out"), pytest.raises(store.StoreError) as held:
        store.Store(tmp_path / "out").__enter__()
    assert_marked(str(held.value))


@pytest.mark.parametrize("said", ["locked", "full", "readonly", "odd"])
def test_remedies_for_a_file(said):
    assert_marked(remedies.for_file(said))


@pytest.mark.parametrize("said", ["no schema", "does not exist", "password", "odd"])
def test_remedies_for_a_server(said):
    assert_marked(remedies.for_server(said))


@needs_walls
def test_the_doctor(capsys):
    assert doctor.main() == 0
    names = "bubblewrap", "cgroups", "Landlock", "Dask", "linux", "proc", "pid"
    lines = [line for line in capsys.readouterr().out.splitlines() if "⟦" in line]
    assert len(lines) >= 6
    assert_marked("\n".join(lines), *names)


def bare_sentences():
    """Places in grader/ that raise a UserError, or print, with a sentence past the catalogues."""
    errors = {"CourseError", "ClassroomError", "CannotGrade", "NotIsolated", "UserError"}
    errors |= {one.__name__ for one in UserError.__subclasses__()}
    for path in sorted((HERE / "grader").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in (
                *errors,
                "print",
            ):
                continue
            for given in node.args:
                if _is_sentence(given):
                    yield f"{path.relative_to(HERE)}:{node.lineno}: {ast.unparse(given)[:60]}"


def _is_sentence(node):
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
    return any(re.search(r"[a-zA-Z]{2,} [a-zA-Z]{2,}", text) for text in texts)


def test_no_error_and_no_printed_line_is_a_bare_sentence():
    assert list(bare_sentences()) == []


def test_a_bare_sentence_would_be_seen():
    found = [ast.parse(text).body[0].value for text in ("'no such thing'", "f'{x} is not there'")]
    assert all(map(_is_sentence, found))
    assert not _is_sentence(ast.parse("f'{x}: {y}'").body[0].value)


# The system's language ----------------------------------------------------------------------------


@pytest.mark.usefixtures("system_in_spanish")
def test_the_systems_language_and_what_outranks_it(monkeypatch, capsys, tmp_path):
    assert "opciones:" in told(capsys, "collect", "--help")
    assert "falta" in told(capsys, "collect")
    assert "no hay gradebook.db" in told(capsys, "report", "--out", str(tmp_path))
    assert "there is no gradebook.db" in told(
        capsys, "report", "--out", str(tmp_path), "--language", "en"
    )
    assert "no hay lecciones" in told(capsys, "progress", "--notebooks", str(tmp_path))
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    assert "options:" in told(capsys, "collect", "--help")
    assert "there is no gradebook.db" in told(capsys, "report", "--out", str(tmp_path))


def test_argparse_has_its_own_words_back(capsys):
    import argparse

    told(capsys, "report", "--help")
    assert argparse._("options") == "options"
    assert "⟦" in command_line.help_text()


# The demo -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Lesson 01 in both languages: the repository's own notebooks."""
    return classroom.Course(HERE)


@pytest.mark.usefixtures("system_in_spanish")
def test_the_demos_class_hands_in_notebooks_of_the_language(course, tmp_path):
    for language, title in (("es", "REINFORCE a mano"), ("en", "REINFORCE by hand")):
        with i18n.speaking(language):
            demo.make_class(course, "01_reinforce", tmp_path / language)
        handed_in = tmp_path / language / "ada" / "01_reinforce" / "01_reinforce.ipynb"
        assert title in handed_in.read_text(encoding="utf-8")


def test_the_demos_table_in_the_language_of_marks(tmp_path, capsys):
    (tmp_path / "submissions.csv").write_text(
        "student,lesson,status,reason\nada,01_x,graded,\nben,01_x,graded,\n"
        "eva,01_x,refused,⟦No⟧. x\n"
    )
    (tmp_path / "grades.csv").write_text(
        "student,lesson,exercise,score,max_score,verdict,mistake\n"
        "ada,01_x,softmax,0,2,failed,softmax-axis\nada,01_x,q_text,,1,waiting,\n"
        "ben,01_x,softmax,0,2,failed,not-written\n"
    )
    demo.show(tmp_path, "01_x")
    printed = capsys.readouterr().out.replace(str(tmp_path), "")
    assert_marked(printed)
    assert "softmax -2: ⟦not written yet⟧" in printed


# make ---------------------------------------------------------------------------------------------


def make(*arguments, **environment):
    done = subprocess.run(
        ["make", "--no-print-directory", f"PYTHON={sys.executable}", *arguments],
        cwd=HERE,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_lists_its_commands_in_the_systems_language():
    english, spanish = make(LANG="C.UTF-8"), make("help", LANG="es_ES.UTF-8")
    assert "remove what setup" in english and "borra lo que dejaron" in spanish
    assert make(LANG="es_ES.UTF-8", COURSE_LANGUAGE="en") == english
    targets = re.search(r"^\.PHONY: (.*)$", Path(HERE / "Makefile").read_text(), re.MULTILINE)[1]
    listed = set(re.findall(r"^make (\w+)", english, re.MULTILINE))
    assert listed == set(targets.split()) - {"help", "system"}


def test_make_has_a_sentence_for_each_place_that_says_one():
    used = re.findall(r"\$\(SAY\) ([\w-]+)", (HERE / "Makefile").read_text())
    assert set(used) == {*say.SENTENCES, "help"}


def test_what_make_says_is_in_the_catalogue(monkeypatch):
    monkeypatch.setattr(say._messages, "_LOCALES", i18n._LOCALES)
    monkeypatch.setattr(say._messages, "_chosen", "es")
    assert_marked(say._(say.SENTENCES["installing"]).format(".venv"), "venv")
    assert all("⟦" in say._(words) for words in (*say.COMMANDS.values(), *say.SENTENCES.values()))


def _text(node):
    return node.value if isinstance(node, ast.Constant) and _is_sentence(node) else None


def test_why_a_reply_was_no_plain_data_is_in_the_catalogue():
    """A note in the report holds this reason, and translates it where it is shown."""
    reasons = set()
    for path in (HERE / "grader").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BadReply":
                reasons |= {n for n in map(_text, ast.walk(node.args[0])) if n}
    told = [note("{why}", why=Words(reason)) for reason in reasons]
    assert len(told) > 15
    assert all("⟦" in str(one) for one in told), [str(t) for t in told if "⟦" not in str(t)]
