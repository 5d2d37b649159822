"""TRL: a real GRPOTrainer and RLOOTrainer around a tiny model, fed scores and log-probabilities."""

import os
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from answers import INPUTS, Answers
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

WORDS = ["<pad>", "<eos>", *"abcdefgh"]
NAMES = [
    "beta",
    "epsilon",
    "epsilon_high",
    "loss_type",
    "scale_rewards",
    "num_iterations",
    "num_generations",
    "max_grad_norm",
    "learning_rate",
    "lr_scheduler_type",
    "mask_truncated_completions",
]


def tokenizer():
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<pad>",
        padding_side="left",
    )


def saved(model):
    """The model's folder: the trainer looks its configuration up by name."""
    folder = tempfile.mkdtemp()
    model.save_pretrained(folder)
    return folder


def trainer(kind, config, scores, **options):
    """A trainer whose reward function deals out `scores`; nothing has been trained."""
    n = len(scores)
    torch.manual_seed(0)
    small = GPT2Config(
        vocab_size=len(WORDS),
        n_positions=32,
        n_embd=8,
        n_layer=1,
        n_head=1,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=1,
    )
    args = config(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=n,
        num_generations=n,
        max_completion_length=4,
        report_to=[],
        use_cpu=True,
        bf16=False,
        max_steps=1,
        **options,
    )
    made = kind(
        model=saved(GPT2LMHeadModel(small)),
        reward_funcs=lambda completions, **others: scores[: len(completions)],
        args=args,
        train_dataset=Dataset.from_dict({"prompt": ["a b"] * n}),
        processing_class=tokenizer(),
    )
    return made


def advantages(kind, config, scores, **options):
    """What the trainer computes from the scores of one group: (G,)."""
    made = trainer(kind, config, scores, **options)
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    rows = [{"prompt": "a b"} for _ in scores]
    return made._generate_and_score_completions(rows)["advantages"]


def loss(kind, config, scores=(0.0, 1.0), **options):
    """Of one answer of eight tokens with the given log-probabilities: what is logged."""
    given = INPUTS["clip"]
    made = trainer(kind, config, list(scores), **options)
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    logp, old, adv = (torch.tensor(given[name])[None] for name in ("logp", "logp_old", "adv"))
    made._get_per_token_logps_and_entropies = lambda *a, **o: (logp, torch.zeros_like(logp), None)
    ones = torch.ones(1, logp.shape[1], dtype=torch.long)
    inputs = {
        "prompt_ids": ones, "prompt_mask": ones, "completion_ids": ones, "completion_mask": ones,
        "advantages": adv, "old_per_token_logps": old, "num_items_in_batch": ones.sum(),
    }  # fmt: skip
    if kind is RLOOTrainer:
        inputs |= {"advantages": adv[:, 0], "old_logps": old.sum(1)}
    value = made._compute_loss(made.model, inputs)
    logs = made._metrics["train"]
    return {"loss": value, "clip_fraction": logs["clip_ratio/region_mean"][-1]}


answers = Answers("trl")
groups, made = INPUTS["groups"], GRPOTrainer._generate_and_score_completions
found = {
    "grpo": advantages(GRPOTrainer, GRPOConfig, groups["scores"]),
    "grpo, not divided": advantages(
        GRPOTrainer, GRPOConfig, groups["scores"], scale_rewards="none"
    ),
    "grpo, equal": advantages(GRPOTrainer, GRPOConfig, groups["equal"]),
    "rloo": advantages(RLOOTrainer, RLOOConfig, groups["scores"], beta=0.0),
}
answers.run("groups", made, found)
answers.run(
    "clip",
    GRPOTrainer._compute_loss,
    loss(GRPOTrainer, GRPOConfig),
    "by token; bites alone are counted",
)
answers.run(
    "clip by answer",
    RLOOTrainer._compute_loss,
    loss(RLOOTrainer, RLOOConfig),
    "RLOO clips the whole answer's ratio, here 9.1, once",
)
config = GRPOConfig(output_dir=tempfile.mkdtemp(), use_cpu=True, bf16=False)
answers.run("defaults", GRPOConfig, {name: getattr(config, name) for name in NAMES})
config = RLOOConfig(output_dir=tempfile.mkdtemp(), use_cpu=True, bf16=False)
names = ["beta", "epsilon", "num_iterations", "num_generations", "normalize_advantages"]
answers.run("defaults of RLOO", RLOOConfig, {name: getattr(config, name) for name in names})
answers.read(
    "kl in the loss",
    GRPOTrainer._compute_loss,
    "beta times k3 against the reference, weighed by the ratio to the old policy",
)
answers.write()
