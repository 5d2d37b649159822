"""The course's own lessons: what is committed is what the build makes, on this processor or on
another; their claims hold there, and a sample of the headlines on other seeds.

docs/claims.md holds what `make claims` measured.
"""

import os

import numpy as np
import pytest
import torch

from publish import claim_table, claims
from publish.build import prepare, registered_names, verify
from publish.catalogue import SOURCE_LANGUAGE
from publish.claim_rules import statements
from publish.course import Course
from tests.publishing import KERNELS

COURSE = Course(claims.HERE)
LESSONS = {lesson.name: lesson for lesson in COURSE.read(COURSE.lesson_names())}
HEADLINES = [name for name, lesson in LESSONS.items() if claims.headlines(lesson)]
# Weakest first; a processor can take the settings up to its own.
CAPABILITIES = ("DEFAULT", "AVX2", "AVX512")


def numpy_features(prefix):
    """NumPy's dispatched features of this processor that begin so."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__[name] and name.startswith(prefix)]


def other_processors():
    """Name -> environment: the processors below this one, as torch and NumPy can play them."""
    own = torch.backends.cpu.get_cpu_capability()
    below = CAPABILITIES[: CAPABILITIES.index(own)] if own in CAPABILITIES else ()
    found = {name: {"ATEN_CPU_CAPABILITY": name.lower()} for name in below}
    without = " ".join(numpy_features("AVX512") + numpy_features("X86_V4"))
    if "AVX2" in found and without:
        # What torch calls AVX2 is a processor without AVX-512, so NumPy has none either.
        found["AVX2"]["NPY_DISABLE_CPU_FEATURES"] = without
    return found


def test_the_machines_own_setting_is_not_tried_again():
    others = other_processors()
    assert torch.backends.cpu.get_cpu_capability() not in others
    if torch.backends.cpu.get_cpu_capability() == "AVX512" and not os.environ.get(
        "ATEN_CPU_CAPABILITY"
    ):
        assert list(others) == ["DEFAULT", "AVX2"]
        assert "NPY_DISABLE_CPU_FEATURES" in others["AVX2"]


def sample(keys):
    """One rerun: of the first seed at the lowest rate, or of the second one at the highest, by the
    length of the claim's name, so that a lesson has both."""
    pairs, rates = claims.all_pairs(keys), len(keys.get("rates", [0]))
    return [pairs[0] if len(keys["claim"]) % 2 else pairs[2 * rates - 1]]


PROCESSORS = [{}, *other_processors().values()]


def turn_of(name) -> int:
    """Which of the processors a lesson is built on; neighbours have the same."""
    return list(LESSONS).index(name) * len(PROCESSORS) // len(LESSONS)


def processors_of(name):
    """One for each lesson; EVERY_PROCESSOR=1 takes all for each."""
    return PROCESSORS if os.environ.get("EVERY_PROCESSOR") else [PROCESSORS[turn_of(name)]]


def with_its_kernels(name):
    """Kernels of one processor are forked from one process, and so by one process of tests."""
    return pytest.param(name, marks=pytest.mark.xdist_group(f"{KERNELS}{turn_of(name) or ''}"))


@pytest.mark.parametrize("name", [*map(with_its_kernels, LESSONS)])
def test_the_build_makes_what_is_committed_and_its_claims_hold(name):
    """The source's language is executed; the others have its code (see test_publish_lessons)."""
    for environment in processors_of(name):
        prepared = prepare(COURSE, [name], SOURCE_LANGUAGE, registered_names())
        lesson, notebook = prepared[name]
        found, hear = claims.reruns(notebook, sample)
        options = {"environment": environment, "tell": hear}
        task = (COURSE, name, lesson, notebook, SOURCE_LANGUAGE, True, claims.HERE)
        assert list(verify(*task, **options)) == [], environment
        held = [
            (outcome.held(pair), outcome.name, pair)
            for outcome in found.values()
            for pair in outcome.pairs
        ]
        assert not held or np.mean([one[0] for one in held]) >= 0.75, held


@pytest.mark.parametrize("name", HEADLINES)
def test_the_table_has_every_headline_and_none_below_ninety_percent(name):
    page = claim_table.path(COURSE).read_text(encoding="utf-8")
    if f"Not measured yet: {name}" in page:
        pytest.skip(f"run 'make claims ARGS={name}'")
    rows = claim_table.rows(claim_table.sections(page).get(name, ""))
    measured = {statement: share for statement, _bounds, share in rows}
    wanted = {one for cell in claims.headlines(LESSONS[name]) for one in statements(cell, True)}
    assert wanted == set(measured), f"run 'make claims ARGS={name}'"
    assert all(share >= claims.LEAST_SHARE for share in measured.values()), measured
