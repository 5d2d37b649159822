"""Learner-facing messages: ``_`` translates when a message is shown, ``N_`` marks it before."""

from policy_gradients.i18n import _

__all__ = ["N_", "_"]


def N_(message: str) -> str:
    """Marks a message for the catalogue; ``_(message)`` translates it where it is shown."""
    return message
