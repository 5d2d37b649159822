"""Binder: the environment that it would build, the page that it opens, and what it has to give."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
MOST_MB = 1024  # of Binder's 2 GB: JupyterLab needs some as well


def repo2docker():
    return pytest.importorskip("repo2docker", reason="pip install -e '.[test]'")


@pytest.fixture(scope="module")
def dockerfile():
    """What repo2docker would hand to Docker, which needn't be there for that."""
    repo2docker()
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--no-run", "--debug", ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_conda_pack_is_the_one_that_repo2docker_takes(monkeypatch):
    """A Dockerfile or a folder binder/ would come before environment.yml."""
    repo2docker()
    from repo2docker.app import Repo2Docker
    from repo2docker.buildpacks import CondaBuildPack

    monkeypatch.chdir(ROOT)
    app = Repo2Docker()
    packs = (pack(app.base_image) for pack in app.buildpacks)
    chosen = next(pack for pack in packs if pack.detect())
    assert type(chosen) is CondaBuildPack
    assert chosen.binder_dir == "" and chosen.environment_yaml == ENVIRONMENT
    assert f"python={chosen.python_version}" in ENVIRONMENT["dependencies"]


def test_the_environment_is_made_where_the_repository_lies(dockerfile):
    """``pip: -e .`` needs the files, so they must be copied before."""
    copy, update = (
        dockerfile.index("COPY --chown=0:0 src/ ${REPO_DIR}/"),
        dockerfile.index('env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"'),
    )
    assert copy < update
    (python,) = [one for one in ENVIRONMENT["dependencies"] if str(one).startswith("python=")]
    assert f"Building conda environment for {python}\n" in dockerfile


def test_a_script_that_runs_after_the_build_would_be_run(dockerfile):
    assert (ROOT / "postBuild").exists() == bool(re.search(r"^RUN ./postBuild", dockerfile, re.M))


@pytest.mark.parametrize("readme", sorted(ROOT.glob("README*.md")), ids=lambda path: path.name)
def test_the_badge_opens_the_first_page_in_the_readmes_language(readme):
    (address,) = re.findall(r"\]\((https://mybinder\.org/v2/[^)]+)\)", readme.read_text("utf-8"))
    parts = urlsplit(address)
    assert re.fullmatch(r"/v2/gh/[\w.-]+/[\w.-]+/HEAD", parts.path)
    query = parse_qs(parts.query, strict_parsing=True)
    language = readme.name.split(".")[1].replace("md", "en")
    page = f"notebooks/{language}/00_start.ipynb"
    assert query == {"urlpath": [f"lab/tree/{page}"]}
    tracked = subprocess.run(
        ["git", "ls-files", "--error-unmatch", page], cwd=ROOT, capture_output=True
    )
    assert (ROOT / page).is_file() and tracked.returncode == 0


# In a process without a network and with one core: every cell of a solved lesson.
RUN = """
import json, os, resource, socket, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
try:
    socket.create_connection(("192.0.2.1", 80), timeout=10)
except OSError as error:
    network = error.errno
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"])).raise_error()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"network": network, "peak_mb": peak}))
"""
OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--"]


def can_go_offline():
    if shutil.which("bwrap") is None:
        return False
    return subprocess.run([*OFFLINE, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_go_offline(), reason="no network namespace without bubblewrap")
def test_a_lesson_needs_no_network_one_core_and_little_memory(tmp_path):
    name = "05b_practice"
    lesson = ROOT / "solutions" / "en" / name / f"{name}.ipynb"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "IPYTHONDIR": str(tmp_path),
    }
    done = subprocess.run(
        [*OFFLINE, sys.executable, "-c", RUN, lesson],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["network"] == errno.ENETUNREACH
    assert said["peak_mb"] < MOST_MB
