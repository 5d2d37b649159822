"""The bank of lesson 08."""
