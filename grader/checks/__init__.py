"""The checks, one module or folder a lesson: cases, truth, mistakes. Never shown to a sandbox.

``shared`` has what several lessons use, ``registry`` finds the exercises, ``judge`` runs one.
"""
