"""A payer may have more time, a few times, when it runs out (portal reference §3, WCAG 2.2.1)."""

from datetime import timedelta

import pytest

from protonpay.invoices import receiving, service
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, NotFound
from tests.actors import Actor
from tests.invoices.asking import ask, pay_on_chain
from tests.unchanged import nothing_changes


@pytest.mark.parametrize(("lasts", "more"), [(60, 60), (900, 900), (86_400, 3600)])
def test_it_is_extended_by_an_hour_or_by_what_it_was_made_for(bob: Actor, lasts: int, more: int):
    made = ask(bob, expiresInSeconds=lasts)
    before = service.find(made.id).invoice.expires_at
    with clock.frozen(before - timedelta(seconds=5)):
        after = service.extend(made.id).expires_at
    assert after - before == timedelta(seconds=more)


def test_ten_times_and_not_while_enough_is_left(bob: Actor):
    made = ask(bob, expiresInSeconds=900)
    for _ in range(service.EXTENSIONS):
        expires_at = service.find(made.id).invoice.expires_at
        with clock.frozen(expires_at - timedelta(seconds=5)):
            service.extend(made.id)
            with nothing_changes(), pytest.raises(Conflict):
                service.extend(made.id)
    assert made.shown["extendable"] is False
    expires_at = service.find(made.id).invoice.expires_at
    with (
        clock.frozen(expires_at - timedelta(seconds=5)),
        nothing_changes(),
        pytest.raises(Conflict, match="no more time"),
    ):
        service.extend(made.id)


def test_who_does_not_want_it_does_not_give_it(bob: Actor):
    made = ask(bob, expiresInSeconds=60, extendable=False)
    assert made.shown["extendable"] is False
    with nothing_changes(), pytest.raises(Conflict):
        service.extend(made.id)


def test_what_has_ended_has_ended(bob: Actor):
    paid, over = ask(bob, expiresInSeconds=60), ask(bob, expiresInSeconds=60)
    pay_on_chain(paid.id, "50")
    with pytest.raises(Conflict, match="is paid"):
        service.extend(paid.id)
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        receiving.expire(over.id)
        with nothing_changes(), pytest.raises(Conflict, match="has expired"):
            service.extend(over.id)
    with pytest.raises(NotFound):
        service.extend(f"c{'a' * 24}")


def test_the_job_that_ends_it_waits_for_the_new_end(bob: Actor):
    made = ask(bob, expiresInSeconds=60)
    expires_at = service.find(made.id).invoice.expires_at
    with clock.frozen(expires_at - timedelta(seconds=5)):
        service.extend(made.id)
    with clock.frozen(expires_at + timedelta(seconds=5)):
        assert receiving.expire(made.id) is not None
        assert made.status == "PENDING"
        pay_on_chain(made.id, "50")
    assert (made.status, made.shown["late"]) == ("PAID", False)
