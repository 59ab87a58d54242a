"""What an attempt met is written down once, whatever becomes of the writing."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.store.db import db, execute
from protonpay.store.lists import Part
from protonpay.webhooks import failing, history, recording, service
from protonpay.webhooks.delivery import Courier
from protonpay.webhooks.models import WebhookAttempt
from tests.actors import Actor
from tests.raw_server import answering, http
from tests.unheard import LOST, commits_unheard
from tests.webhooks.test_lanes import happen, lane, states, subscribe
from tests.wire.posting import listed


@pytest.fixture
def hook(alice: Actor) -> Iterator[str]:
    """An endpoint that answers every attempt with an error."""
    with ExitStack() as stack:
        server = stack.enter_context(answering(http(status="500 Broken")))
        stack.enter_context(listed(server.url))
        yield subscribe(alice, server.url)


@pytest.fixture
def courier() -> Iterator[Courier]:
    courier = Courier()
    yield courier
    courier.close()


def finished(courier: Courier) -> None:
    while courier.step(1):
        pass


def attempts() -> int:
    return len(db.session.scalars(select(WebhookAttempt.id)).all())


def test_a_batch_whose_commit_was_not_heard_of_is_not_written_twice(
    alice: Actor, hook: str, courier: Courier
):
    happen(alice)
    with commits_unheard(recording), pytest.raises(Unavailable):
        finished(courier)
    assert (attempts(), lane(hook).failures) == (1, 1)
    happen(alice)
    finished(courier)
    assert (attempts(), lane(hook).failures) == (2, 2)
    assert states(hook) == ["PENDING", "PENDING"]


def test_what_was_asked_for_anew_since_stays_so(alice: Actor, hook: str, courier: Courier):
    happen(alice)
    execute("UPDATE webhook_deliveries SET state = 'EXHAUSTED', ended_at = now()", {})
    (ended,) = history.deliveries(alice.id, hook, Part(10))
    history.resend(alice.id, hook, ended.id)
    with commits_unheard(recording), pytest.raises(Unavailable):
        finished(courier)
    assert states(hook) == ["EXHAUSTED"]
    service.change(alice.id, hook, throttle_per_second=1)
    execute("UPDATE webhook_lanes SET paced_until = now() + interval '1 hour'", {})
    history.replay(alice.id, hook, after=0)
    finished(courier)
    assert (states(hook), attempts()) == (["PENDING"], 1)


def test_who_cannot_be_judged_now_is_judged_later_and_nothing_is_written_twice(
    alice: Actor, hook: str, courier: Courier, monkeypatch: pytest.MonkeyPatch
):
    happen(alice)
    long_ago = clock.now() - failing.FAILS_FOR - timedelta(hours=1)
    execute("UPDATE webhook_lanes SET failing_since = %(ago)s, failures = 30", {"ago": long_ago})
    monkeypatch.setattr(failing, "judge", lambda *_: (_ for _ in ()).throw(LOST))
    with pytest.raises(Unavailable):
        finished(courier)
    assert (attempts(), service.get(alice.id, hook).enabled) == (1, True)
    monkeypatch.undo()
    happen(alice)
    execute("UPDATE webhook_lanes SET probe_at = NULL", {})
    finished(courier)
    of = db.session.scalars(select(WebhookAttempt.delivery_id)).all()
    assert len(of) == len(set(of)) == 2
    assert service.get(alice.id, hook).disabled_reason == "failing"
