"""The bank of lesson 02."""
