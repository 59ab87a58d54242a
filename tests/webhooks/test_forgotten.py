"""What a server that dies may forget: what is done again, and nothing else (ADR 31)."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.store import db as store
from protonpay.store.db import db, execute
from protonpay.webhooks import delivery, lanes
from protonpay.webhooks.models import WebhookAttempt
from protonpay.webhooks.recording import Met, record
from protonpay.wire.outbound import Outcome
from tests.actors import Actor
from tests.raw_server import answering, http
from tests.webhooks.test_lanes import happen, lane, states, subscribe
from tests.wire.posting import listed

_ID = re.compile(rb"(?i)^webhook-id: (evt_\w+)\r$", re.MULTILINE)
SUCCESS = Outcome(delivered=True, status=200, code="delivered", head="ok", milliseconds=1)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def commits(house: object, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """``synchronous_commit`` of each commit."""
    seen: list[str] = []
    commit = store._commit

    def note(session: object) -> None:
        seen.extend(execute("SHOW synchronous_commit", {}).fetchone() or ())
        commit(session)  # type: ignore[arg-type]
        # A transaction of a test ends later than that of the program.
        execute("SET synchronous_commit = on", {})

    execute("SET synchronous_commit = on", {})
    monkeypatch.setattr(store, "_commit", note)
    return seen


def forget() -> None:
    """Make deliveries and lanes what they were before anybody took them in hand."""
    execute("DELETE FROM webhook_attempts", {})
    execute(
        "UPDATE webhook_deliveries SET state = 'PENDING', attempts = 0, leased_until = NULL,"
        " ended_at = NULL",
        {},
    )
    execute("UPDATE webhook_lanes SET leased_until = NULL, due_at = now()", {})


def numbers() -> list[int]:
    return list(db.session.scalars(select(WebhookAttempt.number).order_by(WebhookAttempt.id)))


def test_a_hand_on_a_lane_is_waited_for_and_how_attempts_end_is_not(
    alice: Actor, stack: ExitStack, commits: list[str]
):
    server = stack.enter_context(answering(http()))
    stack.enter_context(listed(server.url))
    subscribe(alice, server.url)
    happen(alice, 3)
    assert set(commits) == {"on"}
    commits.clear()
    assert delivery.deliver_due() == 3
    assert (commits[0], set(commits[1:])) == ("on", {"off"})


def test_a_receiver_that_is_gone_is_not_forgotten(
    alice: Actor, stack: ExitStack, commits: list[str]
):
    server = stack.enter_context(answering(http(status="410 Gone")))
    stack.enter_context(listed(server.url))
    subscribe(alice, server.url)
    happen(alice)
    commits.clear()
    assert delivery.deliver_due() == 1
    assert commits[:2] == ["on", "on"]


def test_what_is_forgotten_is_delivered_again_under_its_id(alice: Actor, stack: ExitStack):
    server = stack.enter_context(answering(http()))
    stack.enter_context(listed(server.url))
    hook = subscribe(alice, server.url)
    happen(alice)
    assert delivery.deliver_due() == 1
    forget()
    assert delivery.deliver_due() == 1
    first, second = (_ID.findall(request) for request in server.requests)
    assert first == second != []
    assert (states(hook), numbers()) == (["DELIVERED"], [1])


def test_who_remembers_more_than_the_rows_ends_nothing(alice: Actor, stack: ExitStack):
    server = stack.enter_context(answering(http()))
    stack.enter_context(listed(server.url))
    hook = subscribe(alice, server.url)
    happen(alice)
    (claimed,) = lanes.claim(1, slow=False)
    (parcel,) = lanes.take({claimed: 1})
    forget()
    record([Met(parcel, clock.now(), SUCCESS)])
    assert states(hook) == ["PENDING"]
    assert delivery.deliver_due() == 1
    assert (states(hook), numbers()) == (["DELIVERED"], [1, 1])
    assert lane(hook).due_at is None
