"""One Chromium for the tests of a file; each visit is a context of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from protonpay.stack import browser as chromium
from tests.browser.driving import ROOT, Visit, visiting

# It asks Google's hosts for things at every start otherwise.
_QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; as long as it lives, nothing else of its thread can have a loop."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium.program(ROOT),
            env={**os.environ, **chromium.environment(ROOT)},
            # Its own walls need rights that a container does not give; it sees our pages alone.
            chromium_sandbox=False,
            args=list(_QUIET),
        )
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, house: Flask) -> Iterator[Callable[..., Visit]]:
    """Open visits, with the options of a Playwright context; they end with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(visiting(browser, house, **options))
