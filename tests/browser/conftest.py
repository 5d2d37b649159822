"""One server and one browser for all tests that need none of their own."""

import shutil

import pytest

from tests.browser.lab import ROOT, browser, server


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A copy of the notebooks, so that what is typed changes nothing here."""
    folder = tmp_path_factory.mktemp("course")
    for kind in ("notebooks", "solutions"):
        shutil.copytree(ROOT / kind, folder / kind)
    return folder


@pytest.fixture(scope="session")
def address(course):
    with server(course) as address:
        yield address


@pytest.fixture(scope="session")
def driver():
    with browser() as driver:
        yield driver
