"""Are the ranges of pyproject.toml honest? ``make canary`` takes the oldest and the newest versions
that they allow, each in an environment of its own under build/canary, says how these differ from
requirements.lock, and runs the tests of checks, environments and exact answers with them.
``make canary ARGS=highest`` tries one end alone.
"""

import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from publish import install

ROOT = Path(__file__).resolve().parents[1]
ENDS = ("lowest-direct", "highest")
TESTS = [
    "tests/test_checks.py",
    "tests/test_bank.py",
    "tests/test_pg_envs.py",
    "tests/test_pg_exact.py",
    "tests/test_pg_moments.py",
    "tests/test_pg_nets.py",
    "tests/test_pg_package.py",
]
NO_TORCH = "torch {version} has no CPU build in your package index: {instead} stands in for it."


def pins(text, environment=None) -> dict:
    """{name: version} of a list of pinned requirements, for this Python or for the one that the
    environment of markers describes: a package can have a line for each."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in map(Requirement, lines)
        if one.marker is None or one.marker.evaluate(environment)
    }


def resolved(end, *more) -> str:
    """Pinned requirements at this end of the ranges, for this Python and system."""
    settings = install.Uv()
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--no-annotate",
        "--no-header",
        "--resolution",
        end,
        "--extra",
        "lab",
        "--extra",
        "test",
        *more,
        *settings.options,
        "pyproject.toml",
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=settings.environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def changes(found, locked):
    """Lines that say which versions differ from the lock's."""
    return [
        f"  {name} {locked.get(name, '-')} -> {version}"
        for name, version in sorted(found.items())
        if locked.get(name) != version
    ]


def environment(folder):
    """A fresh virtual environment; its Python."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "uv",
            "venv",
            "--quiet",
            "--clear",
            "--python",
            sys.executable,
            folder,
        ],
        check=True,
    )
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def with_a_cpu_torch(end, python, file):
    """Writes the pinned requirements to the file; the arguments that install their torch."""
    file.write_text(resolved(end))
    version = pins(file.read_text())["torch"].split("+")[0]
    arguments, cuda = install.torch_arguments(install.Uv(python, file), version)
    if not cuda:
        return arguments
    instead = install.locked("torch")
    print(NO_TORCH.format(version=version, instead=instead), flush=True)
    override = file.with_suffix(".torch")
    override.write_text(f"torch=={instead}\n")
    file.write_text(resolved(end, "--override", str(override)))
    return install.torch_arguments(install.Uv(python, file), instead)[0]


def tried(end) -> int:
    """Install this end of the ranges and run the tests; the exit status."""
    folder = ROOT / "build" / "canary" / end
    folder.mkdir(parents=True, exist_ok=True)
    python, file = environment(folder / "venv"), folder / "requirements.txt"
    torch = with_a_cpu_torch(end, python, file)
    tool = install.Uv(python, file)
    print(f"{end}: what differs from requirements.lock")
    print(*changes(pins(file.read_text()), pins(install.LOCK.read_text())), sep="\n", flush=True)
    for arguments in (torch, ["--editable", ".[lab,test]"]):
        command = tool.command("--quiet", *arguments)
        subprocess.run(command, cwd=ROOT, env=tool.environment, check=True)
    return subprocess.run([python, "-m", "pytest", "-q", *TESTS], cwd=ROOT).returncode


def main(ends) -> int:
    """0 where the tests pass at every end that was asked for."""
    failed = [end for end in ends or ENDS if tried(end)]
    print(f"Failed: {', '.join(failed)}" if failed else "Both ends of the ranges hold.")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
