"""Install the course: ``python publish/install.py lab test`` takes these extras of pyproject.toml.

make runs it with the virtual environment's Python before anything else is there, so it needs the
standard library and pip alone. uv does the work where pip can get it, with pip's own settings
(indexes, folders of wheels, certificates), and pip itself elsewhere or with INSTALLER=pip. The
versions are those of requirements.lock. torch comes first, in its CPU build wherever there is one;
TORCH_INDEX names a package index to take it from.
"""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from importlib import metadata
from pathlib import Path

try:
    from publish.say import N_, _
except ImportError:  # run as a script, publish/install.py
    from say import N_, _

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
CUDA = ("nvidia", "cuda", "triton")
# pip's setting, and the environment variable that tells uv the same.
FOR_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
NO_UV = N_("uv can't be had from your package index: pip installs instead, which takes longer.")
UV_FAILED = N_("uv could not install this; its reason stands above. pip tries the same.")
NO_CPU_BUILD = N_("""\
No CPU build of torch {version} can be had from your package index. The default build follows;
it works without a GPU but brings several GB of CUDA packages. To get the CPU build instead, stop
here (Ctrl-C) and either run
    make {goal} TORCH_INDEX=ADDRESS
where ADDRESS is the CPU index that pytorch.org's "Get started" page shows for pip, or
use conda-forge's package pytorch-cpu (conda env create -f environment.yml).""")


class Pip:
    """Installs with pip into this Python's environment. Arguments are those that uv takes, too."""

    environment = None
    compiles = True  # unasked, every file
    own_index = ()

    def command(self, *arguments):
        """The command line that installs what the arguments say, in the locked versions."""
        return [*_module("pip"), "install", "--constraint", str(LOCK), *arguments]

    def brings(self, *wanted):
        """The names of what installing this would bring; None where it can't be had."""
        asked = self.command("--dry-run", "--ignore-installed", "--quiet", "--report", "-", *wanted)
        tried = subprocess.run(asked, capture_output=True, text=True)
        if tried.returncode:
            return None
        return [item["metadata"]["name"].lower() for item in json.loads(tried.stdout)["install"]]


class Uv:
    """Installs with uv and pip's settings; python: whose environment, lock: the versions."""

    compiles = False
    own_index = ("--torch-backend=cpu",)  # the index of CPU builds that uv knows by itself

    def __init__(self, python=sys.executable, lock=LOCK):
        self.here = ["--python", str(python), "--constraint", str(lock)]
        settings = pip_settings()
        self.environment = {**uv_settings(settings), **os.environ}
        # uv has no variable for this one.
        no_index = settings.get("no-index", "").lower() in ("1", "true", "yes", "on")
        self.options = ["--no-index"] if no_index else []

    def command(self, *arguments):
        """The command line that installs what the arguments say, in the locked versions."""
        return [*_module("uv"), "pip", "install", *self.here, *self.options, *arguments]

    def brings(self, *wanted):
        """The names of what installing this would bring; None where it can't be had."""
        soon = {"UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1"}  # an index that can't be reached
        tried = subprocess.run(
            self.command("--dry-run", *wanted),
            capture_output=True,
            text=True,
            env={**self.environment, **soon},
        )
        found = re.findall(r"^ \+ ([^=\s]+)", tried.stdout + tried.stderr, re.MULTILINE)
        return None if tried.returncode else [name.lower() for name in found]


def _module(name):
    quiet = ["--disable-pip-version-check"] if name == "pip" else []
    return [sys.executable, "-m", name, *quiet]


def pip_settings() -> dict:
    """What pip's files and environment variables set, by the option's name."""
    listed = subprocess.run([*_module("pip"), "config", "list"], capture_output=True, text=True)
    lines = re.findall(r"^(global|install|:env:)\.([\w-]+)=(.+)$", listed.stdout, re.MULTILINE)
    order = ["global", "install", ":env:"]  # a later one wins
    found = sorted(lines, key=lambda line: order.index(line[0]))
    return {name: ast.literal_eval(value) for _section, name, value in found}


def uv_settings(settings) -> dict:
    """The environment variables that tell uv what these settings tell pip."""
    found = {}
    for name, variable in FOR_UV.items():
        if settings.get(name):
            comma = "," if name == "find-links" else " "
            found[variable] = comma.join(settings[name].split())
    if "UV_INDEX" in found:  # pip takes the best version of all indexes
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def locked(name) -> str:
    """The version of a package in requirements.lock."""
    return re.search(rf"^{name}==([^\s;]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)[1]


def installed(name):
    """The installed version, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def installer():
    """uv, which pip installs where it is missing; pip where that fails or INSTALLER says so."""
    if os.environ.get("INSTALLER") == "pip":
        return Pip()
    if not installed("uv"):
        got = run(_("Fetching uv"), Pip().command("--quiet", "uv"), told=False)
        if got or not _starts("uv"):
            print(_(NO_UV), flush=True)
            return Pip()
    return Uv()


def _starts(module):
    return subprocess.run([*_module(module), "--version"], capture_output=True).returncode == 0


def torch_arguments(tool, version):
    """(arguments that install this torch, whether they bring CUDA packages)."""
    index = os.environ.get("TORCH_INDEX")
    plain = f"torch=={version}"
    if index:  # its dependencies come from the usual index, with everything else
        return ["--no-deps", "--index-url", index, plain], False
    known = False
    ways = [[f"{plain}+cpu"], [plain]]
    if tool.own_index:
        ways.append([*tool.own_index, plain])
    for arguments in ways:
        names = tool.brings(*arguments)
        if names and not any(name.startswith(CUDA) for name in names):
            return arguments, False
        known = known or bool(names)
    return [plain], known


def run(words, command, environment=None, told=True) -> int:
    """Run the command with a line that tells its time; its own words only where it fails."""
    began, terminal = time.monotonic(), sys.stdout.isatty()
    line = _("{words}: {n} packages, {seconds:.0f} s")

    def so_far():
        return line.format(words=words, n=_packages(), seconds=time.monotonic() - began)

    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        while True:
            try:
                status = process.wait(0.5 if terminal else None)
                break
            except subprocess.TimeoutExpired:
                print(f"\r{so_far()}", end="", flush=True)
        start = "\r" if terminal else ""
        print(f"{start}{so_far()}")
        if status and told:
            said.seek(0)
            print(said.read(), flush=True)
    return status


def _packages():
    """How many packages are there by now."""
    return sum(1 for _folder in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


def install_torch(tool) -> int:
    """The locked torch, unless it is there; the status of the command."""
    version = locked("torch")
    if (installed("torch") or "").split("+")[0] == version:
        return 0
    arguments, cuda = torch_arguments(tool, version)
    if cuda:
        goal = os.environ.get("MAKE_GOAL") or "setup"
        print(_(NO_CPU_BUILD).format(version=version, goal=goal), flush=True)
    return run(f"torch {version}", tool.command(*arguments), tool.environment)


def compile_imports() -> None:
    """Byte code of what is imported first: else the first lesson waits for it, and each process
    that may write none compiles anew. A line of packages that nobody asked for ends at once."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = about["tool"]["course"]["first-imports"]
    first, *others = ([sys.executable, "-c", f"import {', '.join(names)}"] for names in lines)
    environment = {**os.environ, "MPLBACKEND": "agg"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    beside = [subprocess.Popen(command, env=environment, **nowhere) for command in others]
    run(_("Byte code of what is imported first"), first, environment, told=False)
    for process in beside:
        process.wait()


def install(tool, extras) -> int:
    """torch, then the course with these extras; the status of what failed, or 0."""
    course = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    what = _("The course and its packages")
    editable = tool.command("--editable", course)
    status = install_torch(tool) or run(what, editable, tool.environment)
    if not status and not tool.compiles:
        compile_imports()
    return status


def main(extras) -> int:
    """Install the course; 0 where all went well."""
    tool = installer()
    status = install(tool, extras)
    if status and isinstance(tool, Uv):
        print(_(UV_FAILED), flush=True)
        status = install(Pip(), extras)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
