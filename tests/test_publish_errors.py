"""Each mistake in a lesson stops the build with file, line and remedy; nothing is written."""

import re

import pytest

from publish.names import defined_and_used
from tests.publishing import copy_course, files, publish

REGISTERED = {"total", "table", "q_sign", "mean"}

# (what is wrong, text to replace, its replacement, text in the line that must be named, words of
# the message). The line is searched for in the changed lesson.
SCHEME = """\
# ### BEGIN MARK SCHEME
# Two points for the policy, two for the environment.
# ### END MARK SCHEME
"""
MISTAKES = [
    ("no end", "    ### END SOLUTION\n\n\n", "\n\n", "    ### BEGIN SOLUTION", "has no '### END"),
    ("no begin", "    ### BEGIN SOLUTION\n", "", "    ### END SOLUTION", "without its beginning"),
    (
        "region in a region",
        "    secret_sum",
        "    ### BEGIN SOLUTION\n    secret_sum",
        "    ### BEGIN SOLUTION\n    secret_sum",
        "within a region",
    ),
    (
        "no region",
        '### BEGIN SOLUTION\nq_sign = "b"\n### END SOLUTION\n',
        "",
        '# %% question="q_sign"',
        "has no '### BEGIN SOLUTION'",
    ),
    (
        "marker with other text",
        "### BEGIN SOLUTION\nq_sign",
        "### BEGIN SOLUTION here\nq_sign",
        "### BEGIN SOLUTION here",
        "must stand alone",
    ),
    (
        "marker in prose",
        "# ## The return",
        "# ## The return\n# BEGIN SOLUTION",
        "# BEGIN SOLUTION",
        "in a prose cell",
    ),
    (
        "hidden test",
        'check("total")\n',
        'check("total")\n### BEGIN HIDDEN TESTS\n',
        "### BEGIN HIDDEN TESTS",
        "in a check cell",
    ),
    (
        "no mark scheme",
        SCHEME,
        "",
        '# %% [markdown] free="q_why"',
        "has no '### BEGIN MARK SCHEME'",
    ),
    (
        "mark scheme without end",
        "# ### END MARK SCHEME\n",
        "",
        "# ### BEGIN MARK SCHEME",
        "has no '### END MARK SCHEME'",
    ),
    (
        "duplicate exercise",
        '# %% exercise="table"\n',
        '# %% exercise="total"\n',
        '# %% exercise="total"\ntable',
        "Duplicate grade id",
    ),
    (
        "duplicate check",
        '# %% check="table" points=1\ncheck("table")',
        '# %% check="total" points=1\ncheck("total")',
        '# %% check="total" points=1',
        "Duplicate grade id",
    ),
    (
        "free text named as an exercise",
        'free="q_why"',
        'free="q_sign"',
        '# %% [markdown] free="q_sign"',
        "Duplicate grade id",
    ),
    (
        "check of nothing",
        '# %% check="total" points=2\ncheck("total")',
        '# %% check="totals" points=2\ncheck("totals")',
        '# %% check="totals"',
        "no such exercise",
    ),
    (
        "exercise without check",
        '# %% check="total" points=2\ncheck("total")\n',
        "",
        '# %% exercise="total"',
        "has no check",
    ),
    (
        "question without check",
        '# %% check="q_sign" points=1\ncheck("q_sign")\n',
        "",
        '# %% question="q_sign"',
        "has no check",
    ),
    (
        "more in a check cell",
        'check("total")\n',
        'check("total")\nprint(1)\n',
        'check("total")\nprint(1)',
        "something else than its check",
    ),
    ("unknown key", "setup=true", "setup=true hidden=true", "# %% setup", "Unknown header key"),
    ("misspelt key", 'exercise="total"', 'exercize="total"', "# %% exercize", "Unknown header"),
    ("unquoted value", 'exercise="total"', "exercise=total", "# %% exercise", "cannot be read"),
    ("text in a header", 'exercise="total"', 'sum exercise="total"', "# %% sum", "cannot be read"),
    (
        "foreign key",
        'exercise="total"',
        'exercise="total" points=2',
        "# %% exercise",
        "does not belong",
    ),
    ("no kind", "# %% setup=true", "# %%", "# %%\nimport", "has no kind"),
    (
        "wrong type of cell",
        'free="q_why" points=4',
        'exercise="q_why"',
        "# %% [markdown] exercise",
        "must be a code cell",
    ),
    ("no points", "points=2", "", '# %% check="total"', "lacks 'points'"),
    ("points zero", "points=2", "points=0", '# %% check="total"', "not a positive number"),
    ("points negative", "points=2", "points=-1", '# %% check="total"', "not a positive number"),
    ("points text", "points=2", 'points="2"', '# %% check="total"', "not a positive number"),
    ("points true", "points=2", "points=true", '# %% check="total"', "not a positive number"),
    ("setup false", "setup=true", "setup=false", "# %% setup", "must be true"),
    (
        "name with a hyphen",
        'exercise="total"',
        'exercise="to-tal"',
        "# %% exercise",
        "not a Python name",
    ),
    ("question without q_", 'question="q_sign"', 'question="sign"', "# %% question", "'q_'"),
    ("alt no text", 'alt="A bar of height three."', "alt=3", "# %% demo", "alt is not a text"),
    (
        "no docstring",
        '    """The sum of the rewards, (T,) -> float: total([1, 2]) is 3.0."""\n',
        "",
        '# %% exercise="total"',
        "no docstring",
    ),
    ("another name", "def total(", "def totals(", '# %% exercise="total"', "does not define"),
    (
        "no blank",
        'q_sign = None  # "a", "b" or "c"\n',
        "",
        '# %% question="q_sign"',
        "leaves no blank",
    ),
    (
        "stub stops Run all",
        'table = {"+": None, "-": None}  # "up" or "down"\n',
        "",
        '# %% exercise="table"',
        "would stop 'Run all'",
    ),
    (
        "syntax",
        "    secret_sum = np.sum(rewards)",
        "    secret_sum = = 3",
        "    secret_sum = = 3",
        "Python cannot read this",
    ),
    ("open string", ' is 3.0."""', " is 3.0.", '    """The sum', "not Python text"),
    (
        "name from nowhere",
        "    secret_sum = np.sum(rewards)",
        "    secret_sum = npp.sum(rewards)",
        '# %% exercise="total"',
        "'npp' is defined nowhere",
    ),
    (
        "name from a demo",
        "    return float(secret_sum)",
        "    return float(secret_sum) + bar_width",
        '# %% exercise="total"',
        "'bar_width' comes from a demo",
    ),
    ("no title", "# # First steps", "# First steps", "# %% [markdown]", "begin with a title"),
    ("code above the first cell", "# A tiny", "import os\n# A tiny", "import os", "not a comment"),
]


def lines_of(text, marker):
    """Line number at which `marker` (a line's beginning, perhaps with what follows) stands."""
    found = re.search("^" + re.escape(marker), text, re.MULTILINE)
    return text[: found.start()].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "marker", "words"),
    [mistake[1:] for mistake in MISTAKES],
    ids=[mistake[0] for mistake in MISTAKES],
)
def test_a_mistake_stops_the_build_at_its_line(tmp_path, capsys, old, new, marker, words):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / "01_first.py"
    changed = lesson.read_text().replace(old, new, 1)
    assert changed != lesson.read_text()
    lesson.write_text(changed)
    before = files(root)

    status = publish(root, "01_first", registered=REGISTERED | {"totals", "sign", "q_why"})

    said = capsys.readouterr().err
    assert status == 2
    expected = f"lessons/01_first.py:{lines_of(changed, marker)}: "
    named = [line for line in said.splitlines() if line.startswith(expected) and words in line]
    assert named, said
    assert all(". Remedy: " in line for line in said.splitlines() if line)
    assert files(root) == before


def test_an_unregistered_check_is_named(tmp_path, capsys):
    assert publish(copy_course(tmp_path), registered=REGISTERED - {"q_sign"}) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "The grader has no check for 'q_sign'" in said[0]


def test_all_problems_of_all_lessons_are_told_in_one_go(tmp_path, capsys):
    root = copy_course(tmp_path)
    for name, pairs in {
        "01_first": [("points=2", "points=0"), ("setup=true", "setup=1"), ("demo=true", "demo=3")],
        "02_second": [("points=2", "points=0")],
    }.items():
        lesson = root / "lessons" / f"{name}.py"
        text = lesson.read_text()
        for old, new in pairs:
            text = text.replace(old, new)
        lesson.write_text(text)
    assert publish(root) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert [line.split(":")[0] for line in said] == ["lessons/01_first.py"] * 3 + [
        "lessons/02_second.py"
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ('["nothing"]', "no lesson before 02_second has such an exercise"),
        ('["total", "mean"]', "given 'mean'"),
        ('["q_sign"]', "given 'q_sign'"),
        ('"total"', "not a list of names"),
        ("[]", "not a list of names"),
    ],
)
def test_a_given_cell_names_earlier_exercises_only(tmp_path, capsys, names, words):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / "02_second.py"
    lesson.write_text(lesson.read_text().replace('["total"]', names))
    assert publish(root, registered=REGISTERED) == 2
    said = capsys.readouterr().err.strip()
    line = lines_of(lesson.read_text(), "# %% given")
    assert said.startswith(f"lessons/02_second.py:{line}: ") and words in said


def test_a_given_cell_has_no_body_of_its_own(tmp_path, capsys):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / "02_second.py"
    lesson.write_text(lesson.read_text().replace('["total"]\n', '["total"]\ntotal = sum\n'))
    assert publish(root) == 2
    assert "but the build writes it" in capsys.readouterr().err


def test_what_given_code_needs_must_be_there(tmp_path, capsys):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / "02_second.py"
    lesson.write_text(lesson.read_text().replace("import numpy as np\n", ""))
    assert publish(root) == 2
    line = lines_of(lesson.read_text(), "# %% given")
    assert f"02_second.py:{line}: 'np' is defined nowhere" in capsys.readouterr().err


def test_an_exercise_belongs_to_one_lesson(tmp_path, capsys):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / "02_second.py"
    lesson.write_text(lesson.read_text().replace("mean", "total"))
    assert publish(root) == 2
    assert "Lesson 01_first already has an exercise 'total'" in capsys.readouterr().err


def test_an_unknown_lesson_is_named_with_those_that_exist(tmp_path, capsys):
    root = copy_course(tmp_path)
    assert publish(root, "03_third", "01_first") == 2
    said = capsys.readouterr().err
    assert "lessons/03_third.py:1: There is no such lesson." in said
    assert "01_first, 02_second" in said
    assert not (root / "solutions").exists()


def test_a_missing_folder_of_lessons_is_named(tmp_path, capsys):
    assert publish(tmp_path) == 2
    assert "There is no folder of lessons. Remedy: " in capsys.readouterr().err


def test_a_lesson_that_is_no_text_is_named(tmp_path, capsys):
    root = copy_course(tmp_path)
    (root / "lessons" / "01_first.py").write_bytes(b"# %% [markdown]\n# caf\xe9\n")
    assert publish(root) == 2
    assert "lessons/01_first.py:1: This is not UTF-8 text" in capsys.readouterr().err


def test_an_unreadable_lesson_is_named(tmp_path, capsys):
    root = copy_course(tmp_path)
    (root / "lessons" / "01_first.py").unlink()
    (root / "lessons" / "01_first.py").mkdir()
    assert publish(root) == 2
    assert "lessons/01_first.py:1: The file cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["first", "1_first", "01-first", "01_First"])
def test_a_lesson_has_a_number_and_a_plain_name(tmp_path, capsys, name):
    root = copy_course(tmp_path)
    (root / "lessons" / "01_first.py").rename(root / "lessons" / f"{name}.py")
    (root / "lessons" / "02_second.py").unlink()
    assert publish(root) == 2
    assert f"'{name}' is not a lesson's name" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_written_is_named_before_anything_runs(tmp_path, capsys):
    root = copy_course(tmp_path)
    (root / "notebooks").write_text("in the way")
    assert publish(root, "01_first") == 2
    said = capsys.readouterr().err
    assert "notebooks" in said and "Remedy: make the folder writable" in said
    assert not list((root / "solutions").rglob("*.ipynb"))


def test_a_header_inside_a_string_is_no_header(tmp_path):
    root = copy_course(tmp_path)
    lesson = root / "lessons" / "02_second.py"
    quoted = 'is 2.0.\n\n    # %% not="a cell"\n    """'
    lesson.write_text(lesson.read_text().replace('is 2.0."""', quoted))
    assert publish(root, "--no-execute") == 0


@pytest.mark.parametrize(
    ("source", "defined", "used"),
    [
        ("import numpy as np\nx = np.pi", {"np", "x"}, {"np"}),
        ("def f(a):\n    b = a + c\n    return [d for d in b]", {"f"}, {"c"}),
        (
            "class A(B):\n    size = width\n    def f(self):\n        return A",
            {"A"},
            {"A", "B", "width"},
        ),
        ("x = lambda y: y + z", {"x"}, {"z"}),
        ("for i in range(n):\n    print(i)", {"i"}, {"i", "n"}),
        ("def f():\n    global g\n    g = 1", {"f", "g"}, set()),
        (
            "def f(x: Shape = default) -> Result:\n    return x",
            {"f"},
            {"Shape", "default", "Result"},
        ),
        ("with a as (b, c):\n    pass", {"b", "c"}, {"a"}),
    ],
)
def test_names_are_found_without_running(source, defined, used):
    assert defined_and_used(source) == (defined, used)
