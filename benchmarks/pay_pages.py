"""Open pay pages: how soon 500 of them know what happened, and what that costs the server.

``python -m benchmarks.pay_pages --pages 500 --seconds 20``. Each page asks every three seconds, as
a browser does with the stream; meanwhile invoices are cancelled one after the other, and the time
until the page of each has heard of it is what a payer would wait.
"""

import argparse
import http.client
import os
import random
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.stage import Stage, cpu_seconds, set_up
from protonpay.invoices import service
from protonpay.kernel.money import Usdc

AGAIN_SECONDS = 3.0
_THREADS = 16
_CHANGES_PER_SECOND = 5


@dataclass
class Pages:
    """Every page that is open, and what they noticed.

    Attributes:
        changed: when an invoice became another, by its id; ``heard`` when its page knew.
        answers: seconds that each answer took.
    """

    port: int
    until: float
    changed: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    answers: list[float] = field(default_factory=list)
    refused: int = 0

    def keep_open(self, invoices: list[str], first: list[float]) -> None:
        """Ask for each page in its turn, until the end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        known: dict[str, bytes] = {}
        due = sorted(zip(first, invoices, strict=True))
        pause = threading.Event()
        while due and due[0][0] < self.until:
            at, invoice_id = due.pop(0)
            pause.wait(max(0.0, at - time.monotonic()))
            begun = time.monotonic()
            connection.request("GET", f"/pay/{invoice_id}/events")
            answer = connection.getresponse()
            said, now = answer.read(), time.monotonic()
            if answer.status != 200:
                self.refused += 1
            elif known.setdefault(invoice_id, said) != said:
                self.heard.setdefault(invoice_id, now)
            self.answers.append(now - begun)
            due.append((now + AGAIN_SECONDS, invoice_id))
        connection.close()


def watch(stage: Stage, count: int, seconds: int) -> tuple[Pages, float]:
    """Keep pages open; return what they noticed and the CPU seconds of the web processes."""
    (owner,) = stage.people(1)
    with stage.app.app_context():
        order = service.Order(amount=Usdc.parse("50"))
        made = [service.create(owner.id, order).id for _ in range(count)]
    begun, chooser = time.monotonic(), random.Random(1)  # the same load in every run
    pages = Pages(stage.port, begun + seconds)
    before = cpu_seconds(stage.web.pid)
    asking = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for part in range(_THREADS):
            mine = made[part::_THREADS]
            first = [begun + chooser.random() * AGAIN_SECONDS for _ in mine]
            asking.append(pool.submit(pages.keep_open, mine, first))
        pause = threading.Event()
        # Each page knows where it began, and has time to hear of the last change.
        pause.wait(2 * AGAIN_SECONDS)
        with stage.app.app_context():
            while time.monotonic() < pages.until - 2 * AGAIN_SECONDS and made:
                invoice_id = made.pop()
                service.cancel(owner.id, invoice_id)
                pages.changed[invoice_id] = time.monotonic()
                pause.wait(1 / _CHANGES_PER_SECOND)
    for one in asking:
        one.result()
    return pages, cpu_seconds(stage.web.pid) - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load before: {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as folder, set_up(Path(folder)) as stage:
        pages, cpu = watch(stage, options.pages, options.seconds)
    took = sorted(pages.answers)
    late = sorted(pages.heard[one] - at for one, at in pages.changed.items() if one in pages.heard)
    rate = len(took) / options.seconds
    print(f"{options.pages} pages: {rate:.0f} answers/s, refused {pages.refused}")
    print(f"answer p50 / p99: {_at(took, 50) * 1000:.1f} / {_at(took, 99) * 1000:.1f} ms")
    print(f"CPU of the web processes: {cpu / max(len(took), 1) * 1000:.2f} ms each")
    print(f"changes heard: {len(late)} of {len(pages.changed)}")
    print(f"a change is heard after p50 / p99: {_at(late, 50):.1f} / {_at(late, 99):.1f} s")
    print(f"load after: {os.getloadavg()[0]:.2f}")


def _at(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


if __name__ == "__main__":
    main()
