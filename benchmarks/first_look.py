"""How soon a payer sees the pay page on a slow machine, and what that costs them.

``python -m benchmarks.first_look --slower 4 --looks 9``. Each look is a browser that has seen
nothing of ours before, with its processor slowed down by Chromium itself. The budgets: 60 KB in 12
requests, the largest thing painted within 1.2 s, nothing shifts by more than 0.02, and no task is
longer than 50 ms.
"""

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.stage import ROOT, Stage, set_up
from protonpay.invoices import service
from protonpay.kernel.money import Usdc
from protonpay.stack import browser as chromium

_WATCH = """
    window.seen = { painted: 0, shifted: 0, tasks: [] };
    const on = (type, take) =>
      new PerformanceObserver((list) => list.getEntries().forEach(take))
        .observe({ type, buffered: true });
    on("largest-contentful-paint", (entry) => { window.seen.painted = entry.startTime; });
    on("layout-shift", (entry) => { window.seen.shifted += entry.value; });
    on("longtask", (entry) => { window.seen.tasks.push(entry.duration); });
"""
_TELL = """() => {
    const all = ["navigation", "resource"].flatMap((of) => performance.getEntriesByType(of));
    return { ...window.seen, requests: all.length,
             bytes: all.reduce((sum, each) => sum + each.transferSize, 0) };
}"""


@dataclass(frozen=True)
class Look:
    """What one look met.

    Attributes:
        painted: milliseconds until the largest thing was painted.
        shifted: the sum of what moved (CLS).
        tasks: milliseconds of each task longer than 50.
        bytes: that came over the line, headers included.
    """

    painted: float
    shifted: float
    tasks: list[float]
    requests: int
    bytes: int


def look(browser: Browser, address: str, slower: float) -> Look:
    """Open a page in a browser that knows nothing, until its line to us stands."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en")
    context.add_init_script(_WATCH)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    with page.expect_request("**/events"):
        page.goto(address, wait_until="load")
    page.evaluate("() => new Promise((seen) => requestIdleCallback(seen))")
    told: dict[str, Any] = page.evaluate(_TELL)
    context.close()
    return Look(**told)


def pay_page(stage: Stage) -> str:
    """Return the address of an invoice's page."""
    (owner,) = stage.people(1)
    with stage.app.app_context():
        made = service.create(owner.id, service.Order(amount=Usdc.parse("50")))
    return f"http://127.0.0.1:{stage.port}/pay/{made.id}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slower", type=float, default=4)
    parser.add_argument("--looks", type=int, default=9)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load before: {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as folder, set_up(Path(folder)) as stage:
        address = pay_page(stage)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium.program(ROOT),
                env={**os.environ, **chromium.environment(ROOT)},
                chromium_sandbox=False,
            )
            looks = [look(browser, address, options.slower) for _ in range(options.looks)]
            browser.close()
    painted, shifted = sorted(each.painted for each in looks), max(each.shifted for each in looks)
    tasks, most = [task for each in looks for task in each.tasks], max(each.bytes for each in looks)
    print(f"{len(looks)} looks, {options.slower:g} times slower")
    print(f"   largest paint, median / worst  {median(painted):.0f} / {painted[-1]:.0f} ms")
    print(f"   shifted, worst                 {shifted:.3f}")
    print(f"   tasks above 50 ms              {len(tasks)}, at most {max(tasks, default=0):.0f} ms")
    print(f"   requests, bytes                {looks[0].requests}, {most}")
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
