"""Messages go out; what is written to the bot comes in."""

import threading

import structlog
from flask import Flask

from protonpay.store.db import release
from protonpay.store.jobs import Later
from protonpay.telegram import messages, polling
from protonpay.telegram.service import line
from protonpay.wire.http import NoAnswer, Throttled
from workers.job import job, periodic

log = structlog.get_logger(__name__)

_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5.0, 60.0


class Listener:
    """Asks Telegram without end, in a thread of its own: a question waits for half a minute."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def start(self, app: Flask) -> None:
        """Begin in this process, if there is a bot; after the fork, never before."""
        if line.bot is not None:
            threading.Thread(target=self._work, args=(app,), daemon=True, name="telegram").start()

    def finish(self) -> None:
        """Ask nothing more."""
        self._over.set()

    def _work(self, app: Flask) -> None:
        with app.app_context():
            while not self._over.is_set():
                try:
                    self._listen()
                except Exception:
                    log.exception("telegram_not_heard")
                finally:
                    release()
                self._over.wait(_PAUSE_SECONDS)

    def _listen(self) -> None:
        pause = _PAUSE_SECONDS
        with polling.alone() as mine:
            while mine.holds() and not self._over.is_set():
                try:
                    polling.listen()
                    pause = _PAUSE_SECONDS
                except Throttled as asked:
                    self._over.wait(asked.seconds)
                except NoAnswer as error:
                    log.warning("telegram_not_heard", error=str(error))
                    self._over.wait(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                finally:
                    release()


listener = Listener()


@job("telegram.send")
def send(message_id: str) -> Later | None:
    """Send one message."""
    return messages.send(message_id)


@periodic("telegram.beat")
def beat() -> None:
    """Show that the queue is served, and forget what ended long ago."""
    messages.prune()
