"""Messages follow the language in use, and stay English where no translation is known."""

import io
import json
import os

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

import policy_gradients as pg
from policy_gradients import i18n


@pytest.fixture(autouse=True)
def fresh_language(monkeypatch):
    monkeypatch.delenv("COURSE_LANGUAGE", raising=False)
    i18n.set_language(None)
    yield
    i18n.set_language(None)


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """A Spanish catalogue of two messages in a folder of its own."""
    messages = Catalog(locale="es")
    messages.add("call reset() before the first step()", "antes de step() va reset()")
    messages.add("left", "izquierda")
    packed = io.BytesIO()
    write_mo(packed, messages)
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.mo").write_bytes(packed.getvalue())
    monkeypatch.setattr(i18n, "_LOCALES", (tmp_path / "missing", tmp_path))
    return folder / "messages.mo"


def test_the_language_is_looked_up_at_each_call(catalogue):
    heard = []
    for code in ("en", "es", "en"):
        i18n.set_language(code)
        heard.append(i18n._("left"))
    assert heard == ["left", "izquierda", "left"]


def test_what_is_not_translated_stays_english(catalogue):
    i18n.set_language("es")
    assert i18n._("nobody translated this") == "nobody translated this"
    assert i18n._("") == ""  # gettext itself would answer with the catalogue's header
    assert i18n.N_("left") == "left"


def test_an_unknown_language_or_no_catalogue_does_no_harm(catalogue, monkeypatch):
    i18n.set_language("xx")
    assert i18n._("left") == "left"
    monkeypatch.setattr(i18n, "_LOCALES", ())
    i18n.set_language("es")
    assert i18n._("left") == "left"


@pytest.mark.parametrize("content", [b"", b"not a catalogue", b"\xde\x12\x04\x95" + b"\xff" * 40])
def test_a_broken_catalogue_does_no_harm(catalogue, content):
    catalogue.write_bytes(content)
    i18n.set_language("es")
    assert i18n._("left") == "left"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("course/notebooks/es/01_reinforce", "es"),
        ("course/solutions/es", "es"),
        ("course/notebooks/en/01_reinforce", "en"),
        ("es/course/notebooks/en", "en"),
        ("es/course", "en"),
        ("course/notebooks", "en"),
    ],
)
def test_the_folder_decides_where_nothing_else_does(tmp_path, monkeypatch, folder, expected):
    (tmp_path / folder).mkdir(parents=True)
    assert i18n.language(tmp_path / folder) == expected
    monkeypatch.chdir(tmp_path / folder)
    assert i18n.language() == expected


def a_notebook(path, said):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"cells": [], "metadata": {"policy_gradients": said}}))


def test_a_lesson_unpacked_anywhere_speaks_as_it_is_written(tmp_path, monkeypatch):
    """Step 4 of docs/instructors.md packs one lesson; students unpack it where they like."""
    folder = tmp_path / "01_reinforce"
    a_notebook(folder / "01_reinforce.ipynb", {"language": "es"})
    monkeypatch.chdir(folder)
    assert i18n.language() == "es" and i18n.language(folder) == "es"
    assert i18n.language(tmp_path) == "en"
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    assert i18n.language() == "en"


@pytest.mark.parametrize("said", ["x", {}, {"language": 1}, {"language": "xx"}, ["language"]])
def test_a_notebook_that_names_no_language_of_ours_does_no_harm(tmp_path, monkeypatch, said):
    a_notebook(tmp_path / "01_x.ipynb", said)
    (tmp_path / "02_y.ipynb").write_text("[" * 10_000)
    (tmp_path / "03_z.ipynb").mkdir()
    monkeypatch.chdir(tmp_path)
    assert i18n.language() == "en"


def test_of_two_languages_in_one_folder_the_opened_notebook_decides(tmp_path, monkeypatch):
    a_notebook(tmp_path / "01_x.ipynb", {"language": "en"})
    a_notebook(tmp_path / "Copia de 02_y.ipynb", {"language": "es"})
    a_notebook(tmp_path / "03_z.ipynb", {"language": "es"})
    assert i18n.language(tmp_path, default="?") == "?"
    i18n._language_beside.cache_clear()
    monkeypatch.setenv("JPY_SESSION_NAME", "/some/where/Copia de 02_y.ipynb")
    assert i18n.language(tmp_path) == "es"


def test_a_block_speaks_its_language_and_gives_the_one_before_back(catalogue):
    with i18n.speaking("es"):
        assert i18n._("left") == "izquierda"
        with i18n.speaking("en"):
            assert i18n._("left") == "left"
        with pytest.raises(KeyError), i18n.speaking("en"):
            raise KeyError
        with i18n.speaking(""):
            assert i18n._("left") == "izquierda"
    assert i18n.language() == "en"


def test_the_variable_outranks_the_folder_and_the_call_outranks_both(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "es").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks" / "es")
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    assert i18n.language() == "en"
    i18n.set_language("pt")
    assert i18n.language() == "pt"
    i18n.set_language(None)
    monkeypatch.delenv("COURSE_LANGUAGE")
    assert i18n.language() == "es"


def test_a_folder_that_is_gone_does_no_harm(tmp_path, monkeypatch):
    gone = tmp_path / "notebooks" / "es"
    gone.mkdir(parents=True)
    monkeypatch.chdir(gone)
    os.rmdir(gone)
    assert i18n.language() in ("en", "es")
    assert i18n._("left") == "left"


def test_the_package_speaks_the_language(catalogue):
    i18n.set_language("es")
    with pytest.raises(RuntimeError, match="antes de step"):
        pg.envs.Grid().step(0)
