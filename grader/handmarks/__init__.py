"""Marks given by a person, question by question: the scheme, the texts, and the page for both."""
