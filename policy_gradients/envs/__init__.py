"""Tabular environments whose every probability is known, a vectorised CartPole and Pendulum."""

from .bandits import Bandit, ContextualBandit
from .cartpole import VectorCartPole
from .mazes import Corridor, Grid
from .pendulum import VectorPendulum
from .ring import Ring
from .tabular import TabularEnv
from .tokens import TokenEnv

__all__ = [
    "Bandit",
    "ContextualBandit",
    "Corridor",
    "Grid",
    "Ring",
    "TabularEnv",
    "TokenEnv",
    "VectorCartPole",
    "VectorPendulum",
]
