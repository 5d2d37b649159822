"""Claims: evaluated by the build, out of every notebook, measured anew by `make claims`."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from publish import claim_table, claiming, claims
from publish.course import Course, notebook_text
from tests.publishing import copy_course, path, publish, read

NAME = "02b_claims"
ROOT = Path(__file__).resolve().parents[1]
CLAIM = "The share above a rate is near one minus it"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The fixture's lesson with claims, built with execution."""
    root = copy_course(tmp_path_factory.mktemp("claims"))
    assert publish(root, NAME) == 0
    return root


def changed(folder, *pairs):
    """A copy of the fixture course in which the lesson's text is changed."""
    root = copy_course(folder)
    lesson = root / "lessons" / f"{NAME}.py"
    text = lesson.read_text()
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    lesson.write_text(text)
    return root


def line_of(root, text):
    lines = (root / "lessons" / f"{NAME}.py").read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.startswith(text))


def test_no_notebook_shows_a_claim(built):
    for kind in ("solutions", "notebooks"):
        text = path(built, kind, NAME).read_text()
        assert CLAIM not in text and "few_lie_below" not in text and "claim-1" not in text


def test_a_claim_shifts_no_id_count_name_or_draw_of_other_cells(built, tmp_path):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / f"{NAME}.py"
    lesson.write_text(re.sub(r"# %% claim=.*?(?=# %% demo)", "", lesson.read_text(), flags=re.S))
    assert "claim=" not in lesson.read_text()
    assert publish(root, NAME) == 0
    for kind in ("solutions", "notebooks"):
        assert path(built, kind, NAME).read_bytes() == path(root, kind, NAME).read_bytes()


UNMET = [
    (
        "at_least=0.6, again",
        "at_least=2, again",
        'claim("The share',
        "few_lie_below",
        f'"{CLAIM}": measured 0.9, at least 2',
    ),
    (
        "at_most=len(kept)",
        "at_most=len(kept) - 1",
        "claim(\"a claim's",
        "own_names_and_draws",
        "measured 10, at most 9",
    ),
    (
        "len(kept), at_most=len(kept)",
        "float('nan'), at_least=-1e9",
        "claim(\"a claim's",
        "own_names_and_draws",
        "measured no number",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "name", "words"), UNMET)
def test_an_unmet_claim_stops_build_and_check_with_name_number_bounds_and_line(
    tmp_path, capsys, old, new, line, name, words
):
    root = changed(tmp_path, (old, new))
    for arguments in ((NAME,), (NAME, "--check")):
        assert publish(root, *arguments) == 2
        said = capsys.readouterr().err.strip()
        assert said.startswith(f"lessons/{NAME}.py:{line_of(root, line)}: ")
        assert name in said and words in said and "Remedy: " in said
    assert not list(root.rglob("*.ipynb"))


def test_all_unmet_claims_are_told_in_one_go(tmp_path, capsys):
    root = changed(tmp_path, *(pair[:2] for pair in UNMET[:2]))
    assert publish(root, NAME) == 2
    assert capsys.readouterr().err.count("The claim ") == 2


BROKEN = [
    ('claim="few_lie_below" seeds=10', 'claim="few_lie_below" seeds=9', "# %% claim", "too few"),
    ("rates=[0.1, 0.2, 0.3]", "rates=[0.1, 0.2]", "# %% claim", "not three rates"),
    ("rates=[0.1, 0.2, 0.3]", "rates=[0.1, 0.2, -1]", "# %% claim", "not three rates"),
    ("rates=[0.1, 0.2, 0.3]", "rates=0.1", "# %% claim", "not three rates"),
    ("seeds=10 ", "", "# %% claim", "rates, but no seeds"),
    (" seeds=10 rates=[0.1, 0.2, 0.3]", "", "# %% claim", "again=..., but no seeds"),
    (", again=again)", ")", "# %% claim", "no again"),
    ("trained=true", "trained=1", "# %% demo=true tr", "trained must be true"),
    ('claim="few_lie_below"', 'claim="few lie"', "# %% claim", "not a Python name"),
    (
        'claim="own_names_and_draws"',
        'claim="few_lie_below"',
        '# %% claim="few_lie_below"\n',
        "A second claim",
    ),
    ("rng.normal()\n", "nrg.normal()\n", '# %% claim="own', "'nrg' is defined nowhere"),
    ("rng.normal()\n", "rng.normal(\n", "mean, kept", "Python"),
    (", at_most=len(kept))", ")", "claim(\"a claim's", "no bounds"),
    ("claim(\"a claim's names", "claim(f\"a claim's names", "claim(f", "not written out"),
    ("claim(\"a claim's", "print(\"a claim's", '# %% claim="own', "claims nothing"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), BROKEN)
def test_a_mistake_in_a_claim_stops_the_build_before_anything_runs(
    tmp_path, capsys, old, new, line, words
):
    root = changed(tmp_path, (old, new))
    assert publish(root, NAME, "--no-execute") == 2
    said = capsys.readouterr().err
    assert words in said and f"lessons/{NAME}.py:" in said
    if words != "Python":
        first = line_of(root, line.rstrip("\n"))
        text = (root / "lessons" / f"{NAME}.py").read_text().splitlines()
        wanted = {n for n, one in enumerate(text, 1) if n >= first and one.startswith(line.strip())}
        assert any(f"{NAME}.py:{n}: " in said for n in wanted), said


def test_a_claim_that_raises_is_told_at_its_cell(tmp_path, capsys):
    root = changed(tmp_path, ("rng.normal()\n", "1 / 0\n"))
    assert publish(root, NAME) == 2
    said = capsys.readouterr().err
    line = line_of(root, '# %% claim="own')
    assert f"lessons/{NAME}.py:{line}: The claim cell raised ZeroDivisionError" in said


def test_what_measures_anew_takes_what_the_header_says(tmp_path, capsys):
    root = changed(tmp_path, (" rates=[0.1, 0.2, 0.3]", ""))
    assert publish(root, NAME) == 2
    assert "define again(seed)" in capsys.readouterr().err


def test_a_page_has_no_claims(tmp_path, capsys):
    root = copy_course(tmp_path)
    text = '# %% [markdown]\n# # Start\n\n# %% claim="one"\nclaim("one", 1, at_least=1)\n'
    (root / "lessons" / "00_start.py").write_text(text)
    assert publish(root, "00_start") == 2
    assert "prose and demos alone" in capsys.readouterr().err


def test_trained_outputs_are_compared_by_kind_and_count_alone(built, tmp_path, capsys):
    root = copy_course(tmp_path)
    for kind in ("solutions", "notebooks"):
        path(root, kind, NAME).parent.mkdir(parents=True)
        path(root, kind, NAME).write_bytes(path(built, kind, NAME).read_bytes())
    shutil.copytree(built / "policy_gradients", root / "policy_gradients")

    def write(edit):
        notebook = read(built, "solutions", NAME)
        edit(next(c for c in notebook.cells if c.metadata.policy_gradients.get("trained")))
        path(root, "solutions", NAME).write_text(notebook_text(notebook))
        return publish(root, NAME, "--check")

    assert write(lambda cell: cell.outputs[0].update(text="0.79999\n")) == 0
    assert write(lambda cell: cell.outputs[0].update(name="stderr")) == 1
    assert write(lambda cell: cell.outputs.append(cell.outputs[0])) == 1
    assert write(lambda cell: cell.outputs.clear()) == 1
    assert write(lambda cell: cell.update(source="pass")) == 1
    capsys.readouterr()


def test_claims_run_once_and_not_again_for_another_language(tmp_path):
    ran = tmp_path / "ran"
    root = changed(tmp_path, ("rng.normal()\n", f"open({str(ran)!r}, 'a').write('x')\n"))
    catalogues = root / "locale" / "es" / "LC_MESSAGES"
    catalogues.mkdir(parents=True)
    assert publish(root, NAME) == 0
    assert path(root, "solutions", NAME, "es").exists()
    assert ran.read_text() == "x"


# make claims ------------------------------------------------------------------------------------


def table(root):
    return (root / "docs" / "claims.md").read_text()


def test_headline_claims_are_measured_anew_for_each_seed_and_rate(tmp_path, capsys):
    root = changed(tmp_path, ("+ rate\n", "+ rate + (seed == 1003)\n"))
    assert claims.main(["--root", str(root), NAME]) == 0
    ((statement, bounds, share),) = claim_table.rows(table(root))
    assert (statement, bounds, share) == (CLAIM, "at least 0.6", 1)
    expected = [
        np.mean(np.random.default_rng(seed).uniform(size=20) > rate) + rate + (seed == 1003)
        for seed in range(1000, 1010)
        for rate in (0.1, 0.2, 0.3)
    ]
    numbers = ", ".join(f"{value:.3g}" for value in np.quantile(expected, [0, 0.5, 1]))
    assert f"| 30 of 30 | 0.1: 10 of 10; 0.2: 10 of 10; 0.3: 10 of 10 | {numbers} |" in table(root)
    assert "own_names" not in table(root)
    capsys.readouterr()


def test_a_claim_that_holds_too_seldom_is_named(tmp_path, capsys):
    root = changed(tmp_path, ("+ rate\n", "+ rate - (seed % 5 == 1)\n"))
    assert claims.main(["--root", str(root), NAME]) == 1
    assert claim_table.rows(table(root))[0][2] == pytest.approx(0.8)
    assert "to be rewritten: few_lie_below" in capsys.readouterr().err


def test_a_lessons_section_leaves_those_of_others_alone(tmp_path):
    course = Course(copy_course(tmp_path))
    for name, text in (("02_second", "b"), (NAME, "c"), ("01_first", "a"), ("02_second", "d")):
        claim_table.write_section(course, name, text)
    assert claim_table.sections(table(tmp_path)) == {"01_first": "a", "02_second": "d", NAME: "c"}
    assert re.findall("^## (.*)", table(tmp_path), flags=re.M) == ["01_first", "02_second", NAME]
    (tmp_path / "lessons" / "02_second.py").unlink()
    claim_table.write_section(course, "01_first", "e")
    assert claim_table.sections(table(tmp_path)) == {"01_first": "e", NAME: "c"}


def test_ctrl_c_loses_nothing_that_was_measured(tmp_path):
    calls = tmp_path / "calls"
    hangs = f"""
    import os, time
    open({str(calls)!r}, "a").write("x")
    time.sleep(60 * (os.path.getsize({str(calls)!r}) == 8))
"""
    ends = "    return share_above(seed, rate) + rate\n"
    root = changed(tmp_path / "course", (ends, f"{hangs}{ends}"))
    command = f"""
import signal, sys
from publish.claims import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(["--root", {str(root)!r}, {NAME!r}]))
"""
    process = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT, stderr=subprocess.PIPE)
    while not (calls.exists() and calls.stat().st_size == 8) and process.poll() is None:
        time.sleep(0.1)
    # One call was the claim's own; the eighth hangs, so six reruns are done.
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and b"kept" in said, said
    assert len((root / "build" / "claims" / f"{NAME}.jsonl").read_text().splitlines()) == 6
    assert claims.main(["--root", str(root), NAME]) == 0
    # The claim's own call again, and the 24 that were missing.
    assert calls.stat().st_size == 8 + 1 + 24
    assert "| 30 of 30 |" in table(root)


def test_numbers_of_other_code_do_not_count(tmp_path):
    root = copy_course(tmp_path)
    assert claims.main(["--root", str(root), NAME]) == 0
    lesson = root / "lessons" / f"{NAME}.py"
    lesson.write_text(lesson.read_text().replace("+ rate\n", "- rate\n"))
    assert claims.main(["--root", str(root), NAME]) == 1
    assert claim_table.rows(table(root))[0][2] < 0.9


@pytest.mark.parametrize(
    ("measured", "bounds", "expected"),
    [
        (1, {"at_least": 1}, True),
        (1, {"at_most": 1}, True),
        (1, {"at_least": 1.1}, False),
        (1, {"at_most": 0.9}, False),
        (None, {"at_least": 0}, False),
        (float("nan"), {}, False),
        (1e308, {"at_least": 0}, True),
        (2, {"at_least": 1, "at_most": 3}, True),
    ],
)
def test_bounds_include_themselves_and_no_number_meets_none(measured, bounds, expected):
    assert claiming.holds(measured, **bounds) is expected


def test_a_claim_says_what_it_measured():
    told = []
    source = 'claim("a", x, at_least=0)\nclaim("b", y, at_most=x, again=lambda seed: seed)'
    claiming.run(source, {"x": np.float32(2), "y": True}, [(7,)], told.append)
    assert [row.get("measured") for row in told] == [2.0, 1.0, None]
    assert [row.get("again") for row in told] == [None, 1, None]
    assert told[1]["line"] == 2 and told[2] == {"number": 1, "pair": (7,), "value": 7.0}
