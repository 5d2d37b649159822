"""The course in other languages: complete, faithful to the English, and in its own good words.

The rules for one text are in publish/proofread.py and publish/spanish.py; here each is shown to
fail on a broken sample, and all are held against every text under locale/.
"""

import ast
import csv
import functools
import json
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from babel.messages.pofile import read_po

from grader.grading.autograde import Options, autograde
from policy_gradients.i18n import _, speaking
from publish import documents, proofread, spanish, translations
from publish.catalogue import compiled, compiled_path, languages
from publish.course import Course
from tests import classroom, forked
from tests.classroom import NAME, submit
from tests.publishing import publish
from tests.sandboxes import needs_walls
from tests.warm import warm  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course(ROOT)
LANGUAGES = languages(COURSE)
GLOSSARY = (ROOT / "locale" / "glossary.md").read_text(encoding="utf-8")
CATALOGUES = sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po"))


def entries(path):
    with path.open("rb") as file:
        return [entry for entry in read_po(file) if entry.id]


# The catalogues ------------------------------------------------------------------------------


def test_spanish_is_among_the_languages():
    assert "es" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_text_has_a_catalogue(language):
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    documented = map(documents.stem, documents.documents(COURSE))
    wanted = {"messages", *COURSE.lesson_names(), *COURSE.page_names(), *documented}
    assert {path.stem for path in folder.glob("*.po")} == wanted


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_each_entry_is_translated_and_breaks_no_rule(path):
    language = path.parts[-3]
    missing = [entry.id for entry in entries(path) if not entry.string or entry.fuzzy]
    assert not missing
    rules = translations.rules(COURSE, language)
    broken = [
        f"line {entry.lineno}: {rule.__name__}: {words}"
        for entry in entries(path)
        for rule in rules
        for words in rule(entry.id, entry.string)
    ]
    assert not broken, "\n".join(broken)


def test_nothing_is_stale(capsys):
    assert translations.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_messages_are_the_catalogues(language):
    assert compiled_path(COURSE, language).read_bytes() == compiled(COURSE, language)


def test_the_glossary_has_each_term_once_and_excuses_what_there_is():
    terms = [term.english for term in spanish.read_glossary(GLOSSARY)]
    assert len(terms) > 90 and len(set(terms)) == len(terms)
    known = [entry.id for path in CATALOGUES if path.parts[-3] == "es" for entry in entries(path)]
    for term, begins in spanish.read_exceptions(GLOSSARY):
        assert term in terms
        assert any(text.startswith(begins) for text in known), f"no entry begins with {begins!r}"


# The rules -----------------------------------------------------------------------------------

SPANISH_RULES = {rule.__name__: rule for rule in translations.rules(COURSE, "es")}
FAITHFUL = [
    ("The return is $R=\\sum_t r_t$.", "El retorno es $R=\\sum_t r_t$."),
    ("$$r \\quad\\text{if done}$$", "$$r \\quad\\text{si acabó}$$"),
    ("It costs \\$6, `a$b` and $x$.", "Cuesta \\$6, `a$b` y $x$."),
    ("Call `reset()` first.", "Llama antes a `reset()`."),
    ("```python\nx = 1  # one\n```", "```python\nx = 1  # uno\n```"),
    ("`DIR/STUDENT` in `notebooks/en`", "`DIR/ESTUDIANTE` de `notebooks/es`"),
    ("{n} of {total:.2f} points", "{n} de {total:.2f} puntos"),
    ("a set {a", "un conjunto {a"),
    ("See [lesson 01](../01/01.ipynb).", "Mira la [lección 01](../01/01.ipynb)."),
    ("## A title\n\n- one\n- two\n", "## Un título\n\n- uno\n- dos\n"),
    ("| a | b |\n|---|---|\n| `x \\| y` | 2 |", "| a | b |\n|---|---|\n| `x \\| y` | 2 |"),
    ("<details><summary>Hint</summary>x</details>", "<details><summary>Pista</summary>x</details>"),
    (
        "It took 12,000 steps, 95% of them\nin 2000. Then two.",
        "Tardó 12\u202f000 pasos, el 95 % en\n2000. Después, 2.",
    ),
    ("In *the cat and the dog* it barks.", "En *the cat and the dog* ladra."),
    ("What is it?", "¿Qué es?"),
    ("The states s and s'.", "Los estados s y s'."),
    ('"a" or "b"', '"a" o "b"'),
    (
        "The policies return the rewards of 2 trajectories.",
        "Las políticas devuelven las recompensas de 2 trayectorias.",
    ),
    ("rollout(env, theta) gives rewards (T,).", "rollout(env, theta) da rewards (T,)."),
    ("An unbiased policy gradient.", "Un gradiente de política insesgado."),
    (
        "[The gradient and the policy](https://x.org/y).",
        "[The gradient and the policy](https://x.org/y).",
    ),
    ("Compare two runs.", "Compara dos ejecuciones cuando el código las compare."),
]


@pytest.mark.parametrize(("english", "translated"), FAITHFUL)
def test_a_faithful_translation_breaks_no_rule(english, translated):
    for rule in SPANISH_RULES.values():
        assert list(rule(english, translated)) == [], rule.__name__


BROKEN = [
    ("formulas", "It is $r_t$.", "Es $r_{t+1}$.", "r_{t+1}"),
    ("formulas", "$\\pi_\\text{old}$", "$\\pi_\\text{vieja}$", "vieja"),
    ("formulas", "$$a$$ and $b$", "$$a$$ y b", "$b$"),
    ("code_spans", "Call `reset()`.", "Llama a `reinicia()`.", "reset()"),
    ("code_spans", "`make ARGS=x`", "`make ORDEN=x`", "ARGS"),
    ("code_spans", "`notebooks/en`", "`solutions/es`", "solutions"),
    ("code_spans", "```\nx = 1\n```", "```\nx = 2\n```", "x = 2"),
    ("placeholders", "{n} steps", "{m} pasos", "{m"),
    ("placeholders", "{n:.2f} steps", "{n} pasos", ".2f"),
    ("placeholders", "{n} steps", "n} pasos", "braces"),
    ("links", "[a](x.ipynb)", "[a](es/x.ipynb)", "es/x.ipynb"),
    ("links", "see https://a.org/1", "mira https://a.org/2", "a.org/2"),
    ("structure", "## Title", "### Título", "## became ###"),
    ("structure", "- a\n- b", "- a\nb", "Markdown"),
    ("structure", "- a\n  - b", "- a\n- b", "Markdown"),
    ("structure", "| a | b |\n|---|---|", "| a |\n|---|---|", "|x2"),
    ("structure", "**a** b", "a b", "bold"),
    ("structure", "<b>a</b>", "<b>a", "</b>"),
    ("edges", "word ", "palabra", "white space"),
    ("edges", "\nword", "palabra", "white space"),
    ("numbers", "in 30 steps", "en 40 pasos", "40"),
    ("numbers", "0.5 of it", "0,5 de eso", "0.5"),
    ("numbers", "step 2", "paso 3", "2"),
    ("left_in_english", "The sum of the rewards.", "La suma of the recompensas.", "of, the"),
    ("untouched", "One step and two more steps.", "One step and two more steps.", "English"),
    ("address", "Run the cell.", "Ejecute la celda.", "Ejecute"),
    ("address", "Look: write it.", "Mira: escriba eso.", "escriba"),
    ("address", "You know it.", "Usted lo sabe.", "Usted"),
    ("address", "You know it.", "Ya lo sabéis.", "sabéis"),
    ("address", "Write it.", "- Escribid eso.", "Escribid"),
    ("signs", "What is it?", "Qué es?", "¿ and ?"),
    ("signs", "a «b»", "a «b", "« and »"),
    ("signs", 'the "good" one', 'la "buena"', "« and »"),
    ("signs", "95% of it", "el 95% de eso", "%"),
    ("signs", "20,000 batches", "20,000 lotes", "thin space"),
    ("signs", "only one", "sólo una", "solo"),
    ("glossary", "the baseline", "la línea de base", "línea base"),
    ("glossary", "the baselines", "los promedios", "línea base"),
    ("glossary", "an importance ratio", "un cociente", "razón de importancia"),
    ("glossary", "your submission", "tu envío", "entrega"),
    ("glossary", "The mean reward.", "El reward medio.", "recompensa"),
    ("glossary", "one rollout", "una recolección", "rollout"),
    ("glossary", "the rewards-to-go", "las recompensas que quedan", "retorno restante"),
    ("glossary", "the reward-to-go", "la recompensa futura", "retorno restante"),
]


@pytest.mark.parametrize(("rule", "english", "translated", "words"), BROKEN)
def test_each_rule_fails_on_a_broken_sample(rule, english, translated, words):
    assert words in "; ".join(SPANISH_RULES[rule](english, translated))


def test_every_rule_has_a_broken_sample():
    assert {rule for rule, *_ in BROKEN} == set(SPANISH_RULES)


# The notebooks -------------------------------------------------------------------------------


def notebooks():
    """(the English notebook's path, its twin's) for each lesson, page and language."""
    found = []
    for language in LANGUAGES:
        for place, names in (
            (COURSE.notebook_path, COURSE.lesson_names()),
            (COURSE.solution_path, COURSE.lesson_names()),
            (COURSE.page_path, COURSE.page_names()),
        ):
            for name in names:
                twin = place(name, language)
                found.append(pytest.param(place(name, "en"), twin, id=COURSE.shown(twin)))
    return found


class Bare(ast.NodeTransformer):
    """Takes docstrings away; comments are no part of the tree."""

    def visit_FunctionDef(self, node):
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)

    visit_ClassDef = visit_Module = visit_FunctionDef


def code_of(cell):
    """What Python does with the cell; its text where it is no plain Python."""
    try:
        return ast.dump(Bare().visit(ast.parse(cell.source)))
    except SyntaxError:
        return cell.source


def form_of(cell):
    """Everything that grading and reading hang on, and nothing that a translator writes."""
    metadata = json.loads(json.dumps(cell.metadata))
    for part in (metadata, metadata["policy_gradients"]):
        if "alt" in part:
            part["alt"] = bool(part["alt"])
    metadata.get("nbgrader", {}).pop("checksum", None)  # of the text
    metadata["policy_gradients"].pop("text", None)  # likewise, where nbgrader has none
    shown = [(one.output_type, sorted(one.get("data", {}))) for one in cell.get("outputs", [])]
    return cell.id, cell.cell_type, metadata, shown


@pytest.mark.parametrize(("path", "twin"), notebooks())
def test_a_notebooks_twin_is_the_same_in_all_but_prose(path, twin):
    english, other = (nbformat.read(one, as_version=4) for one in (path, twin))
    assert [form_of(cell) for cell in english.cells] == [form_of(cell) for cell in other.cells]
    for ours, theirs in zip(english.cells, other.cells, strict=True):
        if ours.cell_type == "code":
            assert code_of(ours) == code_of(theirs)
            continue
        for rule in (proofread.formulas, proofread.code_spans, proofread.structure):
            assert list(rule(ours.source, theirs.source)) == []


def test_a_change_of_code_would_be_seen():
    cells = [
        nbformat.v4.new_code_cell(text)
        for text in (
            'def f(x):\n    """One."""\n    return x  # same\n',
            'def f(x):\n    """Uno."""\n    return x  # lo mismo\n',
            'def f(x):\n    """One."""\n    return -x\n',
            'print("one")',
            'print("uno")',
        )
    ]
    one, uno, other, said, dicho = map(code_of, cells)
    assert one == uno != other and said != dicho


# A class in two languages --------------------------------------------------------------------

WRONG = "def softmax(x):\n    w = np.exp(x - x.max(0))\n    return w / w.sum(0)\n"
WORDS = {
    "# A tiny lesson": "# Una lección diminuta",
    "## Softmax": "## Softmax",
    "## The return": "## El retorno",
    "Because the model answer says so.": "Porque lo dice la respuesta modelo.",
}


def translate(root, language, words):
    """Writes what words(text) returns into each catalogue of the language, as an editor does."""
    for path in (root / "locale" / language / "LC_MESSAGES").glob("*.po"):
        with path.open("rb") as file:
            catalogue = read_po(file)
        for entry in catalogue:
            entry.string = words(entry.id) if entry.id else entry.string
        with path.open("wb") as file:
            translations.write_po(file, catalogue, width=0)


@pytest.fixture(scope="module")
def two_languages(tmp_path_factory):
    """The tiny course in English and in Spanish."""
    root = tmp_path_factory.mktemp("two")
    shutil.copytree(classroom.TINY / "lessons", root / "lessons")
    for package in translations.PACKAGES:
        (root / package).mkdir(exist_ok=True)
    assert translations.main(["--root", str(root), "--add", "es"]) == 0
    translate(root, "es", lambda text: WORDS.get(text, ""))
    assert publish(root, "--no-execute") == 0
    return classroom.Course(root)


def in_language(course, language, **texts):
    """The handed-out notebook of that language with answers typed in."""
    notebook = json.loads(course.path(NAME, language).read_text(encoding="utf-8"))
    for name, text in {**classroom.SOLUTIONS, **texts}.items():
        cell = classroom.find(notebook, f"{name}-answer") or classroom.find(notebook, name)
        cell["source"] = text
    return notebook


@needs_walls
@pytest.mark.usefixtures("warm")
def test_one_run_marks_both_languages_and_speaks_to_each_in_its_own(two_languages, tmp_path):
    for student, language in (("ann", "en"), ("eva", "es")):
        submit(tmp_path / "in", student, in_language(two_languages, language, softmax=WRONG))
    autograde(
        Options(
            tmp_path / "in",
            tmp_path / "out",
            two_languages,
            jobs=1,
            secret_file=tmp_path / "secret",
        )
    )
    with open(tmp_path / "out" / "grades.csv", encoding="utf-8", newline="") as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    ann, eva = ([row[1:] for row in rows if row[0] == name] for name in ("ann", "eva"))
    assert ann == eva and [row[2] for row in ann][:2] == ["0", "2"]
    pages = {
        name: (tmp_path / "out/feedback" / name / NAME / f"{NAME}.html").read_text("utf-8")
        for name in ("ann", "eva")
    }
    assert '<html lang="en">' in pages["ann"] and '<html lang="es">' in pages["eva"]
    assert "2 of 9 points" in pages["ann"] and "2 of 9 points" not in pages["eva"]
    with speaking("es"):
        spanish_words = _("{score} of {most} points").format(score=2, most=9)
        hint = "Which axis holds the actions? Each row must sum to 1."
        labels = [_(label) for label in ("not yet", "correct", "no answer", hint)]
    assert spanish_words in pages["eva"] and all(label in pages["eva"] for label in labels)
    assert not any(label in pages["ann"] for label in labels)


def test_the_translators_command_tells_what_is_missing_and_what_is_broken(tmp_path, capsys):
    root = tmp_path
    shutil.copytree(classroom.TINY / "lessons", root / "lessons")
    for package in translations.PACKAGES:
        (root / package).mkdir(exist_ok=True)
    (root / "grader" / "words.py").write_text("_('{n} steps')\n")
    assert translations.main(["--root", str(root), "--add", "es"]) == 0
    said = capsys.readouterr().out
    assert "locale/es/LC_MESSAGES/messages.po: 1 of 1 texts are not translated" in said
    compiled_before = compiled_path(Course(root), "es").read_bytes()
    translate(root, "es", lambda text: "{m} pasos" if text == "{n} steps" else text)
    assert compiled(Course(root), "es") != compiled_before
    assert translations.main(["--root", str(root)]) == 0
    said = capsys.readouterr().out
    line = (root / "locale/es/LC_MESSAGES/messages.po").read_text().split('msgid "{n}')[0]
    assert f"messages.po:{line.count(chr(10)) + 1}: placeholders: " in said
    assert "not translated" not in said and compiled(Course(root), "es") != compiled_before


# A third language ----------------------------------------------------------------------------


def pseudo(text):
    """A translation that everyone can tell: "pt" behind the mark of a heading or list."""
    mark = re.match(r"\s*(?:#+ |[-*] |\d+\. )?", text).group()
    return f"{mark}pt {text[len(mark) :]}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the repository with the tiny lesson alone, and no language but English."""
    root = tmp_path_factory.mktemp("third") / "course"
    hidden = shutil.ignore_patterns("__pycache__", "tests", "locale")
    for package in ("grader", "policy_gradients", "publish"):
        shutil.copytree(ROOT / package, root / package, ignore=hidden)
    shutil.copytree(classroom.TINY / "lessons", root / "lessons")
    return root


@pytest.fixture(scope="module")
def python():
    server = forked.Server()
    yield functools.partial(python_in, server)
    server.close()


def python_in(server, root, *arguments, folder=None):
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PYTHONPATH": str(root), "PATH": programs}
    environment.pop("COURSE_LANGUAGE", None)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # five processes load this copy
    done = server.run(arguments, folder or root, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_walls
def test_a_third_language_needs_no_code(tree, python):
    """As CONTRIBUTING says: begin it, fill the catalogues, update, build."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert 'make translations ARGS="--add pt_BR"' in guide
    assert 'make notebooks ARGS="--language pt_BR"' in guide
    assert "locale/pt_BR/LC_MESSAGES/01_tiny.po" in python(
        tree, "-m", "publish.translations", "--add", "pt_BR"
    )
    translate(tree, "pt_BR", pseudo)
    said = python(tree, "-m", "publish.translations")
    assert "not translated" not in said
    python(tree, "-m", "publish", "--no-execute", "--language", "pt_BR", "--strict")
    assert publish(tree, "--no-execute", "--language", "en") == 0
    folder = tree / "notebooks" / "pt_BR" / NAME
    notebook = json.loads((folder / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    assert "# pt A tiny lesson" in "".join(notebook["cells"][0]["source"])

    code = f"import numpy as np\n{WRONG}from grader import check\ntry: check('softmax')\n"
    told = python(tree, "-c", code + "except Exception as e: pass", folder=folder)
    assert "pt ✗ softmax: not yet" in told and "pt Which axis holds the actions?" in told

    cell = classroom.find(notebook, "softmax-answer")
    cell["source"] = WRONG
    submit(tree / "in", "ana", notebook)
    python(tree, "-m", "grader", "autograde", "--submitted", "in", "--out", "out", "--jobs", "1")
    page = (tree / "out" / "feedback" / "ana" / NAME / f"{NAME}.html").read_text("utf-8")
    assert '<html lang="pt-BR">' in page and "pt 0 of 9 points" in page
    assert "pt q_why: no answer" in page
