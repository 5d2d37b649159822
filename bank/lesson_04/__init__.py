"""The bank of lesson 04."""
