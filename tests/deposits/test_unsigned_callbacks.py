"""Callbacks that nothing signs: where they come from is judged, what they say is only a reason."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, TestResponse

from protonpay.deposits.models import ProviderCallback
from protonpay.kernel.money import ZERO
from protonpay.store.db import db
from protonpay.store.outbox import OutboxRow
from tests.actors import Actor
from tests.contract.card_simulators import PLAYED
from tests.deposits.till import Till, stored
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

UNSIGNED = [name for name, by in PLAYED.items() if not by.signed]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("played", UNSIGNED, indirect=True),
]
ELSEWHERE = [
    *("203.0.113.7", "127.0.0.1", "10.0.0.1", "198.51.101.7", "::1", "2a02:5181::1"),
    *("::ffff:203.0.113.7", "", "unknown"),
]


def arrived(till: Till, actor: Actor) -> Any:
    """Return a genuine notification of a payment, still undelivered."""
    till.paid(actor, drop=False, delay_ms=0)
    (callback,) = till.told()
    return callback


def asked(till: Till) -> list[str]:
    """Return the payments that a job will ask the provider about."""
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.job == "deposits.card_callback"))
    return [row.args["provider_ref"] for row in rows]


@pytest.mark.checklist(66)
@pytest.mark.parametrize("address", ELSEWHERE)
def test_from_elsewhere_it_is_refused_and_nobody_is_asked(till: Till, bob: Actor, address: str):
    callback = arrived(till, bob)
    with nothing_changes():
        answer = till.deliver(callback, environ_overrides={"REMOTE_ADDR": address})
    refused(answer, 400, "forged_callback")
    assert bob.available == ZERO


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"])
def test_a_header_of_the_callers_own_does_not_move_it_inside(till: Till, bob: Actor, header: str):
    callback = arrived(till, bob)
    said = f"for={callback.remote_addr}" if header == "Forwarded" else callback.remote_addr
    headers = {**callback.headers, header: said}
    outside = {"REMOTE_ADDR": "203.0.113.7"}
    with nothing_changes():
        refused(
            till.deliver(callback, headers=headers, environ_overrides=outside),
            *(400, "forged_callback"),
        )


@pytest.mark.parametrize(
    ("before", "status"),
    [
        (["{inside}"], 200),
        (["203.0.113.7"], 400),
        (["203.0.113.7", "{inside}"], 200),
        (["{inside}", "203.0.113.7"], 400),
    ],
    ids=["inside", "outside", "outside says inside, seen inside", "says inside, seen outside"],
)
def test_behind_a_proxy_of_ours_what_it_saw_counts(
    house: Flask, till: Till, bob: Actor, before: list[str], status: int
):
    """As ``create_app`` sees it with ``TRUSTED_PROXIES=1``."""
    callback = arrived(till, bob)
    seen = ", ".join(before).format(inside=callback.remote_addr)
    proxy = Client(ProxyFix(house.wsgi_app, x_for=1), TestResponse)

    answer = proxy.post(
        till.callbacks,
        data=callback.body,
        headers={**callback.headers, "X-Forwarded-For": seen},
        environ_overrides={"REMOTE_ADDR": "10.0.0.9"},
    )

    assert answer.status_code == status, answer.get_data()


def test_from_inside_it_is_kept_as_it_came_and_the_payment_is_asked_about(till: Till, bob: Actor):
    callback = arrived(till, bob)
    with only_changes("provider_callbacks", "outbox"):
        assert till.deliver(callback).status_code == 200
    (kept,) = db.session.scalars(select(ProviderCallback))
    assert (kept.provider, kept.body) == (till.name, callback.body)
    assert asked(till) == [kept.provider_ref]
    assert bob.available == ZERO, "not on its word"


@pytest.mark.parametrize("event", ["payment.succeeded", "refund.succeeded", "payment.tomorrow"])
def test_from_inside_a_lie_is_asked_about_and_moves_nothing(till: Till, bob: Actor, event: str):
    """Whoever gets hold of an address inside gains nothing but a question."""
    deposit = till.opened(bob)
    thing = {
        "id": deposit.provider_ref,
        "payment_id": deposit.provider_ref,
        "status": "succeeded",
        "paid": True,
        "amount": {"value": "999999.00", "currency": "RUB"},
        "metadata": {"deposit_id": deposit.id},
    }
    lie = json.dumps({"type": "notification", "event": event, "object": thing})
    inside = {"REMOTE_ADDR": PLAYED[till.name].callback_address}
    with only_changes("provider_callbacks", "outbox"):
        sent = till.door.post(till.callbacks, data=lie, environ_overrides=inside)
    assert sent.status_code == 200
    assert asked(till) == [deposit.provider_ref]
    with nothing_changes():
        till.ask(deposit)
    assert (stored(deposit.id).state, bob.available) == ("PENDING", ZERO)


def test_a_real_but_smaller_payment_of_ones_own_pays_for_nothing_else(till: Till, bob: Actor):
    wanted = till.opened(bob, "5000.00")
    small = till.paid(bob, "1.00")
    thing = {"id": small.provider_ref, "metadata": {"deposit_id": wanted.id}}
    lie = json.dumps({"type": "notification", "event": "payment.succeeded", "object": thing})
    inside = {"REMOTE_ADDR": PLAYED[till.name].callback_address}
    assert till.door.post(till.callbacks, data=lie, environ_overrides=inside).status_code == 200
    till.ask(small)
    assert (stored(wanted.id).state, stored(small.id).state) == ("PENDING", "CONFIRMED")
    assert bob.available == stored(small.id).credited
