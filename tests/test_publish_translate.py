"""The second language: blocks, catalogues, their update, and notebooks made from them."""

import io

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from hypothesis import example, given
from hypothesis import strategies as st

from publish import translations
from publish.blocks import cut, is_translatable, translated
from publish.catalogue import text_in
from tests.publishing import copy_course, publish, read

PIECES = [
    "word",
    "# Heading",
    "",
    " ",
    "- item",
    "| a | b |",
    "$$",
    "$$x$$",
    "```",
    "~~~~",
    "``",
    "<details>",
    "</details>",
    "<summary>s</summary>",
    "    code",
    "### BEGIN MARK SCHEME",
    "a $$ b",
    "> quote",
    "\t",
    "1. one",
]


@given(st.lists(st.sampled_from(PIECES)).map("\n".join))
@example("a\n\n$$\nx\n\ny\n$$\n\nb")
@example("")
def test_blocks_join_to_the_text(text):
    assert "\n".join(cut(text)) == text


@given(st.text())
def test_blocks_of_any_text_join_to_it(text):
    assert "\n".join(cut(text)) == text


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("one\ntwo\n\nthree", ["one\ntwo", "", "three"]),
        ("# Title\ntext", ["# Title", "text"]),
        ("text\n## Title", ["text", "## Title"]),
        ("- a\n- b\n\n- c", ["- a\n- b", "", "- c"]),
        ("```python\na = 1\n\nb = 2\n```", ["```python\na = 1\n\nb = 2\n```"]),
        ("````\n```\n\n````\n\nx", ["````\n```\n\n````", "", "x"]),
        ("$$\na\n\nb\n$$\n\nx", ["$$\na\n\nb\n$$", "", "x"]),
        ("$$a$$\n\nx", ["$$a$$", "", "x"]),
        (
            "<details>\n<summary>Hint</summary>\n\n# no heading\n\n</details>\n\nx",
            ["<details>\n<summary>Hint</summary>\n\n# no heading\n\n</details>", "", "x"],
        ),
        (
            "<details>\n<details>\n</details>\n\ny\n</details>\n\nx",
            ["<details>\n<details>\n</details>\n\ny\n</details>", "", "x"],
        ),
        ("| a |\n|---|\n| 1 |\n\nx", ["| a |\n|---|\n| 1 |", "", "x"]),
        ("#hashtag\ntext", ["#hashtag\ntext"]),
        ("```\n# comment\n```", ["```\n# comment\n```"]),
    ],
)
def test_text_is_cut_where_a_translator_expects_it(text, blocks):
    assert cut(text) == blocks


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("word", True),
        ("$$x = y$$", False),
        (r"$$r \text{ if done}$$", True),
        ("", False),
        ("---", False),
        ("### BEGIN MARK SCHEME", False),
        ("$a$ is a reward", True),
        ("$$x$$ and $$y$$", True),
        ("ñ", True),
        ("| 1 | 2 |", False),
    ],
)
def test_only_blocks_with_words_are_translated(block, expected):
    assert is_translatable(block) is expected


def test_translation_changes_words_and_keeps_the_rest():
    text = "# Title\n\n$$x$$\n\nWords\nhere.\n\n\n- a"
    shouted = translated(text, str.upper)
    assert shouted == "# TITLE\n\n$$x$$\n\nWORDS\nHERE.\n\n\n- A"


# The lessons of the fixture course that these texts belong to.
TRANSLATED = ["01_first", "02_second"]
SPANISH = {
    "# First steps": "# Primeros pasos",
    "A **reward** is a number. Its sum is the *return*:": (
        "Una **recompensa** es un número. Su suma es el *retorno*:"
    ),
    "- one item\n- another item": "- un punto\n- otro punto",
    "## The return": "## El retorno",
    "The sum of the rewards, (T,) -> float: total([1, 2]) is 3.0.": "La suma, (T,) -> float.",
    '"up" or "down"': '"up" o "down"',
    '"a", "b" or "c"': '"a", "b" o "c"',
    "Why is the return a random variable?": "¿Por qué es aleatorio el retorno?",
    "Because the actions are sampled.": "Porque las acciones se sortean.",
    "Two points for the policy, two for the environment.": "Dos puntos y dos puntos.",
    "A bar of height three.": "Una barra de altura tres.",
    "# Second steps": "# Segundos pasos",
    "The mean reward, (T,) -> float: mean([1, 3]) is 2.0.": "La media, (T,) -> float.",
}
CODE = {
    '    """The sum of the rewards, (T,) -> float: total([1, 2]) is 3.0."""': (
        '    """La suma, (T,) -> float."""'
    ),
    '"up" or "down"': '"up" o "down"',
    '"a", "b" or "c"': '"a", "b" o "c"',
}


@pytest.fixture
def course(tmp_path):
    """The fixture course with a full Spanish catalogue, made as a translator would."""
    root = copy_course(tmp_path)
    for package in translations.PACKAGES:
        (root / package).mkdir(exist_ok=True)
    (root / "grader" / "words.py").write_text(
        "print(_('right'))\nlate = N_('wrong {n} %')\nplain('not a message')\n"
        "Mistake('name', 'a ' 'hint', like=lambda _: [_('right')])\nMistake('name', HINT)\n"
        "SUM_HINTS = {'halved': 'no ' 'half', 'other': HINT}\nother = {'key': 'no message'}\n"
        "Choice('q', right='a', hints={'b': 'why b'})\nOTHER_HINTS = made(SUM_HINTS)\n"
    )
    assert translations.main(["--root", str(root), "--add", "es"]) == 0
    for name in TRANSLATED:
        fill(catalogue(root, name), SPANISH)
    return root


def catalogue(root, name):
    return root / "locale" / "es" / "LC_MESSAGES" / f"{name}.po"


def fill(path, words):
    """Write the translations into the catalogue's text as an editor does."""
    with path.open("rb") as file:
        filled = read_po(file, locale="es")
    for entry in filled:
        if entry.id:
            entry.string = words.get(entry.id, entry.string)
    written = io.BytesIO()
    translations.write_po(written, filled, width=0)
    path.write_bytes(written.getvalue())


def test_a_new_language_has_every_text_of_every_lesson(course):
    for name in TRANSLATED:
        with catalogue(course, name).open("rb") as file:
            ids = [entry.id for entry in read_po(file) if entry.id]
        assert ids and set(ids) <= set(SPANISH)
    with catalogue(course, "messages").open("rb") as file:
        assert {entry.id for entry in read_po(file) if entry.id} == {
            "right",
            "wrong {n} %",
            "a hint",
            "no half",
            "why b",
        }
    assert "format" not in catalogue(course, "messages").read_text()


def test_prose_is_spanish_and_code_is_the_same_but_for_its_remarks(course):
    assert publish(course, *TRANSLATED, "--no-execute", "--language", "es", "--strict") == 0
    assert publish(course, "--no-execute") == 0
    english, spanish = (read(course, "notebooks", "01_first", code) for code in ("en", "es"))
    assert spanish.cells[0].source == (
        "# Primeros pasos\n\nUna **recompensa** es un número. Su suma es el *retorno*:\n\n"
        "$$R(\\tau) = \\sum_t r_t$$\n\n- un punto\n- otro punto"
    )
    assert spanish.metadata.policy_gradients.language == "es"
    for old, new in zip(english.cells, spanish.cells, strict=True):
        assert old.id == new.id and old.metadata.get("tags") == new.metadata.get("tags")
        if old.cell_type == "code":
            expected = old.source
            for english_text, spanish_text in CODE.items():
                expected = expected.replace(english_text, spanish_text)
            assert new.source == expected
            assert _flags(old) == _flags(new)
    assert spanish.cells[-1].metadata.alt == "Una barra de altura tres."
    solved = read(course, "solutions", "01_first", "es")
    answer = next(cell.source for cell in solved.cells if cell.id == "q_why")
    assert answer.startswith("Porque las acciones se sortean.\n\n### BEGIN MARK SCHEME\n")


def _flags(cell):
    """nbgrader's entries without the checksum, which is one of the docstring as well."""
    return {k: v for k, v in cell.metadata.get("nbgrader", {}).items() if k != "checksum"}


def test_a_given_cell_speaks_the_language_too(course):
    assert publish(course, *TRANSLATED, "--no-execute", "--language", "es", "--strict") == 0
    second = read(course, "notebooks", "02_second", "es")
    (given_cell,) = (c for c in second.cells if c.metadata.policy_gradients.kind == "given")
    assert '"""La suma, (T,) -> float."""' in given_cell.source


def test_the_kernel_hears_the_language(course):
    lesson = course / "lessons" / "02_second.py"
    shows = "import os\n\nprint(os.environ['COURSE_LANGUAGE'])\nprint(mean"
    lesson.write_text(lesson.read_text().replace("print(mean", shows))
    assert publish(course, "02_second", "--language", "es") == 0
    output = read(course, "solutions", "02_second", "es").cells[-1].outputs[0].text
    assert output == "es\n1.0\n"


def test_an_english_edit_makes_the_entry_fuzzy_and_the_text_english(course, capsys):
    lesson = course / "lessons" / "01_first.py"
    lesson.write_text(lesson.read_text().replace("Its sum is the", "Their sum is the"))
    assert translations.main(["--root", str(course), "--check"]) == 1
    assert "locale/es/LC_MESSAGES/01_first.po" in capsys.readouterr().out
    assert translations.main(["--root", str(course)]) == 0
    assert "#, fuzzy" in catalogue(course, "01_first").read_text()

    assert publish(course, "01_first", "--no-execute", "--language", "es") == 0
    first = read(course, "notebooks", "01_first", "es").cells[0].source
    assert "Their sum is the *return*" in first and "# Primeros pasos" in first

    capsys.readouterr()
    assert publish(course, "01_first", "--no-execute", "--language", "es", "--strict") == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("lessons/01_first.py:6: Not translated: 'A **reward** is a number.")
    assert len(said.splitlines()) == 1


def test_an_update_is_the_same_however_often_it_is_run(course):
    lesson = course / "lessons" / "01_first.py"
    lesson.write_text(lesson.read_text().replace("Its sum is the", "Their sum is the"))
    assert translations.main(["--root", str(course)]) == 0
    before = catalogue(course, "01_first").read_bytes()
    assert translations.main(["--root", str(course)]) == 0
    assert catalogue(course, "01_first").read_bytes() == before
    assert translations.main(["--root", str(course), "--check"]) == 0


def test_an_update_keeps_what_is_translated(course):
    fill(catalogue(course, "messages"), {"right": "correcto"})
    assert translations.main(["--root", str(course)]) == 0
    with catalogue(course, "01_first").open("rb") as file:
        assert read_po(file).get("## The return").string == "## El retorno"
    compiled = course / "policy_gradients/locale/es/LC_MESSAGES/messages.mo"
    assert compiled.read_bytes().count(b"correcto") == 1


def test_the_stub_of_a_free_text_is_translated(course):
    catalogue(course, "messages").write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "*Write your answer here.*"\nmsgstr "*Escribe aquí tu respuesta.*"\n'
    )
    stub = text_in("es", "*Write your answer here.*", course / "locale")
    assert stub == "*Escribe aquí tu respuesta.*"
    assert text_in("en", "*Write your answer here.*", course / "locale") == (
        "*Write your answer here.*"
    )


def test_a_language_without_catalogues_is_an_error(course, capsys):
    assert publish(course, "--language", "xx") == 2
    assert "There are no catalogues for the language 'xx'. Remedy: " in capsys.readouterr().err
    assert not (course / "notebooks").exists()


def test_a_broken_catalogue_is_named(course, capsys):
    broken = catalogue(course, "01_first").read_text().replace('msgid "## The', "mgsid ## The")
    catalogue(course, "01_first").write_text(broken)
    line = broken[: broken.index("mgsid")].count("\n") + 1
    wanted = f"locale/es/LC_MESSAGES/01_first.po:{line}: The catalogue cannot be read"
    assert publish(course, "--no-execute", "--language", "es") == 2
    assert wanted in capsys.readouterr().err
    assert translations.main(["--root", str(course)]) == 2
    assert wanted in capsys.readouterr().err
    assert catalogue(course, "01_first").read_text() == broken


def test_a_word_that_is_no_language_is_an_error(course, capsys):
    assert translations.main(["--root", str(course), "--add", "klingonish"]) == 2
    assert "'klingonish' is no language's code" in capsys.readouterr().err
    assert not (course / "locale" / "klingonish").exists()


def test_babel_finds_the_extractor_and_gets_each_block_with_its_line(course):
    with (course / "lessons" / "01_first.py").open("rb") as file:
        text = (course / "lessons" / "01_first.py").read_text().splitlines()
        found = list(extract("publish.extract:extract_lesson", file))
    assert [message for _, message, _, _ in found] == [
        message for message in SPANISH if not message.startswith(("# Second", "The mean reward"))
    ]
    for line, message, _, _ in found:
        assert message.splitlines()[0] in text[line - 1]
