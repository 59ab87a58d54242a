"""Whatever happens to an invoice, in whatever order: money in is money credited, once each."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from protonpay.invoices import receiving, refunding, service
from protonpay.invoices.models import InvoiceRefund
from protonpay.kernel import clock
from protonpay.kernel.errors import Refusal
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit
from protonpay.payouts.models import Payout
from protonpay.store.db import db, transaction
from protonpay.wallets.models import Incoming
from tests.actors import make_actor
from tests.conftest import rolled_back
from tests.events import events_of
from tests.invoices.asking import arrive, change, entries_of_invoices
from tests.plans.of_a_kind import on_plan

PRICE, TOLERANCE, FUNDS = Usdc.parse("50"), Usdc.parse("0.5"), Usdc.parse("1000")
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"  # EIP-55's own example
AMOUNTS = st.sampled_from(["0.000001", "1", "20", "30", "49.5", "50", "80"])
STEPS = st.one_of(
    st.tuples(st.just("arrive"), AMOUNTS),
    st.tuples(st.just("pay on chain"), AMOUNTS),
    st.tuples(st.sampled_from(["finalise", "vanish", "return", "follow"]), st.just("")),
    st.tuples(st.sampled_from(["pay", "cancel", "expire", "overdue", "read"]), st.just("")),
    st.tuples(st.sampled_from(["refund", "refund on chain"]), st.one_of(st.just(""), AMOUNTS)),
    st.tuples(st.sampled_from(["payout lands", "payout fails"]), st.just("")),
)


class Story:
    """One invoice and what the world outside has done; time passes only when told to."""

    def __init__(self, app: Flask, *, accept_late: bool) -> None:
        self.now = clock.now()
        self.owner = make_actor(app, "Owner", funded=str(FUNDS))
        self.payer = make_actor(app, "Payer", funded=str(FUNDS))
        on_plan(self.owner, cooldown_seconds=0)
        order = service.Order(PRICE, tolerance=TOLERANCE, accept_late=accept_late)
        self.id = service.create(self.owner.id, order).id
        self.before = len(entries_of_invoices())

    def do(self, name: str, amount: str) -> None:
        step: Callable[[str], object] = getattr(self, "_" + name.replace(" ", "_"))
        with clock.frozen(self.now), suppress(Refusal):
            step(amount)

    def _arrive(self, amount: str) -> None:
        arrive(self.id, amount)

    def _pay_on_chain(self, amount: str) -> None:
        receiving.follow(arrive(self.id, amount, state="FINAL"))

    def _finalise(self, _: str) -> None:
        for row in self._transfers("SEEN"):
            change(row.id, "FINAL")

    def _vanish(self, _: str) -> None:
        for row in self._transfers("SEEN"):
            change(row.id, "VANISHED")

    def _return(self, _: str) -> None:
        for row in self._transfers("VANISHED"):
            change(row.id, "SEEN")

    def _follow(self, _: str) -> None:
        for row in self._transfers():
            receiving.follow(row.id)

    def _pay(self, _: str) -> None:
        service.pay(self.payer.id, self.id)

    def _cancel(self, _: str) -> None:
        service.cancel(self.owner.id, self.id)

    def _expire(self, _: str) -> None:
        receiving.expire(self.id)

    def _overdue(self, _: str) -> None:
        self.now += timedelta(days=1)

    def _read(self, _: str) -> None:
        service.find(self.id)

    def _refund(self, amount: str) -> None:
        refunding.refund(self.owner.id, self.id, amount=Usdc.parse(amount) if amount else None)

    def _refund_on_chain(self, amount: str) -> None:
        asked = Usdc.parse(amount) if amount else None
        refunding.refund(
            self.owner.id, self.id, amount=asked, wallet_address=WALLET, network="Base"
        )

    def _payout_lands(self, _: str) -> None:
        self._payout_ends("COMPLETED")

    def _payout_fails(self, _: str) -> None:
        self._payout_ends("FAILED")

    def _payout_ends(self, state: str) -> None:
        for row in self._pending():
            with transaction() as session:
                session.get_one(Payout, row.payout_id).state = state
            refunding.follow(row.id)
            refunding.follow(row.id)

    def _pending(self) -> list[InvoiceRefund]:
        mine = select(InvoiceRefund).filter_by(invoice_id=self.id, state="PENDING")
        return list(db.session.scalars(mine))

    def _transfers(self, *states: str) -> Iterator[Incoming]:
        mine = select(Incoming).where(Incoming.holder_id == self.id)
        rows = db.session.scalars(mine, execution_options={"populate_existing": True}).all()
        return (row for row in rows if not states or row.state in states)

    def check(self) -> None:
        """All that must hold after every step."""
        found = service.whole(service.find(self.id).invoice)
        invoice = found.invoice
        credited = [one for one in found.payments if one.state == "CREDITED"]
        done = [one for one in found.refunds if one.state == "COMPLETED"]
        received = sum((one.amount_micro for one in credited), ZERO)
        given = sum((one.amount_micro for one in done), ZERO)
        assert (invoice.received_micro, invoice.refunded_micro) == (received, given)
        self._check_entries(credited, done)
        self._check_balances(credited, found.refunds)
        self._check_state(found)
        self._check_events(invoice.state)
        assert audit.findings() == []

    def _check_entries(self, credited: list, done: list) -> None:
        expected = [
            f"incoming:{one.incoming_id}:credit" if one.incoming_id else f"invoice_payment:{one.id}"
            for one in credited
        ] + [f"invoice_refund:{one.id}" for one in done if one.payer_id]
        assert sorted(entries_of_invoices()[self.before :]) == sorted(expected)

    def _check_balances(self, credited: list, refunds: list) -> None:
        inside = [one.amount_micro for one in credited if one.payer_id]
        back = [one.amount_micro for one in refunds if one.payer_id]
        paid = sum(inside, ZERO) - sum(back, ZERO)
        assert self.payer.available == FUNDS - paid
        chain = sum((one.amount_micro for one in credited if not one.payer_id), ZERO)
        held = db.session.execute(
            text(
                "SELECT coalesce(sum(amount_micro + fee_micro), 0) FROM payouts WHERE user_id = :id"
            ),
            {"id": self.owner.id},
        ).scalar_one()
        assert self.owner.available == FUNDS + paid + chain - Usdc(int(held))

    def _check_state(self, found: service.Whole) -> None:
        invoice = found.invoice
        seen = [one for one in found.payments if one.state == "SEEN" and not one.late]
        match invoice.state:
            case "PENDING":
                assert invoice.received_micro < PRICE - TOLERANCE
                assert not seen
                assert not invoice.is_over(clock.now())
            case "CONFIRMING":
                assert seen
            case "PAID":
                assert not invoice.received_micro < PRICE - TOLERANCE
            case "EXPIRED":
                assert invoice.is_over(self.now)
            case "REFUNDED":
                assert invoice.refunded_micro == invoice.received_micro
            case "PARTIALLY_REFUNDED":
                assert ZERO < invoice.refunded_micro < invoice.received_micro
        assert invoice.over == max(ZERO, invoice.received_micro - PRICE)

    def _check_events(self, state: str) -> None:
        names = [name for name, _ in events_of(self.owner.id)]
        for once in ("invoice.paid", "invoice.expired", "invoice.cancelled"):
            assert names.count(once) <= 1
        if state in ("PAID", "EXPIRED", "CANCELLED"):
            assert f"invoice.{state.lower()}" in names


@settings(max_examples=60, deadline=None)
@given(accept_late=st.booleans(), steps=st.lists(STEPS, max_size=12))
def test_money_in_is_money_credited(app: Flask, accept_late: bool, steps: list):  # noqa: FBT001
    with rolled_back(app):
        story = Story(app, accept_late=accept_late)
        for name, amount in steps:
            story.do(name, amount)
            with clock.frozen(story.now):
                story.check()
        # In the end every transfer that is final was credited, whatever became of the invoice.
        story.do("finalise", "")
        story.do("follow", "")
        with clock.frozen(story.now):
            story.check()
            for payment in service.find(story.id).payments:
                assert payment.state in ("CREDITED", "VANISHED")
