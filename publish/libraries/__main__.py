"""Asks the libraries: ``python -m publish.libraries [NAME ...]``, without names all of them.

Not part of the tests: it installs several gigabytes, one library after the other, in a temporary
folder. The answers of those that are asked replace the stored ones.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from policy_gradients.libraries import STORED
from publish.install import Uv
from publish.libraries.inputs import INPUTS

PROBES = Path(__file__).parent / "probes"
TORCH = "torch==2.13.0"
# What each takes. "alone": without what it asks for, which would be gigabytes of CUDA packages.
LIBRARIES = {
    "stable-baselines3": {"probe": "sb3_", "packages": ["stable-baselines3==2.9.2"]},
    "sbx": {"probe": "sbx_", "packages": ["sbx-rl==0.28.0"]},
    "cleanrl": {"probe": "cleanrl_", "packages": []},
    "torchrl": {"probe": "torchrl_", "packages": ["torchrl==0.14.1"]},
    "tianshou": {"probe": "tianshou_", "packages": ["tianshou==2.0.1"]},
    "skrl": {"probe": "skrl_", "packages": ["skrl==2.1.1"]},
    "rllib": {"probe": "rllib_", "packages": ["ray[rllib]==2.60.0"]},
    "trl": {"probe": "trl_", "packages": ["trl==1.16.0", "transformers==5.24.0"]},
    "verl": {
        "probe": "verl_",
        "alone": ["verl==0.9.1"],
        "packages": [
            "ray==2.60.0",
            "tensordict==0.15.3",
            "transformers==5.24.0",
            "accelerate",
            "omegaconf",
            "hydra-core",
            "codetiming",
            "pandas",
            "orjson",
            "torchdata",
        ],
    },
    "openrlhf": {
        "probe": "openrlhf_",
        "alone": ["openrlhf==0.11.2"],
        "packages": ["transformers==5.24.0"],
    },
}


def asked(name, folder):
    """The answers of one library, whose environment is made in `folder`."""
    library, room = LIBRARIES[name], folder / name
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", room], check=True)
    python = room / "bin" / "python"
    pins = folder / "pins.txt"
    pins.write_text(TORCH + "\n", encoding="utf-8")
    installer = Uv(python, pins)

    def install(*what):
        command = installer.command("--quiet", *what)
        subprocess.run(command, check=True, env=installer.environment)

    if library["packages"]:
        install(TORCH, "numpy==2.4.6")
        install(*library["packages"])
    if "alone" in library:
        install("--no-deps", *library["alone"])
    return answered(library["probe"], python, folder)


def answered(probe, python, folder):
    """What the probe writes, with the inputs of inputs.py."""
    given, found = folder / "inputs.json", folder / "answers.json"
    given.write_text(json.dumps(INPUTS), encoding="utf-8")
    subprocess.run([python, PROBES / f"{probe}.py", given, found], check=True, cwd=folder)
    return json.loads(found.read_text(encoding="utf-8"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*LIBRARIES, []], help="which; default: all")
    names = parser.parse_args().names or list(LIBRARIES)
    stored = {}
    if STORED.exists():
        stored = json.loads(STORED.read_text(encoding="utf-8"))["libraries"]
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            stored[name] = asked(name, Path(folder))
        print(name, stored[name]["version"], f"{len(stored[name]['rows'])} rows", flush=True)
    kept = {name: stored[name] for name in LIBRARIES if name in stored}
    text = json.dumps({"torch": TORCH, "inputs": INPUTS, "libraries": kept}, indent=1)
    STORED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
