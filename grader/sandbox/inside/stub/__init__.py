"""Packages that take the place of ours inside."""
