"""A Chromium whose every request is answered by the application under test."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from protonpay.portal.client.visits import COOKIE
from protonpay.stack import browser as chromium
from tests.actors import PASSWORD, Actor
from tests.browser.answering import Surroundings
from tests.portal.client import reader as portal

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "shots"
HOME = "http://127.0.0.1:8000"
_AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
JSQR = ROOT / "node_modules" / "jsqr" / "dist" / "jsQR.js"
# It asks Google's hosts for things at every start otherwise.
_QUIET = (
    "--disable-gpu",
    "--in-process-gpu",  # without one, its process only hands pictures on: a tenth of the work
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A phone looks at a code many times, from another place each; one look alone misses one in some
# hundred, by where its edges fall.
_READ = """async (png) => {
  const image = await createImageBitmap(await (await fetch(png)).blob());
  for (const scale of [1, 2, 1.5, 3]) {
    const margin = 8 * scale;
    const [width, height] = [image.width, image.height].map(
      (side) => Math.round(side * scale + 2 * margin));
    const drawn = new OffscreenCanvas(width, height).getContext("2d");
    drawn.fillStyle = "white";
    drawn.fillRect(0, 0, width, height);
    drawn.drawImage(image, margin, margin, image.width * scale, image.height * scale);
    const { data } = drawn.getImageData(0, 0, width, height);
    const read = jsQR(data, width, height)?.data;
    if (read) return read;
  }
}"""


@dataclass
class Visit:
    """A person's browser.

    Attributes:
        around: who answers it, and who was asked.
        errors: what the console complained of, refusals by the content policy among it.
    """

    context: BrowserContext
    page: Page
    around: Surroundings
    errors: list[str] = field(default_factory=list)

    @property
    def strangers(self) -> list[str]:
        """Addresses that are not ours and were asked for."""
        return self.around.strangers

    def shot(self, name: str, *, whole: bool = True) -> None:
        """Keep what the page looks like, for a person to look at: all of it, or its window."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=whole)

    def violations(self, *within: str) -> list[str]:
        """Return what axe finds wrong with the page, or parts of it: rules and elements."""
        self.page.evaluate(_AXE.read_text())
        found: list[dict[str, Any]] = self.page.evaluate(
            "(within) => axe.run(within.length ? within : document,"
            " { resultTypes: ['violations'] }).then(r => r.violations)",
            list(within),
        )
        return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]

    def overflows(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    def read_code(self, selector: str) -> str | None:
        """Decode a QR code as it is on the screen."""
        png = base64.b64encode(self.page.locator(selector).screenshot()).decode()
        reader = self.context.new_page()
        reader.evaluate(JSQR.read_text())
        read: str | None = reader.evaluate(_READ, f"data:image/png;base64,{png}")
        reader.close()
        return read


@contextmanager
def launched(*more: str) -> Iterator[Browser]:
    """Start a headless Chromium, with more arguments of its command line."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium.program(ROOT),
            env={**os.environ, **chromium.environment(ROOT)},
            # Its own walls need rights that a container does not give; it sees our pages alone.
            chromium_sandbox=False,
            args=[*_QUIET, *more],
        )
        yield opened
        opened.close()


@contextmanager
def visiting(browser: Browser, app: Flask, **context: Any) -> Iterator[Visit]:
    """Open a browser with nothing in it: ``locale``, ``color_scheme``, ``viewport`` and so on."""
    around = Surroundings(context.setdefault("base_url", HOME), app.test_client(use_cookies=False))
    opened = browser.new_context(proxy={"server": around.listen()}, **context)
    visit = Visit(opened, opened.new_page(), around)
    visit.page.on("console", lambda said: _note(visit, said.type, said.text))
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    try:
        yield visit
    finally:
        opened.close()
        around.leave()


def _note(visit: Visit, kind: str, text: str) -> None:
    if kind == "error" and not visit.around.down:
        visit.errors.append(text)


def sign_in(seen: Visit, actor: Actor) -> None:
    """Have a browser be somebody's who signed in earlier; no page is open yet.

    Typing takes it half a second of a core, and is no part of most stories.
    """
    reader = portal.sign_in(seen.around.client.application, actor)
    held = reader.client.get_cookie(COOKIE)
    assert held is not None
    devtools = seen.context.new_cdp_session(seen.page)
    set_by = {"url": seen.around.home, "path": "/", "secure": True, "sameSite": "Lax"}
    cookie = {"name": COOKIE, "value": held.value, "httpOnly": True, **set_by}
    assert devtools.send("Network.setCookie", cookie) == {"success": True}
    devtools.detach()


def sign_in_by_hand(seen: Visit, actor: Actor) -> None:
    """Sign somebody in at the portal, as a person does."""
    seen.page.goto("/login")
    seen.page.locator("#email").fill(actor.email)
    seen.page.locator("#password").fill(PASSWORD)
    seen.page.locator("form.stack button").click()
    seen.page.wait_for_url("**/app")
