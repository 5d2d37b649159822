"""From lesson text to solved notebook to student notebook, one way only.

``python -m publish`` reads ``lessons/NAME.py`` and writes ``solutions/LANGUAGE/NAME/NAME.ipynb``
(nbgrader's source version, executed) and ``notebooks/LANGUAGE/NAME/NAME.ipynb`` (nbgrader's
release version).
"""
