"""Exact answers for tabular environments, by dynamic programming in float64.

A policy is a table of probabilities `pi` (S, A) whose rows add up to 1. The time limit of the
environment counts unless a function says otherwise.
"""

from .moments import GradientMoments, gradient_moments
from .optimum import best_policy, best_stationary, optimal_objective
from .trajectories import enumerate_trajectories
from .values import (
    action_values,
    kl,
    objective,
    policy_gradient,
    state_values,
    visits,
)

__all__ = [
    "GradientMoments",
    "action_values",
    "best_policy",
    "best_stationary",
    "enumerate_trajectories",
    "gradient_moments",
    "kl",
    "objective",
    "optimal_objective",
    "policy_gradient",
    "state_values",
    "visits",
]
