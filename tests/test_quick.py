"""The quick set holds what was touched, and nothing that takes long."""

from types import SimpleNamespace

from tests import quick
from tests.test_bank import ENTRIES


def test_a_files_path_says_whose_lesson_it_is():
    files = [
        "lessons/04_ppo_clip.py",
        "grader/checks/lesson_03b/learning.py",
        "README.md",
        "bank/lesson_02/worlds.py",
        "locale/es/LC_MESSAGES/06_toward_language.po",
        "tests/test_lesson_05.py",
        "grader/checks/shared/rows.py",
        "solutions/en/01_reinforce/01_reinforce.ipynb",
    ]
    assert quick.lessons_of(files) == {"02", "03b", "04", "05", "06"}


def item(module, entry=None):
    given = SimpleNamespace(params={"entry": entry} if entry else {})
    return SimpleNamespace(path=SimpleNamespace(stem=module), callspec=given, entry=entry)


def test_the_bank_and_the_tests_of_a_touched_lesson_are_in_it():
    entries = [item("test_bank", entry) for entry in ENTRIES]
    modules = [item(f"test_lesson_{n}") for n in ("03", "03b", "04", "04_kl")]
    others = [item("test_bank"), item("test_faults"), item("test_checks")]
    kept = quick.selected([*entries, *modules, *others], {"04"})
    assert [one.path.stem for one in kept if not one.entry] == [
        "test_lesson_04",
        "test_lesson_04_kl",
        "test_checks",
    ]
    judged = {one.entry.exercise for one in kept if one.entry}
    assert "ppo_clip_loss" in judged and "softmax" not in judged and "gae" not in judged


def test_nothing_of_a_lesson_where_none_was_touched():
    kept = quick.selected([item("test_bank", ENTRIES[0]), item("test_wire")], set())
    assert [one.path.stem for one in kept] == ["test_wire"]
