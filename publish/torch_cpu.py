"""Install the pinned torch in its CPU build, wherever pip can get one.

Run by ``make setup`` with the virtual environment's Python, before anything else is installed:
this file needs the standard library alone. TORCH_INDEX names a package index to take torch from.
"""

import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
CUDA = ("nvidia", "cuda", "triton")
NO_CPU_BUILD = """\
No CPU build of torch {version} can be had from your package index. The default build follows;
it works without a GPU but brings several GB of CUDA packages. To get the CPU build instead, stop
here (Ctrl-C) and either run
    make {goal} TORCH_INDEX=<the CPU index that pytorch.org's "Get started" page shows for pip>
or use conda-forge's package pytorch-cpu (conda env create -f environment.yml)."""


def pinned():
    """The torch version that pyproject.toml pins."""
    with PYPROJECT.open("rb") as file:
        wanted = tomllib.load(file)["project"]["dependencies"]
    return next(line.split("==")[1] for line in wanted if line.startswith("torch=="))


def installed():
    """The installed torch version, or None."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return None


def pip(*arguments, **options):
    """Run pip; returns the completed process."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, text=True, **options)


def brings_cuda(report):
    """Whether an installation that pip reports would include CUDA packages."""
    names = [item["metadata"]["name"].lower() for item in report["install"]]
    return any(name.startswith(CUDA) for name in names)


def dry_run(requirement):
    """pip's report of what installing `requirement` would bring, or None where it can't."""
    command = ["install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    tried = pip(*command, requirement, capture_output=True)
    return json.loads(tried.stdout) if tried.returncode == 0 else None


def best_requirement(version):
    """(requirement to install, whether it is known to bring CUDA packages)."""
    plain = f"torch=={version}"
    for requirement in (f"{plain}+cpu", plain):
        report = dry_run(requirement)
        if report and not brings_cuda(report):
            return requirement, False
    return plain, bool(report)


def main():
    """Install torch and return pip's exit status."""
    version, index = pinned(), os.environ.get("TORCH_INDEX")
    if (installed() or "").split("+")[0] == version:
        return 0
    if index:
        # Its dependencies come from the usual index, with everything else.
        return pip("install", "--no-deps", "--index-url", index, f"torch=={version}").returncode
    requirement, cuda = best_requirement(version)
    if cuda:
        goal = os.environ.get("MAKE_GOAL") or "setup"
        print(NO_CPU_BUILD.format(version=version, goal=goal), flush=True)
    return pip("install", requirement).returncode


if __name__ == "__main__":
    sys.exit(main())
