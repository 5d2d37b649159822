"""The kernel's side of a claim: a lesson's sentence as code, with its number and its bounds.

A claim's cell is `claim(statement, measured, at_least=..., at_most=...)`. It runs right after the
cells above it and leaves nothing behind: names stay its own, generators are put back.
"""

import contextlib
import inspect
import math
import random
import sys

import numpy as np

MIME = "application/vnd.policy-gradients.claim+json"


def cell_source(source, pairs=()):
    """What the kernel runs for the claim's cell `source`.

    pairs: (seed, rate) each, or (seed,); a headline claim's `again` is called with each of them.
    """
    call = f"run({source!r}, globals(), {[tuple(pair) for pair in pairs]!r})"
    return f"__import__('publish.claiming', fromlist=['run']).{call}"


def holds(measured, at_least=None, at_most=None) -> bool:
    """Whether a number lies within its bounds; what is no number (None, NaN) does not."""
    if measured is None or math.isnan(measured):
        return False
    low = -math.inf if at_least is None else at_least
    high = math.inf if at_most is None else at_most
    return low <= measured <= high


def run(source, namespace, pairs=(), tell=None):
    """Run a claim's cell among the lesson's names, and tell each claim and each rerun as a dict."""
    tell = tell or _display
    made = []
    own = {**namespace, "claim": _claim(made, tell)}
    with _generators_kept(namespace):
        exec(compile(source, "<claim>", "exec"), own)
        for pair in pairs:
            for number, again in enumerate(made):
                if again is not None:
                    tell({"number": number, "pair": pair, "value": _number(again(*pair))})


def _claim(made, tell):
    def claim(statement, measured, *, at_least=None, at_most=None, again=None):
        """State that `measured` lies within the bounds; `again(seed, rate)` measures it anew."""
        bounds = {"at_least": at_least, "at_most": at_most}
        if at_least is None and at_most is None:
            raise TypeError("a claim needs at_least=... or at_most=...")
        told = {"statement": statement, "measured": _number(measured), "number": len(made)}
        bounds = {name: None if bound is None else float(bound) for name, bound in bounds.items()}
        made.append(again)
        parameters = None if again is None else len(inspect.signature(again).parameters)
        line = sys._getframe(1).f_lineno
        tell({**told, **bounds, "line": line, "again": parameters})

    return claim


def _number(value):
    """A float; None for NaN, which JSON lacks. Infinity becomes the largest float."""
    value = float(value)
    return None if math.isnan(value) else max(min(value, sys.float_info.max), -sys.float_info.max)


@contextlib.contextmanager
def _generators_kept(namespace):
    """Put every generator's state back, so that the lesson's later cells draw what they drew."""
    own = [value for value in namespace.values() if isinstance(value, np.random.Generator)]
    states = [generator.bit_generator.state for generator in own]
    python, legacy = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    state = torch and torch.get_rng_state()
    try:
        yield
    finally:
        for generator, kept in zip(own, states):
            generator.bit_generator.state = kept
        random.setstate(python)
        np.random.set_state(legacy)
        if torch:
            torch.set_rng_state(state)


def _display(told):
    from IPython.display import display

    display({MIME: told}, raw=True)
