"""Probes: the half of a check that runs where the student's code lives.

A probe calls the student's function on cases and returns plain data. This folder alone is shown
to the sandbox in grading, so nothing in it knows a right answer, a hidden seed or a mistake's
output. It imports only the standard library, NumPy, torch, Gymnasium and ``policy_gradients``
(``cells``, which runs a notebook's cells, IPython as well), and itself by relative imports (in the
sandbox the package has another name).
"""
