"""Events to deliveries, deliveries to receivers."""

import threading

import structlog
from flask import Flask

from protonpay.kernel.errors import Unavailable
from protonpay.store.db import release
from protonpay.webhooks import delivery, failing, service
from protonpay.webhooks.delivery import Courier
from workers.job import drain, periodic

log = structlog.get_logger(__name__)

_EVENTS = 500
_GIVEN_UP = 1000
_LAST_WORDS_SECONDS = 20


class Deliverer:
    """The courier of a process, in a thread of its own: a round of RQ rings for it.

    It looks at the rows by itself, too, so that events are delivered while Redis is away.
    """

    def __init__(self) -> None:
        self._courier: Courier | None = None
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def start(self, app: Flask) -> None:
        """Begin to deliver in this process; after the fork, never before."""
        self._courier = Courier()
        self._thread = threading.Thread(
            target=self._work, args=(app, self._courier), daemon=True, name="courier"
        )
        self._thread.start()

    def ring(self) -> None:
        """Say that something is due; where no courier is at work, nothing hears it."""
        if self._courier is not None:
            self._courier.ring()

    def finish(self) -> None:
        """End what is under way, and begin nothing more."""
        self._over.set()
        self.ring()
        if self._thread is not None:
            self._thread.join(_LAST_WORDS_SECONDS)

    def _work(self, app: Flask, courier: Courier) -> None:
        with app.app_context():
            while not self._over.is_set():
                self._round(courier)
            courier.close()
            release()

    def _round(self, courier: Courier) -> None:
        try:
            if not courier.step(delivery.POLL_SECONDS):
                release()
                if not courier.wait(delivery.POLL_SECONDS):
                    # Nobody rang: whoever should have may be away.
                    dispatch_events()
        except Unavailable as error:
            log.warning("courier_waits", error=repr(error))
            self._over.wait(delivery.POLL_SECONDS)
        except Exception:
            log.exception("courier_stumbled")
            self._over.wait(delivery.POLL_SECONDS)
        finally:
            release()


deliverer = Deliverer()


def dispatch_events() -> None:
    """Write down who hears of what happened."""
    drain(lambda: service.dispatch(_EVENTS), _EVENTS)


@periodic("events.dispatch")
def dispatch() -> None:
    """Write down who hears of what happened."""
    dispatch_events()


@periodic("webhooks.deliver")
def deliver() -> None:
    """Attempt what is due."""
    deliverer.ring()


@periodic("webhooks.give_up")
def give_up() -> None:
    """Cancel what waits for endpoints that were disabled too long ago."""
    drain(lambda: failing.give_up(_GIVEN_UP), _GIVEN_UP)
