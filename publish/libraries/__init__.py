"""What other people's libraries answer to the course's inputs: ``python -m publish.libraries``.

Each library gets a virtual environment of its own in a temporary folder, pinned. A script of
``probes/`` runs there, feeds the library's own functions the inputs of ``inputs.py`` and prints
what they answer. The result is policy_gradients/stored/libraries.json, which lesson 08 and
docs/libraries.md read; students install nothing.
"""
