"""publish/install.py with the real pip and the real uv, on a small course and a shelf of wheels."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from grader.sandbox import zygote
from publish import install

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("uv", "pip")

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny-course"
version = "1"
dependencies = ["torch", "sums"]
optional-dependencies = {lab = ["reading"], test = ["trying"]}
[tool.course]
first-imports = [["torch_module"], ["sums_module", "trying_module"]]
"""
# A build backend in a few lines, so that nothing has to be fetched to build the course.
BACKEND = '''
import zipfile
METADATA = """Metadata-Version: 2.1
Name: tiny-course
Version: 1
Provides-Extra: lab
Provides-Extra: test
Requires-Dist: torch
Requires-Dist: sums
Requires-Dist: reading; extra == "lab"
Requires-Dist: trying; extra == "test"
"""
WHEEL = "Wheel-Version: 1.0\\nGenerator: here\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
def build_editable(folder, settings=None, metadata=None):
    with zipfile.ZipFile(f"{folder}/tiny_course-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_course-1.dist-info/METADATA", METADATA)
        wheel.writestr("tiny_course-1.dist-info/WHEEL", WHEEL)
        wheel.writestr("tiny_course-1.dist-info/RECORD", "")
    return "tiny_course-1-py3-none-any.whl"
build_wheel = build_editable
'''


def wheel(folder, name, version, *requires):
    """Puts a wheel of one module onto the shelf."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name.replace('-', '_')}_module.py", f"version = {version!r}\n")
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        file.writestr(f"{info}/METADATA", about)
        file.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: here\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        file.writestr(f"{info}/RECORD", "")
    return path


class Machine:
    """A fresh environment, a small course and pip's settings on it."""

    def __init__(self, folder, tools=TOOLS):
        self.shelf, self.course = folder / "shelf", folder / "course"
        self.python = folder / "venv" / "bin" / "python"
        (self.course / "publish").mkdir(parents=True)
        # install.py and what it needs to speak, on a Python that has nothing else.
        (self.course / "policy_gradients").mkdir()
        for file in ("publish/install.py", "publish/say.py", "policy_gradients/i18n.py"):
            shutil.copy(ROOT / file, self.course / file)
        (self.course / "pyproject.toml").write_text(PROJECT)
        (self.course / "backend.py").write_text(BACKEND)
        (self.course / "requirements.lock").write_text("sums==1.0\ntorch==2.0\n")
        for version in ("1.0", "2.0"):
            wheel(self.shelf, "sums", version)
        wheel(self.shelf, "reading", "1.0")
        wheel(self.shelf, "trying", "1.0")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        self.packages = next((folder / "venv" / "lib").glob("python3*")) / "site-packages"
        for tool in tools:
            self.lend(tool)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "TORCH_"))},
            "PIP_CONFIG_FILE": str(self.settings(folder)),
            "HOME": str(folder),
            "UV_CACHE_DIR": str(folder / "cache"),
            "MAKE_GOAL": "lab",
        }

    def settings(self, folder):
        """pip is told by a file, as on the machines of a company: no index, only the shelf."""
        path = folder / "pip.conf"
        path.write_text(f"[global]\nno-index = true\nfind-links =\n    {self.shelf}\n")
        return path

    def lend(self, tool):
        """Lets the environment use the tests' own pip or uv."""
        ours = Path(sysconfig.get_path("purelib"))
        for path in [ours / tool, *ours.glob(f"{tool}-*.dist-info")]:
            (self.packages / path.name).symlink_to(path)
        program = Path(sysconfig.get_path("scripts")) / tool
        if tool == "uv":
            (self.python.parent / tool).symlink_to(program)

    def install(self, *extras, **environment):
        """(status, what was said)."""
        command = [self.python, self.course / "publish" / "install.py", *extras]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**self.environment, **environment}
        )
        return done.returncode, done.stdout + done.stderr

    def has(self):
        """{name: version} of what is installed."""
        found = (
            re.fullmatch(r"(.+)-(.+)\.dist-info", path.name)
            for path in self.packages.glob("*.dist-info")
        )
        return {one[1]: one[2] for one in found if one[1] not in TOOLS}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


CUDA = ("nvidia-cublas",)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_locked_versions_and_only_the_extras_that_are_asked_for(machine, tool):
    wheel(machine.shelf, "torch", "2.0+cpu")
    wheel(machine.shelf, "torch", "2.0", *CUDA)
    wheel(machine.shelf, "nvidia-cublas", "1.0")
    status, said = machine.install("lab", INSTALLER=tool)
    assert status == 0, said
    there = {"torch": "2.0+cpu", "sums": "1.0", "reading": "1.0", "tiny_course": "1"}
    assert machine.has() == there
    assert re.search(r"^torch 2\.0: \d+ packages, \d+ s$", said, re.MULTILINE)
    assert "CUDA" not in said
    # The first import must not compile; what nobody asked for is imported nowhere.
    compiled = {path.name.split("_")[0] for path in machine.packages.glob("__pycache__/*.pyc")}
    assert compiled >= {"torch", "sums"}
    assert "Error" not in said
    status, said = machine.install("lab", "test", INSTALLER=tool)
    assert status == 0 and machine.has() == {**there, "trying": "1.0"}
    assert "torch 2.0:" not in said, "what is there stays"


@pytest.mark.parametrize(
    ("tool", "package"),
    [("uv", "nvidia-cudnn-cu12"), ("uv", "triton"), ("pip", "cuda-toolkit")],
)
def test_cuda_packages_come_only_with_a_word_and_a_way_out(machine, tool, package):
    wheel(machine.shelf, "torch", "2.0", package)
    wheel(machine.shelf, package, "1.0")
    status, said = machine.install(INSTALLER=tool)
    assert status == 0, said
    assert machine.has()["torch"] == "2.0" and package.replace("-", "_") in machine.has()
    assert "No CPU build of torch 2.0" in said
    assert "make lab TORCH_INDEX=" in said and "pytorch-cpu" in said


def test_a_plain_build_without_cuda_packages_is_a_cpu_build(machine):
    wheel(machine.shelf, "torch", "2.0", "sums")
    status, said = machine.install()
    assert status == 0 and machine.has()["torch"] == "2.0" and "CUDA" not in said, said


@pytest.mark.parametrize("tool", TOOLS)
def test_a_named_index_serves_torch_alone(machine, tool, tmp_path):
    made = wheel(tmp_path / "index" / "torch", "torch", "2.0+special")
    page = f'<html><body><a href="{made.name}">{made.name}</a></body></html>'
    (made.parent / "index.html").write_text(page)
    machine.settings(tmp_path).write_text(f"[global]\nfind-links = {machine.shelf}\n")
    index = (tmp_path / "index").as_uri()
    status, said = machine.install(INSTALLER=tool, TORCH_INDEX=index, PIP_NO_INDEX="0")
    assert status == 0 and machine.has()["torch"] == "2.0+special", said


@pytest.mark.parametrize("tool", TOOLS)
def test_a_failure_tells_its_reason_and_nothing_of_cuda(machine, tool):
    status, said = machine.install(INSTALLER=tool)
    assert status != 0 and "torch" not in machine.has()
    assert "torch==2.0" in said and "CUDA" not in said


def test_pip_installs_where_uv_cannot_be_had(tmp_path):
    machine = Machine(tmp_path, tools=["pip"])
    wheel(machine.shelf, "torch", "2.0")
    status, said = machine.install("lab")
    assert status == 0 and machine.has()["reading"] == "1.0", said
    assert install.NO_UV in said


def test_uv_is_fetched_where_pip_can_get_it(tmp_path):
    """A stand-in for uv on the shelf, which says how it was called."""
    machine = Machine(tmp_path, tools=["pip"])
    wheel(machine.shelf, "torch", "2.0")
    with zipfile.ZipFile(wheel(machine.shelf, "uv", "9.0"), "a") as file:
        file.writestr("uv/__main__.py", "import sys\nsys.exit('--version' not in sys.argv)\n")
    status, said = machine.install("lab")
    assert "Fetching uv" in said
    # It starts and can't install: pip does, and says so.
    assert status == 0 and machine.has()["torch"] == "2.0", said
    assert install.UV_FAILED in said


def test_every_setting_of_pip_that_names_a_place_reaches_uv(monkeypatch, tmp_path):
    path = tmp_path / "pip.conf"
    path.write_text(
        "[global]\nindex-url = file:///one\ncert = /low.pem\nfind-links =\n"
        "    /wheels\n    /more\n[install]\nextra-index-url = file:///a file:///b\n"
        "cert = /high.pem\n"
    )
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    monkeypatch.setenv("PIP_TRUSTED_HOST", "example.org")
    told = install.uv_settings(install.pip_settings())
    assert (
        told.items()
        >= {
            "UV_DEFAULT_INDEX": "file:///one",
            "UV_INDEX": "file:///a file:///b",
            "UV_INDEX_STRATEGY": "unsafe-best-match",
            "UV_FIND_LINKS": "/wheels,/more",
            "UV_INSECURE_HOST": "example.org",
            "SSL_CERT_FILE": "/high.pem",
        }.items()
    )


def test_what_is_compiled_first_is_there_and_holds_what_the_grader_loads():
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["course"]["first-imports"]
    names = [name for line in lines for name in line]
    assert [name for name in names if importlib.util.find_spec(name) is None] == []
    assert {name.split(".")[0] for name in zygote.LIBRARIES} <= {
        *(name.split(".")[0] for name in names),
        *("numpy", "IPython"),  # torch and ipykernel bring them
    }
