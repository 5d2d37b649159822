"""One server and one browser for all tests of this folder that need none of their own; they end
with the folder's tests, and their gigabyte with them."""

import shutil

import pytest

from tests.browser.lab import ROOT, browser, server


@pytest.fixture(scope="package")
def course(tmp_path_factory):
    """A copy of the notebooks, so that what is typed changes nothing here."""
    folder = tmp_path_factory.mktemp("course")
    for kind in ("notebooks", "solutions"):
        shutil.copytree(ROOT / kind, folder / kind)
    return folder


@pytest.fixture(scope="package")
def address(course):
    with server(course) as address:
        yield address


@pytest.fixture(scope="package")
def driver():
    with browser() as driver:
        yield driver
