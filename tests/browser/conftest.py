"""Fixtures of the browser tests: one Chromium for all, one office a module. Skipped where there is no Chromium."""

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright")
pytest.importorskip("nicegui")

from playwright.sync_api import Browser, sync_playwright

from tests.browser.console_office import CHROMIUM, Office, running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: install chromium, or put one on PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def running_office(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A service and a console with a store of their own, for all tests of a module."""
    with running(tmp_path_factory.mktemp("office"), browser) as one:
        yield one


@pytest.fixture
def office(running_office: Office) -> Iterator[Office]:
    """The module's office; the windows that a test opened are closed after it."""
    yield running_office
    running_office.close_windows()
