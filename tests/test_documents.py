"""The documents in other languages: from catalogues, never stale, the same commands and links."""

import re
import shutil
from pathlib import Path

import pytest

from policy_gradients.i18n import _, speaking
from publish import documents, translations
from publish.blocks import cut
from publish.catalogue import languages
from publish.course import Course
from publish.proofread import OWN_NOTEBOOKS, PLACEHOLDER
from tests.publishing import messages

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course(ROOT)
PAIRS = [
    pytest.param(document, language, id=f"{language}-{documents.stem(document)}")
    for language in languages(COURSE)
    for document in documents.DOCUMENTS
]


def english(document):
    return (ROOT / document).read_text(encoding="utf-8")


def other(document, language):
    return (ROOT / documents.place(document, language)).read_text(encoding="utf-8")


def test_every_document_for_people_is_there():
    assert set(documents.documents(COURSE)) == set(documents.DOCUMENTS)
    # What is measured or generated, and what is for nobody but the maintainer.
    others = {"benchmarks.md", "claims.md", "kill_table.md", "libraries.md", "scale.md"}
    docs = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert docs == others | {Path(d).name for d in documents.DOCUMENTS if d.startswith("docs/")}


@pytest.mark.parametrize(("document", "language"), PAIRS)
def test_the_committed_document_is_what_the_catalogue_makes(document, language):
    assert other(document, language) == documents.built(COURSE, document, language)


@pytest.mark.parametrize(("document", "language"), PAIRS)
def test_no_sentence_of_it_is_english(document, language):
    mine = {block for _line, block in documents.texts(english(document))}
    left = [b for _line, b in documents.texts(other(document, language)) if b in mine]
    assert left == []


def commands(text):
    """The lines of all blocks of code, without comments; notebooks/en, STUDENT and the like made
    alike. (Code between backticks is held to the English text by text, as in the lessons.)"""
    found = []
    for block in cut(text):
        lines = block.split("\n")
        indented = all(line.startswith("    ") for line in lines)
        if lines[0].startswith("```python"):
            found += lines
        elif indented or lines[0].startswith("```"):
            code = OWN_NOTEBOOKS.sub(
                "notebooks/..", re.sub(r"(?m)(?:^|(?<=\S)\s+)# .*$", "", block)
            )
            found += [PLACEHOLDER.sub("..", line).rstrip() for line in code.splitlines()]
    return found


@pytest.mark.parametrize(("document", "language"), PAIRS)
def test_its_commands_are_those_of_the_english(document, language):
    """The English ones are run by tests; so these do what they say, too."""
    assert commands(other(document, language)) == commands(english(document))


def test_commands_are_seen():
    assert len(commands(english("docs/instructors.md"))) > 40
    assert "    make lab" in commands(english("README.md"))


def test_the_guide_quotes_the_doctors_last_line():
    for language, guide in (("en", english), ("es", lambda name: other(name, "es"))):
        with speaking(language):
            said = _("Submissions can be isolated here.").rstrip(".").removeprefix("Submissions ")
        assert said in guide("docs/instructors.md")


@pytest.mark.parametrize("language", ["en", *languages(COURSE)])
def test_the_reasons_in_the_guide_are_those_that_the_grader_gives(language):
    page = (ROOT / documents.place("docs/grading.md", language)).read_text(encoding="utf-8")
    with speaking(language):
        said = [_(text) for text in messages()]
    said += [re.sub(r" ?\(\{\w+\}\)", "", text) for text in said]
    first = page.index("\n|", page.index("\n| `failed` |") + 14)
    cells = [row.split("|")[1] for row in page[first:].strip().split("\n\n")[0].split("\n")[2:]]
    parts = [part.strip() for cell in cells for part in re.split(r"\.\.\.| / ", cell)]
    told = [part for part in parts if len(part) > 5]
    assert len(told) > 15
    assert [part for part in told if not any(part in text for text in said)] == []


@pytest.mark.parametrize(("document", "language"), PAIRS)
def test_commands_name_its_own_notebooks(document, language):
    fences = "".join(re.findall(r"```bash\n(.*?)```", other(document, language), re.DOTALL))
    assert set(OWN_NOTEBOOKS.findall(fences)) <= {f"notebooks/{language}"}


def anchors(path):
    headings = re.findall(r"^#+ .*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {documents.slug(heading) for heading in headings}


@pytest.mark.parametrize("language", ["en", *languages(COURSE)])
@pytest.mark.parametrize("document", documents.DOCUMENTS)
def test_its_links_lead_somewhere(document, language):
    path = ROOT / documents.place(document, language)
    for target in documents.LINK.findall(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize(("document", "language"), PAIRS)
def test_its_links_stay_in_the_language(document, language):
    """But for the line that leads to the same document in the others."""
    path = ROOT / documents.place(document, language)
    lines = path.read_text(encoding="utf-8").splitlines()
    body = "\n".join(line for line in lines if "[English](" not in line)
    there = {(path.parent / t).resolve() for t in documents.LINK.findall(body)}
    assert not there & {(ROOT / one).resolve() for one in documents.DOCUMENTS}


# A document of two paragraphs ---------------------------------------------------------------------

TEXT = (
    "# Title here\n\nEnglish · [Español](README.es.md)\n\nSome words, see [below](#the-end) and "
    "[the guide](docs/grading.md#one-part).\n\n```bash\n# Run it.\nmake x\n```\n\n    make y\n\n"
    "```python\n# code stays\n```\n\n## The end\n\nLast words.\n"
)
WORDS = {
    "# Title here": "# Un título",
    "Some words, see [below](#the-end) and [the guide](docs/grading.md#one-part).": (
        "Palabras, [abajo](#the-end) y en [la guía](docs/grading.md#one-part)."
    ),
    "```bash\n# Run it.\nmake x\n```": "```bash\n# Ejecútalo.\nmake x\n```",
    "## The end": "## El final",
    "Last words.": "Últimas palabras.",
    "# Grading": "# Corregir",
    "## One part": "## Una parte",
}


@pytest.fixture
def small(tmp_path):
    from tests.test_translations import translate

    for package in ("lessons", *translations.PACKAGES, "docs"):
        (tmp_path / package).mkdir(exist_ok=True)
    (tmp_path / "README.md").write_text(TEXT)
    (tmp_path / "docs" / "grading.md").write_text("# Grading\n\n## One part\n")
    assert translations.main(["--root", str(tmp_path), "--add", "es"]) == 0
    translate(tmp_path, "es", lambda text: WORDS.get(text, ""))
    assert translations.main(["--root", str(tmp_path)]) == 0
    return tmp_path


def test_a_document_is_translated_block_by_block(small):
    text = (small / "README.es.md").read_text(encoding="utf-8")
    mark, rest = text.split("\n", 1)
    assert mark.startswith("<!-- From README.md and locale/es/LC_MESSAGES/README.po")
    assert rest == (
        "# Un título\n\n[English](README.md) · Español\n\nPalabras, [abajo](#el-final) y en "
        "[la guía](docs/es/grading.md#una-parte).\n\n```bash\n# Ejecútalo.\nmake x\n```\n\n"
        "    make y\n\n```python\n# code stays\n```\n\n## El final\n\nÚltimas palabras.\n"
    )
    assert "# Corregir\n\n## Una parte\n" in (small / "docs/es/grading.md").read_text()


def test_an_edit_of_the_english_makes_it_stale(small, capsys):
    (small / "README.md").write_text(TEXT.replace("Last words", "Very last words"))
    assert translations.main(["--root", str(small), "--check"]) == 1
    assert "README.es.md" in capsys.readouterr().out
    assert translations.main(["--root", str(small)]) == 0
    assert "README.po: 1 of 5 texts are not translated" in capsys.readouterr().out
    assert "Very last words." in (small / "README.es.md").read_text()


def test_a_missing_document_is_stale(small, capsys):
    shutil.rmtree(small / "docs" / "es")
    assert translations.main(["--root", str(small), "--check"]) == 1
    assert "docs/es/grading.md" in capsys.readouterr().out
