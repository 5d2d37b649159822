"""Measure headline claims anew, over seeds and rates: ``python -m publish.claims [NAME ...]``.

Each lesson runs once more in a kernel of its own, less its checks; where a headline claim stands
its `again` is called with seeds that the lesson has not used, and with each rate. Every number is
kept as soon as it is there, so that a run that was stopped goes on where it was. docs/claims.md
gets one section a lesson.
"""

import argparse
import hashlib
import itertools
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from publish.build import prepare, run
from publish.claim_results import bounds_in_words
from publish.claim_rules import statements
from publish.claim_table import section, write_section
from publish.claiming import holds
from publish.course import Course
from publish.expand import kind_of
from publish.problems import PublishError

HERE = Path(__file__).resolve().parents[1]
FIRST_SEED = 1000
# What no claim needs: answers' verdicts, and whatever comes after the last claim.
SKIPPED = "skip-execution"
# Below this share a claim is to be rewritten.
LEAST_SHARE = 0.9


@dataclass
class Outcome:
    """A headline claim measured anew: `values` maps (seed,) or (seed, rate) to its number."""

    name: str
    told: dict
    pairs: list
    values: dict = field(default_factory=dict)

    @property
    def statement(self):
        return self.told["statement"]

    @property
    def bounds(self):
        return bounds_in_words(self.told)

    def held(self, pair) -> bool:
        return holds(self.values[pair], self.told["at_least"], self.told["at_most"])

    @property
    def share(self) -> float:
        """In what share of its reruns the claim holds."""
        return sum(map(self.held, self.values)) / len(self.values)


def all_pairs(keys):
    """(seed, rate) or (seed,) for each rerun that a claim's header asks for."""
    seeds = range(FIRST_SEED, FIRST_SEED + keys["seeds"])
    return list(itertools.product(seeds, *([keys["rates"]] if "rates" in keys else [])))


def headlines(lesson):
    """The lesson's claims that are measured anew, as cells."""
    return [cell for cell in lesson.cells if cell.kind == "claim" and "seeds" in cell.keys]


def rerun(course, name, choose=all_pairs, record=None, progress=None):
    """Measure the headline claims of a lesson anew: a list of Outcomes, in the lesson's order.

    `choose` gives a claim's reruns from its header's keys; `record`, a Record, knows numbers from
    before and keeps each new one; `progress(count)` hears of numbers.
    """
    lesson, notebook = _prepared(course, name)
    _skip_all_but(notebook, _is_headline)
    found, hear = reruns(notebook, choose, record, progress)
    run(notebook, lesson, HERE, timeout=None, tell=hear)
    return list(found.values())


def reruns(notebook, choose, record=None, progress=None):
    """Let a run of the notebook measure its headline claims anew.

    Returns Outcomes by their claims, empty at first, and what the run is to tell: hear(cell, told).
    """
    found, record = {}, record or Record(None, notebook)
    for cell in filter(_is_headline, notebook.cells):
        ours = cell.metadata["policy_gradients"]
        known = record.known(ours["claim"]["claim"])
        ours["pairs"] = [pair for pair in choose(ours["claim"]) if pair not in known]

    def hear(cell, told):
        keys = cell.metadata["policy_gradients"]["claim"]
        if "statement" in told:
            if told["again"] is not None:
                outcome = Outcome(keys["claim"], told, choose(keys))
                outcome.values |= record.values(keys["claim"], told["number"], outcome.pairs)
                found[keys["claim"], told["number"]] = outcome
                progress and progress(len(outcome.values))
            return
        pair = tuple(told["pair"])
        found[keys["claim"], told["number"]].values[pair] = told["value"]
        record.keep(keys["claim"], told)
        progress and progress(1)

    return found, hear


def _prepared(course, name):
    (prepared,) = prepare(course, [name], "en", registered=None).values()
    return prepared


def _is_headline(cell):
    return "seeds" in cell.metadata["policy_gradients"].get("claim", {})


def _skip_all_but(notebook, wanted):
    """Let the notebook run the claims that are `wanted` and the cells above them, less checks."""
    last = max((n for n, cell in enumerate(notebook.cells) if wanted(cell)), default=-1)
    for index, cell in enumerate(notebook.cells):
        unwanted = kind_of(cell) == "check" or (kind_of(cell) == "claim" and not wanted(cell))
        if index > last or unwanted:
            cell.metadata.setdefault("tags", []).append(SKIPPED)


class Record:
    """Numbers measured before, one line of JSON each; those of other code are left out."""

    def __init__(self, path, notebook):
        self.path = path
        sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        package = sorted((HERE / "policy_gradients").rglob("*.py"))
        text = "\n".join([*sources, *(file.read_text(encoding="utf-8") for file in package)])
        self.key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._known = self._read()

    def _read(self):
        if self.path is None or not self.path.exists():
            return {}
        lines = self.path.read_text(encoding="utf-8").splitlines()
        # A line that was being written when the machine stopped is not whole.
        rows = [json.loads(line) for line in lines if line.endswith("}")]
        return {
            (row["name"], row["number"], tuple(row["pair"])): row["value"]
            for row in rows
            if row["key"] == self.key
        }

    def known(self, name):
        """The pairs for which every claim of this cell has its number."""
        numbers = {number for known, number, _ in self._known if known == name}
        pairs = [
            {pair for known, number, pair in self._known if (known, number) == (name, one)}
            for one in numbers
        ]
        return set.intersection(*pairs) if pairs else set()

    def values(self, name, number, pairs):
        """Pair -> value for those of `pairs` that `known` knows."""
        known = self.known(name)
        return {pair: self._known[name, number, pair] for pair in pairs if pair in known}

    def keep(self, name, told):
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = {"key": self.key, "name": name, **told}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def measure(course, name, fresh=False):
    """Measure a lesson's headline claims anew, with a bar that says how far it is."""
    lesson, notebook = _prepared(course, name)
    path = course.root / "build" / "claims" / f"{name}.jsonl"
    if fresh:
        path.unlink(missing_ok=True)
    count = sum(
        len(all_pairs(cell.keys)) * len(statements(cell, anew=True)) for cell in headlines(lesson)
    )
    with tqdm(total=count, desc=name, unit="run") as bar:
        return rerun(course, name, record=Record(path, notebook), progress=bar.update)


def main(arguments=None):
    """Measure as `arguments` say; exit status 1 where a claim holds too seldom."""
    parser = argparse.ArgumentParser(prog="python -m publish.claims", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="lessons; all where none is given")
    parser.add_argument("--fresh", action="store_true", help="forget what a stopped run measured")
    parser.add_argument("--root", type=Path, default=HERE, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    course = Course(options.root.resolve())
    seldom = []
    try:
        for name in options.names or course.lesson_names():
            if not headlines(_prepared(course, name)[0]):
                continue
            outcomes = measure(course, name, options.fresh)
            write_section(course, name, section(outcomes))
            for outcome in outcomes:
                held = f"{outcome.share:4.0%} of {len(outcome.values)}"
                print(f"{held}  {name}: {outcome.name}: {outcome.statement}", flush=True)
                seldom += [outcome.name] if outcome.share < LEAST_SHARE else []
    except PublishError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. What was measured is kept; the same command goes on.", file=sys.stderr)
        return 130
    if seldom:
        print(f"Below {LEAST_SHARE:.0%}, to be rewritten: {', '.join(seldom)}", file=sys.stderr)
    return 1 if seldom else 0


if __name__ == "__main__":
    sys.exit(main())
