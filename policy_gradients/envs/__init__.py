"""Tabular environments with Gymnasium's API whose every probability is known."""

from .bandits import Bandit, ContextualBandit
from .mazes import Corridor, Grid
from .tabular import TabularEnv
from .tokens import TokenEnv

__all__ = ["Bandit", "ContextualBandit", "Corridor", "Grid", "TabularEnv", "TokenEnv"]
