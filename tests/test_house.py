"""The house: one place for versions, commands that do what they say, files that agree."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from publish import torch_cpu

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXACT = re.compile(r"[A-Za-z0-9_.-]+==[0-9][\w.]*( *; *sys_platform == '\w+')?")


def requirements():
    return PROJECT["dependencies"] + [
        wanted for extra in PROJECT["optional-dependencies"].values() for wanted in extra
    ]


def test_every_requirement_is_pinned_and_has_its_reason():
    text = (ROOT / "pyproject.toml").read_text()
    for wanted in requirements():
        assert EXACT.fullmatch(wanted)
        line = next(line for line in text.splitlines() if f'"{wanted}"' in line)
        assert re.search(r"#\s\w", line), f"{wanted} has no reason"


def test_conda_takes_torch_and_leaves_the_rest_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    conda = [wanted for wanted in environment["dependencies"] if isinstance(wanted, str)]
    (pip,) = [wanted["pip"] for wanted in environment["dependencies"] if isinstance(wanted, dict)]
    assert f"pytorch-cpu={torch_cpu.pinned()}" in conda
    assert pip == ["-e ."]
    assert {name.split("=")[0] for name in conda} == {"python", "pip", "pytorch-cpu"}


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
        "bench",
        "lint",
        "translations",
        "site",
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
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.1" || exit 1\n')
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


class FakePip:
    """Stands for pip: knows some requirements and what installing each would bring."""

    def __init__(self, brings):
        self.brings, self.installed = brings, []

    def __call__(self, *arguments, **_):
        requirement = arguments[-1]
        names = self.brings.get(requirement.removeprefix("torch=="))
        if "--dry-run" not in arguments:
            self.installed.append(list(arguments[1:]))
        report = {"install": [{"metadata": {"name": name}} for name in names or []]}
        return subprocess.CompletedProcess(arguments, 0 if names else 1, json.dumps(report), "")


@pytest.fixture
def fresh(monkeypatch):
    """A machine without torch; returns what makes pip a fake that knows the given builds."""

    def use(brings, **environment):
        monkeypatch.setattr(torch_cpu, "installed", lambda: None)
        monkeypatch.setattr(torch_cpu, "pinned", lambda: "2.0")
        monkeypatch.delenv("TORCH_INDEX", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        fake = FakePip(brings)
        monkeypatch.setattr(torch_cpu, "pip", fake)
        return fake

    return use


CUDA = ["torch", "nvidia-cublas", "triton"]


def test_the_cpu_build_is_taken_where_there_is_one(fresh):
    pip = fresh({"2.0+cpu": ["torch", "sympy"], "2.0": CUDA})
    assert torch_cpu.main() == 0
    assert pip.installed == [["torch==2.0+cpu"]]


def test_a_plain_build_without_cuda_packages_is_a_cpu_build(fresh, capsys):
    pip = fresh({"2.0": ["torch", "sympy"]})
    assert torch_cpu.main() == 0
    assert pip.installed == [["torch==2.0"]]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("package", ["nvidia-cudnn-cu12", "triton", "cuda-toolkit", "NVIDIA-nccl"])
def test_cuda_packages_come_only_with_a_word_and_a_way_out(fresh, capsys, package):
    pip = fresh({"2.0": ["torch", package]}, MAKE_GOAL="lab")
    assert torch_cpu.main() == 0
    assert pip.installed == [["torch==2.0"]]
    said = capsys.readouterr().out
    assert "No CPU build of torch 2.0" in said
    assert "make lab TORCH_INDEX=" in said and "pytorch-cpu" in said


def test_a_named_index_serves_torch_alone(fresh):
    pip = fresh({"2.0": ["torch"]}, TORCH_INDEX="file:///somewhere")
    assert torch_cpu.main() == 0
    assert pip.installed == [["--no-deps", "--index-url", "file:///somewhere", "torch==2.0"]]


def test_what_is_installed_stays(fresh, monkeypatch):
    pip = fresh({})
    monkeypatch.setattr(torch_cpu, "installed", lambda: "2.0+cpu")
    assert torch_cpu.main() == 0
    assert pip.installed == []


def test_a_failed_installation_fails_without_talk_of_cuda(fresh, capsys):
    assert fresh({}) and torch_cpu.main() == 1
    assert capsys.readouterr().out == ""


def test_a_broken_hook_stops_nbgrader_instead_of_grading_without_a_sandbox(tmp_path):
    (tmp_path / "hook.py").write_text("import nothing_of_the_kind")
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
