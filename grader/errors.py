"""Errors for the person who gave a command: the message says what is wrong and what to do."""


class UserError(Exception):
    """The command line shows the message alone, without a traceback."""
