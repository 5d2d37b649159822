"""The bank of lesson 05b."""
