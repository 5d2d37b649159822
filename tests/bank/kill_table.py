"""Prints the kill table: per exercise, the wrong answers caught and the mistakes told.

``python -m tests.bank.kill_table > docs/kill_table.md`` keeps it in the docs.
"""

from grader.exercises import registry
from tests.bank import load
from tests.bank.judge import told


def rows():
    """(exercise, wrong, caught, named as meant, right, passed) in the order of the lessons."""
    entries = load()
    for name in registry():
        mine = [(entry, told(entry, 0)[1]) for entry in entries if entry.exercise == name]
        wrongs = [(entry.mistake, got) for entry, got in mine if entry.mistake]
        rights = [got for entry, got in mine if not entry.mistake]
        caught = sum(got is not None for _mistake, got in wrongs)
        named = sum(mistake == got for mistake, got in wrongs)
        yield name, len(wrongs), caught, named, len(rights), sum(got is None for got in rights)


def table() -> str:
    """The table in Markdown."""
    head = "| exercise | wrong | caught | named | right | passed |\n|---|---|---|---|---|---|"
    return "\n".join([head, *("| " + " | ".join(map(str, row)) + " |" for row in rows())])


if __name__ == "__main__":
    print("# Kill table\n\nWrong answers of the bank that the checks catch and name, and right ones")
    print("that pass. `make test` prints it; `python -m tests.bank.kill_table` makes this page.\n")
    print(table())
