"""torch's Categorical with the logits in the place of probabilities."""


def of_logits(logits, checked=None):
    """Handed in as probs, the first argument; checked: what is negative raises."""
    import torch

    return torch.distributions.Categorical(torch.as_tensor(logits), validate_args=checked)
