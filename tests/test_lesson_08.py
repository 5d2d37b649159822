"""Lesson 08: its checks' truths, the stored answers and the page that is made of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

import policy_gradients as pg
from grader.checks.lesson_08 import dialects
from publish.libraries import page
from publish.libraries.inputs import INPUTS
from publish.solved import namespace
from tests.solved import verdicts

ROOT = Path(__file__).resolve().parents[1]
NAME = "08_libraries"
NAMES = [
    "whose_gae",
    "approx_kl_dialects",
    "clip_fraction_dialects",
    "sb3_settings",
    "grpo_settings",
]


@pytest.mark.parametrize("seed", [0, 4711])
def test_the_solutions_pass_every_check(seed):
    found = verdicts(namespace(NAME), NAMES, seed)
    assert not [verdict.text() for verdict in found.values() if not verdict.passed]


def test_the_stored_answers_are_to_the_inputs_of_today():
    assert pg.libraries.answers()["inputs"] == INPUTS


def test_every_row_says_how_it_is_known_and_where_it_stands():
    for library in pg.libraries.answers()["libraries"].values():
        for row in library["rows"].values():
            assert row["how"] in ("run", "read", "restated") and row["where"]
            assert ("answer" in row) == (row["how"] != "read")


def test_the_page_in_the_docs_is_of_these_answers():
    text = (ROOT / "docs" / "libraries.md").read_text(encoding="utf-8")
    assert text == page.page() + "\n", "python -m publish.libraries.page > docs/libraries.md"


def test_a_fraction_counts_what_torch_s_gradient_says():
    """The clip bites where the clipped loss has no gradient."""
    rng = np.random.default_rng(0)
    for case in dialects.fraction_cases(rng):
        clip = case.inputs.get("clip", 0.2)
        adv = torch.tensor(case.inputs["adv"])
        ratio = torch.tensor(case.inputs["ratio"], requires_grad=True)
        torch.min(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).sum().backward()
        flat = ((ratio.grad == 0) & (adv != 0)).double().mean()
        truth = dialects.fraction_truth(**case.inputs)
        assert truth["where the clip bites"] == pytest.approx(float(flat))


def test_sb3_takes_the_lesson_s_settings():
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    solved = namespace(NAME)
    settings = solved["sb3_settings"](solved["ours"])
    model = stable_baselines3.PPO("MlpPolicy", "CartPole-v1", device="cpu", **settings)
    assert model.n_epochs == solved["ours"]["epochs"] and model.max_grad_norm == float("inf")
    assert model.policy.optimizer.defaults["eps"] == 1e-8


def test_without_the_library_training_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pg.libraries, "sb3_installed", lambda: False)
    with pytest.raises(ModuleNotFoundError, match="libraries"):
        pg.libraries.train_sb3({}, 1, 0)


def test_every_finding_is_pinned_and_says_what_was_seen():
    scripts = sorted((ROOT / "findings").glob("*.sh"))
    assert len(scripts) >= 8
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert "==" in text and "Output seen" in text and "assert " in text, script.name
        assert "set -euo pipefail" in text and "policy_gradients" not in text, script.name
