"""Shared by all tests: one thread a process, and hypothesis without deadlines."""

import os

# Before anything imports torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")

import hypothesis
import torch

torch.set_num_threads(1)
# A shared machine can make any single example slow; the same examples in every run.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True)
hypothesis.settings.load_profile("course")
