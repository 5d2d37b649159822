"""The checks, one module a lesson: cases, independent truth, mistakes. Never shown to a sandbox."""
