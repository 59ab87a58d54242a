"""What providers tell: authentic, and still only a reason to ask, in whatever order it comes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from protonpay.cards.port import CardStatus, Rejected
from protonpay.cards.registry import card_providers
from protonpay.deposits import invoiced, ordering, review, settling
from protonpay.deposits.models import Deposit, ProviderCallback
from protonpay.deposits.ordering import Destinations, Payer
from protonpay.fx.service import rates
from protonpay.kernel.errors import Invalid
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import ZERO
from protonpay.store.db import db, transaction
from protonpay.users import service as users
from tests.actors import Actor
from tests.contract.card_simulators import PLAYED
from tests.deposits.keyed import instead
from tests.deposits.till import Till, stored
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

pytestmark = pytest.mark.slow

PAYER = Payer("Payer", "payer@example.com")
TO = Destinations("http://127.0.0.1:9/pay/{id}", "http://127.0.0.1:9/api/callbacks/any")

# A control character, NUL, half of a character, a mark that turns text around.
NASTY = "a\x00b\x1b[31m\ud800\u202ec"
SHOWN = "a\ufffdb\ufffd[31m\ufffd\ufffdc"


def word(till: Till, outcome: str) -> str:
    words: dict[str, str] = till.simulator.look("words")
    return words[outcome]


def jobs_of(till: Till) -> list[str]:
    """Return the payments that kept callbacks are about, in the order they came."""
    rows = db.session.scalars(select(ProviderCallback).order_by(ProviderCallback.id))
    return [row.provider_ref for row in rows if row.provider == till.name]


@pytest.mark.checklist(66)
def test_an_authentic_callback_that_is_not_true_credits_nothing(till: Till, bob: Actor):
    """The provider is asked before anything is credited, whoever could sign."""
    deposit = till.opened(bob)
    till.pull(deposit, "callback", say={"status": word(till, "paid")}, drop=False)
    (callback,) = till.told()
    with only_changes("provider_callbacks", "outbox"):
        assert till.deliver(callback).status_code == 200
    assert jobs_of(till) == [deposit.provider_ref]
    with nothing_changes():
        till.ask(deposit)
    assert (stored(deposit.id).state, bob.available) == ("PENDING", ZERO)


@pytest.mark.checklist(67)
@pytest.mark.parametrize("turned", [False, True])
def test_in_either_order_it_ends_as_the_provider_says_when_asked(
    till: Till,
    bob: Actor,
    turned: bool,  # noqa: FBT001 - a parameter
):
    deposit = till.paid(bob, drop=False, delay_ms=0, before=[word(till, "declined")])
    callbacks = till.told(2)
    for callback in reversed(callbacks) if turned else callbacks:
        assert till.deliver(callback).status_code == 200
        till.ask(deposit)
    assert jobs_of(till) == [deposit.provider_ref] * 2
    assert (stored(deposit.id).state, bob.available) == ("CONFIRMED", deposit.credited)


def test_a_payment_of_another_order_waits_for_a_person_and_is_never_credited(
    till: Till, bob: Actor, alice: Actor
):
    """Whoever is named gets nothing, and who paid nothing either until somebody has looked."""
    before = alice.available
    named, paid = till.opened(alice), till.paid(bob)
    till.pull(paid, "alter", reference=named.id)
    till.ask(paid)
    assert (stored(named.id).state, stored(paid.id).state) == ("PENDING", "REVIEW")
    assert stored(paid.id).differences == {"reference": [paid.id, named.id]}
    with nothing_changes(), pytest.raises(Invalid):
        review.let_through(paid.id, "please")
    assert (alice.available, bob.available) == (before, ZERO)
    till.press(named, "paid")
    till.ask(named)
    assert alice.available == before + stored(named.id).credited


def test_how_another_payment_of_an_order_ended_is_not_its_end(till: Till, bob: Actor):
    deposit, other = till.opened(bob), till.opened(bob)
    till.press(other, "declined")
    told = card_providers.get(till.name).fetch_payment(str(other.provider_ref))
    assert told.status is CardStatus.FAILED
    db.session.delete(stored(other.id))
    db.session.flush()
    till.pull(other, "alter", reference=deposit.id)
    with nothing_changes():
        till.ask(other)
    assert stored(deposit.id).state == "PENDING"


def test_two_payments_of_one_order_are_credited_once(till: Till, bob: Actor):
    """As a shop of FreedomPay may make them; the second is given back by hand."""
    deposit, other = till.credited(bob), till.paid(bob)
    db.session.delete(stored(other.id))
    db.session.flush()
    till.pull(other, "alter", reference=deposit.id)
    with nothing_changes():
        till.ask(other)
    assert bob.available == stored(deposit.id).credited


def test_the_second_of_two_payments_first_heard_of_is_looked_at(till: Till, bob: Actor):
    deposit, other = till.opened(bob), till.paid(bob)
    db.session.delete(stored(other.id))
    db.session.flush()
    till.pull(other, "alter", reference=deposit.id)
    till.ask(other)
    assert stored(deposit.id).state == "REVIEW"
    assert list(stored(deposit.id).differences or {}) == ["payment"]
    assert bob.available == ZERO

    till.press(deposit, "declined")
    with nothing_changes():
        till.ask(deposit)
        settling.check(deposit.id)
    # How the first has ended is known; that the second took the money, too.
    till.pull(deposit, "outcome", outcome="paid")
    with capture_logs() as logs:
        till.ask(deposit)
    assert (stored(deposit.id).state, bob.available) == ("CONFIRMED", deposit.credited)
    told = [(line["event"], line["provider_ref"]) for line in logs if "provider_ref" in line]
    assert told == [("charged_twice", other.provider_ref)]


@pytest.mark.parametrize("played", ["freedompay"], indirect=True)
def test_who_ask_at_once_for_one_deposit_get_the_page_that_was_there_first(
    till: Till, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    """A shop that makes a payment for each of them has one that nobody sees, and so none pays."""
    till.simulator.pull("repeats", repeats="second")
    pages: list[str | None] = []

    def overtaken(ask: Callable[[], Any]) -> Any:
        answer = ask()
        pages.append(invoiced.open_page(deposit.id, PAYER, TO).page_url)
        return answer

    with transaction():
        quoted = rates.quote(till.currency)
        fiat = FiatAmount.parse("120.50", till.currency)
        deposit = ordering.write_down(users.get(bob.id), fiat, till.name, quoted)
    instead(monkeypatch, overtaken)
    pages.append(invoiced.open_page(deposit.id, PAYER, TO).page_url)
    till.simulator.pull("repeats", repeats="same")

    assert len(till.simulator.look("payments")) == 2
    assert pages[0] == pages[1] == stored(deposit.id).page_url
    till.press(stored(deposit.id), "paid")
    till.ask(stored(deposit.id))
    assert stored(deposit.id).state == "CONFIRMED"


@pytest.mark.parametrize("played", ["tap"], indirect=True)
def test_a_try_that_is_refused_ends_nothing_that_another_has_begun(
    till: Till, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    with transaction():
        quoted = rates.quote(till.currency)
        fiat = FiatAmount.parse("120.50", till.currency)
        deposit = ordering.write_down(users.get(bob.id), fiat, till.name, quoted)

    def overtaken(_ask: Callable[[], Any]) -> Any:
        opened = invoiced.open_page(deposit.id, PAYER, TO)
        till.press(opened, "paid")
        till.ask(opened)
        raise Rejected("no more")

    instead(monkeypatch, overtaken)
    with pytest.raises(Invalid):
        invoiced.open_page(deposit.id, PAYER, TO)
    assert stored(deposit.id).state == "CONFIRMED"


# Foreign texts


def test_a_reference_that_no_database_takes_is_a_difference_like_any_other(till: Till, bob: Actor):
    deposit = till.paid(bob)
    payment = card_providers.get(till.name).fetch_payment(str(deposit.provider_ref))
    settling.apply(till.name, replace(payment, reference=NASTY))
    assert stored(deposit.id).state == "REVIEW"
    assert stored(deposit.id).differences == {"reference": [deposit.id, SHOWN]}
    assert bob.available == ZERO


def test_a_reason_is_kept_without_what_no_database_takes(till: Till, bob: Actor):
    deposit = till.opened(bob)
    till.press(deposit, "declined")
    payment = card_providers.get(till.name).fetch_payment(str(deposit.provider_ref))
    settling.apply(till.name, replace(payment, reason=NASTY + "x" * 1000))
    assert stored(deposit.id).state == "FAILED"
    assert stored(deposit.id).reason == (SHOWN + "x" * 1000)[:300]


def test_a_payment_of_nobody_with_such_a_reference_is_nobodys(till: Till, bob: Actor):
    deposit = till.paid(bob)
    payment = card_providers.get(till.name).fetch_payment(str(deposit.provider_ref))
    with nothing_changes():
        settling.apply(till.name, replace(payment, reference=NASTY, provider_ref="another"))


@pytest.mark.parametrize(
    "body", [b"\x00", b'{"id":"\x00"}', b'{"id":"\\u0000"}', b"a=%00", b"\xff"]
)
def test_a_callback_of_nothing_but_that_is_refused(till: Till, body: bytes):
    inside = {"REMOTE_ADDR": PLAYED[till.name].callback_address}
    with nothing_changes():
        answer = till.door.post(till.callbacks, data=body, environ_overrides=inside)
    refused(answer, 400, "forged_callback")


# One that hangs


@pytest.mark.checklist(68)
def test_a_provider_that_hangs_is_503_and_nothing_is_half_done(till: Till, bob: Actor):
    before = card_providers._settings or {}
    hasty: Any = {**PLAYED[till.name].settings(till.simulator.url), "create_seconds": 0.2}
    card_providers.bind({**before, till.name: hasty}, live=False)
    till.simulator.pull("faults", fault="hang", call="create", seconds=1)
    with only_changes("deposits", "outbox"):
        answer = till.order(bob)
    card_providers.bind(before, live=False)
    refused(answer, 503, "provider_unavailable")
    (deposit,) = db.session.scalars(select(Deposit).where(Deposit.user_id == bob.id))
    assert (deposit.state, deposit.page_url, deposit.provider_ref) == ("PENDING", None, None)
    made = [one for one in till.simulator.look("payments") if deposit.id in str(one)]
    assert made == []
    assert bob.available == ZERO
