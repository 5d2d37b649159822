"""The house: one place for versions, commands that do what they say, files that agree."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.canary import pins

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = pins((ROOT / "requirements.lock").read_text())


def requirements():
    return PROJECT["dependencies"] + [
        wanted for extra in PROJECT["optional-dependencies"].values() for wanted in extra
    ]


def test_every_requirement_is_a_range_with_its_reason_that_holds_the_locked_version():
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for wanted in requirements():
        one = Requirement(wanted)
        if one.name == PROJECT["name"]:
            continue
        place = next(n for n, line in enumerate(lines) if f'"{wanted}"' in line)
        assert re.search(r"#\s\w", lines[place] + lines[place - 1]), f"{wanted} has no reason"
        assert any(bound.operator == ">=" for bound in one.specifier), f"{wanted}: from where?"
        assert one.specifier.contains(LOCK[canonicalize_name(one.name)]), wanted


def installed_below(name, extras):
    """(name, version) of all that this distribution and these extras of it need here."""
    seen, todo = {}, [(name, extra) for extra in ("", *extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        found = metadata.distribution(name)
        seen[name, extra] = found.version
        for line in found.requires or []:
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(one.name), each) for each in ("", *one.extras)]
    return {(name, version) for (name, _extra), version in seen.items()}


def test_what_is_installed_here_is_what_the_lock_says():
    """All of it: what the packages of pyproject.toml need in turn, too."""
    extras = ("lab", "test", "cluster", "postgres", "site")
    found = installed_below(PROJECT["name"], extras)
    assert len(found) > 100
    for name, version in found - {(PROJECT["name"], PROJECT["version"])}:
        assert version.split("+")[0] == LOCK[name], f"{name}. Remedy: make lock, then make setup"


@pytest.mark.parametrize(("python", "version"), [("3.11.2", "1.9"), ("3.11.7", "2.0")])
def test_a_lock_with_a_line_for_each_python_is_read_for_one(python, version):
    lock = "# made\nsoup==1.9 ; python_full_version < '3.11.5'\n"
    lock += "soup==2.0 ; python_full_version >= '3.11.5'\n"
    assert pins(lock, {"python_full_version": python}) == {"soup": version}


def test_the_lock_names_no_place():
    """Neither an index nor a folder: it serves every machine."""
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"://|@|/[a-z]|\+cpu", text)


def test_a_lesson_alone_needs_little():
    """A shared environment, such as Colab's, keeps the server and kernel that it runs with."""
    names = {Requirement(wanted).name for wanted in PROJECT["dependencies"]}
    assert names == {"numpy", "torch", "gymnasium", "matplotlib", "ipywidgets"}


def test_conda_takes_torch_and_leaves_the_rest_to_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    conda = [wanted for wanted in environment["dependencies"] if isinstance(wanted, str)]
    (pip,) = [wanted["pip"] for wanted in environment["dependencies"] if isinstance(wanted, dict)]
    assert f"pytorch-cpu={LOCK['torch']}" in conda
    assert pip == ["-c requirements.lock", "-e .[lab]"]
    assert {name.split("=")[0] for name in conda} == {"python", "pip", "pytorch-cpu"}


@pytest.mark.parametrize("goal", ["lab", "notebooks", "demo"])
def test_what_lessons_need_is_all_that_a_student_installs(goal):
    shown = make("--dry-run", "--always-make", goal).stdout
    assert "publish/install.py lab\n" in shown
    shown = make("--dry-run", "--always-make", "test").stdout
    assert "publish/install.py lab test cluster postgres site\n" in shown


def make(*arguments, **environment):
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    "goal",
    [
        "setup",
        "system",
        "lab",
        "demo",
        "notebooks",
        "test",
        "claims",
        "bench",
        "lint",
        "translations",
        "site",
        "lock",
        "canary",
        "clean",
    ],
)
def test_every_goal_is_known_to_make(goal):
    assert make("--dry-run", goal).returncode == 0


def test_arguments_reach_the_command():
    assert "00_start.ipynb --no-browser" in make("--dry-run", "lab", "ARGS=--no-browser").stdout


@pytest.mark.parametrize(
    ("system", "page"),
    [("es_MX.UTF-8", "es"), ("en_US.UTF-8", "en"), ("de_DE.UTF-8", "en"), ("C", "en"), ("", "en")],
)
def test_the_lab_opens_the_systems_language_where_the_course_speaks_it(system, page):
    shown = make("--dry-run", "lab", LC_ALL=system, LANG=system, LC_MESSAGES=system).stdout
    assert f"/notebooks/{page}/00_start.ipynb" in shown
    assert "/notebooks/es/00" in make("--dry-run", "lab", "LAB_LANGUAGE=es", LC_ALL="C").stdout


def test_an_old_python_is_refused_with_a_remedy(tmp_path):
    old = tmp_path / "python"
    old.write_text(
        '#!/bin/sh\ncase "$1" in\n--version) echo "Python 3.9.1";;\n-c) exit 1;;\n'
        f'*) exec {sys.executable} "$@";;\nesac\n'
    )
    old.chmod(0o755)
    done = make("--always-make", "setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stdout
    assert "Remedy: " in done.stdout
    assert not (tmp_path / "venv").exists()


def test_ci_runs_make_test_and_nothing_else():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if not line.startswith("#")]
    assert commands == ["set -e", 'cd "$(dirname "$0")/.."', "make test"]


def test_contributing_says_first_which_folder_to_edit():
    assert "lessons/" in (ROOT / "CONTRIBUTING.md").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("name", "other"), [("README.md", "README.es.md"), ("README.es.md", "README.md")]
)
def test_the_readme_names_every_folder_both_commands_and_its_twin(name, other):
    readme = (ROOT / name).read_text()
    assert f"]({other})" in "".join(readme.splitlines()[:4])
    for folder in (
        "lessons",
        "notebooks",
        "solutions",
        "policy_gradients",
        "grader",
        "publish",
        "locale",
        "bank",
        "tests",
    ):
        assert f"`{folder}/`" in readme
    assert "    make lab\n" in readme and "    make test\n" in readme


def test_the_two_readmes_have_the_same_parts():
    """As many headings, table rows, bullets, code lines and links."""

    def parts(name):
        lines = (ROOT / name).read_text().splitlines()
        text = "\n".join(lines)
        starts = [
            next((s for s in ("#", "|", "- ", "    ", "```") if line.startswith(s)), "")
            for line in lines
        ]
        return {s: starts.count(s) for s in starts if s}, len(re.findall(r"\]\(", text))

    assert parts("README.md") == parts("README.es.md")


def test_the_licence_covers_code_and_text():
    licence = (ROOT / "LICENSE").read_text()
    assert "Permission is hereby granted, free of charge" in licence
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in licence
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"


def test_a_broken_hook_stops_nbgrader_instead_of_grading_without_a_sandbox(tmp_path):
    plugin = tmp_path / "nbgrader_plugin"
    plugin.mkdir()
    (plugin / "__init__.py").touch()
    (plugin / "converters.py").write_text("import nothing_of_the_kind")
    code = f"""
import sys, types
from traitlets.config import Config
grader = sys.modules["grader"] = types.ModuleType("grader")
grader.__path__ = [{str(tmp_path)!r}]
names = {{"get_config": Config, "__file__": "nbgrader_config.py"}}
exec(open("nbgrader_config.py").read(), names)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "nothing_of_the_kind" in done.stderr


def test_the_architectures_paths_are_there_and_its_floors_are_the_checked_ones():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = set(
        re.findall(r"`((?:grader|policy_gradients|lessons|bank|locale|publish)/[\w/.]*)`", page)
    )
    assert len(paths) > 40
    assert not [path for path in paths if not (ROOT / path).exists()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    floors = contracts["contracts"][0]["layers"]
    assert len(floors) <= 10
    rows = [line for line in page.splitlines() if re.match(r"\| [2-9] \|", line)]
    told = [set(re.findall(r"`grader/(\w+)(?:/|\.py)`", row)) for row in rows]
    assert told == [set(re.findall(r"\w+", floor)) for floor in floors]
