"""flask listen: an account's events reach a receiver on this machine, signed and in order."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from standardwebhooks import Webhook

from protonpay import verify
from protonpay.cli.listen import Listener, Refused
from protonpay.events import waiting
from protonpay.store.queue import door
from protonpay.wire.http import NoAnswer, Wire
from tests.api.conftest import Served, cards, served
from tests.committed import open_house
from tests.patience import until
from tests.raw_server import RawServer, answering, http
from tests.webhooks.test_delivery import happen, sent

__all__ = ["cards", "open_house", "served"]

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def receiver() -> Iterator[RawServer]:
    with answering(http(b"thanks")) as server:
        yield server


def key_of(served: Served) -> str:
    made = served.alice.post(
        "/client/api-keys", {"name": "Listen", "permissions": ["webhooks:write"]}
    )
    raw: str = made.get_json()["key"]["rawKey"]
    return raw


def api(served: Served, key: str) -> Wire:
    return Wire(f"{served.url}/api", headers={"Authorization": f"Bearer {key}"})


def test_what_happens_from_now_on_is_posted_once_and_verifies(served: Served, receiver: RawServer):
    happen(served.alice)
    said: list[str] = []
    listener = Listener(api(served, key_of(served)), Wire(receiver.url), said.append)
    assert listener.step() is False
    assert sent(receiver) == []
    happen(served.alice)
    happen(served.alice, "payout.failed")

    assert listener.step() is False
    listener.step()

    (first, one), (second, two) = sent(receiver)
    assert verify.verify(one, first, listener.secret)["event"] == "transfer.completed"
    assert verify.verify_body(two, listener.secret)["event"] == "payout.failed"
    assert Webhook(listener.secret).verify(two, second)["data"]["note"] == "Жанна ☕"
    log = served.alice.get("/client/events?after=1").get_json()["events"]
    assert [first["webhook-id"], second["webhook-id"]] == [event["id"] for event in log]
    assert [line.rpartition(" -> ")[2] for line in said] == ["200", "200"]


def test_the_other_side_waits_for_an_event_and_one_that_cannot_is_asked_again(
    served: Served, receiver: RawServer, monkeypatch: pytest.MonkeyPatch
):
    said: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(waiting.room, "pause", lambda: happen(served.alice))
        listener = Listener(
            api(served, key_of(served)), Wire(receiver.url), said.append, after=0, wait=15
        )
        assert listener.step() is False
        assert len(sent(receiver)) == 1
    asked = []

    def older(connection: socket.socket, _over: object) -> None:
        asked.append(old.requests[-1].split(b" ")[1].decode())
        body = b'{"events": [], "hasMore": false, "lastSequence": 0}'
        connection.sendall(http(body, status="400 No" if "wait" in asked[-1] else "200 OK"))

    with answering(older) as old:
        listener = Listener(Wire(old.url), Wire(receiver.url), said.append, after=0, wait=15)
        listener.step()
        listener.step()
    assert [path.partition("limit=100")[2] for path in asked] == ["&wait=15", "", ""]


def test_a_receiver_that_is_away_is_told_of_and_nobody_waits_for_it(served: Served):
    happen(served.alice)
    said: list[str] = []
    nobody = Wire("http://127.0.0.1:9")
    listener = Listener(api(served, key_of(served)), nobody, said.append, after=0)
    listener.step()
    assert "ConnectionError" in said[0] or "NewConnectionError" in said[0]
    assert listener.place == 1


def test_a_key_that_may_not_is_refused_and_silence_is_no_refusal(
    served: Served, receiver: RawServer
):
    for wrong in ("sk_live_nothing", served.alice.token[:-1]):
        with pytest.raises(Refused):
            Listener(api(served, wrong), Wire(receiver.url), print)
    with pytest.raises(NoAnswer):
        Listener(Wire("http://127.0.0.1:9/api"), Wire(receiver.url), print)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_streams_until_it_is_ended(
    served: Served,
    receiver: RawServer,
    settings: dict[str, str],
    end: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
):
    ended = threading.Event()
    late = SimpleNamespace(monotonic=lambda: time.monotonic() + 60 * ended.is_set())
    monkeypatch.setattr(waiting, "time", late)  # nobody is asked any more once it has ended
    happen(served.alice)
    words = ("listen", "--forward", receiver.url, "--url", served.url, "--after", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *words],
        env={**os.environ, **settings, "PROTONPAY_API_KEY": key_of(served)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until(lambda: sent(receiver), 30)
            until(lambda: door.client.keys("events:wait:*"), 30, what="it waits over there")
            process.send_signal(end)
            printed, _ = process.communicate(timeout=10)
        finally:
            process.kill()
            ended.set()
            until(lambda: not door.client.keys("events:wait:*"), what="the other side is done")

    assert process.returncode == 0
    (secret,) = re.findall(r"whsec_\S+", printed)
    ((headers, body),) = sent(receiver)
    assert verify.verify(body, headers, secret)["event"] == "transfer.completed"
    assert "-> 200" in printed
    assert printed.endswith("Ended. Go on with --after 1\n")
