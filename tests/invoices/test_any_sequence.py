"""Whatever happens to an invoice, in whatever order: money in is money credited, once each."""

from datetime import timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protonpay.invoices import receiving, refunding
from protonpay.invoices.models import InvoiceRefund
from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit
from protonpay.payouts.models import Payout
from protonpay.store.db import db, transaction
from tests.actors import Actor, make_actor
from tests.conftest import rolled_back
from tests.events import events_of
from tests.invoices.asking import Asked, arrive, ask, change, entries_of_invoices
from tests.plans.of_a_kind import on_plan

AMOUNTS = st.sampled_from(["0.000001", "1", "25", "49.5", "50", "80"])
STEPS = st.one_of(
    st.tuples(st.sampled_from(["seen", "final"]), AMOUNTS),
    st.tuples(
        st.sampled_from(
            ["settles", "vanishes", "follow", "pay", "cancel", "expire", "later", "refund"]
        ),
        st.none(),
    ),
    st.tuples(st.sampled_from(["refund part", "refund on chain"]), AMOUNTS),
    st.tuples(st.just("payout ends"), st.sampled_from(["COMPLETED", "FAILED"])),
)
WALLET = {"walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7", "network": "Base"}


class Story:
    """One invoice, its payer, and what the outside world has really done."""

    def __init__(self, app: Flask, **options: Any) -> None:
        self.owner = make_actor(app, "Owner", funded="1000")
        self.payer = make_actor(app, "Payer", funded="1000")
        on_plan(self.owner, cooldown_seconds=0)
        self.made: Asked = ask(self.owner, "50", expiresInSeconds=600, **options)
        self.transfers: dict[str, str] = {}
        self.past = timedelta(0)

    def step(self, name: str, value: str | None) -> None:
        with clock.frozen(self.start + self.past) if self.past else clock.frozen(clock.now()):
            getattr(self, "_" + name.replace(" ", "_"))(value)
        self.check()

    start = clock.now()

    def _seen(self, amount: str) -> None:
        self.transfers[arrive(self.made.id, amount)] = "SEEN"

    def _final(self, amount: str) -> None:
        incoming_id = arrive(self.made.id, amount, state="FINAL")
        self.transfers[incoming_id] = "FINAL"
        receiving.follow(incoming_id)
