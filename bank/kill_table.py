"""Prints the kill table: per exercise, the wrong answers caught and the mistakes told.

``python -m bank.kill_table > docs/kill_table.md`` keeps it in the docs.
"""

from bank import load
from bank.judge import told
from grader.checks.registry import registry


def judged():
    """(exercise, mistake to be told, mistake told) of each entry, None standing for right."""
    return [(entry.exercise, entry.mistake, told(entry, 0)[1]) for entry in load()]


def rows(results, names):
    """(exercise, wrong, caught, named as meant, right, passed) of these exercises."""
    for name in names:
        mine = [(mistake, got) for exercise, mistake, got in results if exercise == name]
        wrongs = [(mistake, got) for mistake, got in mine if mistake]
        rights = [got for mistake, got in mine if not mistake]
        caught = sum(got is not None for _mistake, got in wrongs)
        named = sum(mistake == got for mistake, got in wrongs)
        yield name, len(wrongs), caught, named, len(rights), sum(got is None for got in rights)


def table(results) -> str:
    """The table in Markdown."""
    head = "| exercise | wrong | caught | named | right | passed |\n|---|---|---|---|---|---|"
    lines = ("| " + " | ".join(map(str, row)) + " |" for row in rows(results, registry()))
    return "\n".join([head, *lines])


if __name__ == "__main__":
    print("# Kill table\n\nWrong answers of the bank that the checks catch and name, and right")
    print("ones that pass. `make test` prints it; `python -m bank.kill_table` makes this")
    print("page.\n")
    print(table(judged()))
