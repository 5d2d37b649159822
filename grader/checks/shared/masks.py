"""Symptoms of losses on masked tokens, in the cases that ask for care alone."""


def of_nothing(case, seen, truth) -> bool:
    """Wrong where the mask is empty."""
    return case.edge and not case.inputs["mask"].array.any()


def spoiled_outside(case, seen, truth) -> bool:
    """Wrong through a nan or an infinity that stands outside the mask."""
    return case.edge and case.inputs["mask"].array.any()
