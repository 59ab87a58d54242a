"""`flask listen`: an account's events, posted to a receiver on this machine, for development.

Reads the event log of any Proton Pay over HTTP, so that no address of yours has to be reachable
from there. Each event is signed as a webhook is, with a secret of this session.
"""

import signal
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import click

from protonpay.kernel import clock, ids
from protonpay.kernel.events import core_bytes, signed_body, standard_signature
from protonpay.wire.http import NoAnswer, Wire

_PATIENCE_SECONDS = 15
_AT_ONCE = 100
_WAIT_SECONDS = 15
# Half of what an account may read in a minute, so that its other questions have room.
_QUIET_SECONDS = 2.0
_LONGEST_SILENCE_SECONDS = 30.0


class Refused(Exception):
    """The other side does not let us read, and will not by itself."""


class Listener:
    """Takes events from a log and posts them, in their order, one at a time.

    Attributes:
        place: the number of the last event that was posted.
        secret: what they are signed with.
    """

    def __init__(
        self,
        api: Wire,
        receiver: Wire,
        say: Callable[[str], None],
        *,
        after: int | None = None,
        wait: int = 0,
    ) -> None:
        """Begin after a number, or with what happens from now on.

        Args:
            api: of the account.
            receiver: where events are posted.
            say: is told of each.
            after: a number of the log; None for now.
            wait: seconds for which the other side may wait for an event.

        Raises:
            Refused: the key is not good for this.
            NoAnswer: unknown; try again.
        """
        self.secret = ids.new_webhook_secret()
        self._api, self._receiver, self._say = api, receiver, say
        self._wait = f"&wait={wait}" if wait else ""
        self.place = self._read(0, 1)["lastSequence"] if after is None else after

    def step(self) -> bool:
        """Post what has happened, or happens before the other side has waited long enough.

        Returns:
            Whether there is more already.

        Raises:
            Refused: the key is not good any more.
            NoAnswer: unknown what has happened; nothing was posted.
        """
        found = self._read(self.place, _AT_ONCE, self._wait)
        for event in found["events"]:
            self._forward(event)
            self.place = event["sequence"]
        return bool(found["hasMore"])

    def _read(self, after: int, limit: int, wait: str = "") -> dict[str, Any]:
        answer = self._api.get(f"/client/events?after={after}&limit={limit}{wait}")
        if answer.status == HTTPStatus.BAD_REQUEST and wait:
            # An older one, which cannot wait.
            self._wait = ""
            return self._read(after, limit)
        told = answer.json()
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise Refused(str(told.get("detail", answer.status)))
        if answer.status != HTTPStatus.OK:
            raise NoAnswer(f"status {answer.status}")
        read: dict[str, Any] = told
        return read

    def _forward(self, event: dict[str, Any]) -> None:
        happened = clock.from_text(event["timestamp"])
        body = signed_body(core_bytes(event["event"], event["data"], happened), self.secret)
        stamp = clock.to_epoch_ms(clock.now()) // 1000
        headers = {
            "webhook-id": event["id"],
            "webhook-timestamp": str(stamp),
            "webhook-signature": standard_signature(event["id"], stamp, body, self.secret),
        }
        try:
            said = str(self._receiver.post("", data=body, headers=headers).status)
        except NoAnswer as silence:
            said = str(silence)
        moment = f"{clock.now():%H:%M:%S}"
        self._say(f"{moment}  {event['sequence']}  {event['event']}  {event['id']}  -> {said}")


@click.command("listen")
@click.option("--forward", required=True, help="Where to post them, as in http://127.0.0.1:3000/.")
@click.option("--api-key", required=True, envvar="PROTONPAY_API_KEY", help="Of the account.")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Of Proton Pay.")
@click.option("--after", type=click.IntRange(min=0), help="Begin after this event of the log.")
def listen(forward: str, api_key: str, url: str, after: int | None) -> None:
    """Post an account's events to a receiver on this machine, signed, as they happen.

    An answer is shown and nothing is sent twice; Ctrl-C ends it.
    """
    api = Wire(
        f"{url.rstrip('/')}/api",
        read_seconds=_WAIT_SECONDS + _PATIENCE_SECONDS,
        headers={"Authorization": f"Bearer {api_key}"},
    )
    receiver = Wire(forward, read_seconds=_PATIENCE_SECONDS)
    try:
        listener = Listener(api, receiver, click.echo, after=after, wait=_WAIT_SECONDS)
        click.echo(f"Verify with the secret  {listener.secret}")
        click.echo(f"Events after {listener.place} go to {forward}  (Ctrl-C ends it)")
        _keep_on(listener)
    except Refused as refusal:
        raise click.ClickException(f"{url}: {refusal}") from refusal
    except NoAnswer as silence:
        raise click.ClickException(f"{url} does not answer: {silence}") from silence


def _keep_on(listener: Listener) -> None:
    pause, wait = threading.Event(), _QUIET_SECONDS
    # However it is ended it says where to go on; started in the background, a shell has had
    # Ctrl-C ignored.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    try:
        while True:
            began = time.monotonic()
            try:
                more, wait = listener.step(), _QUIET_SECONDS
            except NoAnswer as silence:
                more, wait = False, min(2 * wait, _LONGEST_SILENCE_SECONDS)
                click.echo(f"no answer ({silence}), trying again", err=True)
            # What was waited for there need not be waited for here.
            if not more:
                pause.wait(max(wait - (time.monotonic() - began), 0))
    except KeyboardInterrupt:
        click.echo(f"Ended. Go on with --after {listener.place}")
