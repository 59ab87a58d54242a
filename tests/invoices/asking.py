"""Invoices as an owner makes them over HTTP, and money that reaches them on chain."""

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from protonpay.invoices import receiving
from protonpay.kernel import clock, ids
from protonpay.kernel.money import Usdc
from protonpay.store.db import db, transaction
from protonpay.wallets.models import Incoming
from tests.actors import Actor

_count = itertools.count(1)


@dataclass(frozen=True)
class Asked:
    """An invoice in the hands of its owner."""

    owner: Actor
    id: str
    url: str

    @property
    def whole(self) -> dict[str, Any]:
        answer = self.owner.get(f"/client/invoices/{self.id}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    @property
    def shown(self) -> dict[str, Any]:
        return self.whole["invoice"]

    @property
    def status(self) -> str:
        return self.shown["status"]

    def paid_by(self, payer: Actor) -> Any:
        return payer.post(f"/client/invoices/{self.id}/pay")

    def cancel(self) -> Any:
        return self.owner.post(f"/client/invoices/{self.id}/cancel")

    def refund(self, **body: Any) -> Any:
        return self.owner.post(f"/client/invoices/{self.id}/refund", body)


def ask(owner: Actor, amount: Any = "50", **more: Any) -> Asked:
    answer = owner.post("/client/invoices", {"amount": amount, "currency": "USDC", **more})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    made = answer.get_json()["invoice"]
    return Asked(owner, made["id"], made["payUrl"])


def arrive(
    invoice_id: str,
    amount: str,
    *,
    state: str = "SEEN",
    at: datetime | None = None,
    network: str = "Base",
    block: int | None = None,
) -> str:
    """Let a transfer to an invoice's address be known, as a watch writes it; return its id."""
    number, now = next(_count), at or clock.now()
    row = Incoming(
        id=ids.new_id(),
        network=network,
        address=f"0xaddress{number}",
        holder_kind="invoice",
        holder_id=invoice_id,
        amount_micro=Usdc.parse(amount),
        tx_hash=f"0xhash{number}",
        ordinal=0,
        sender="0xsender",
        block=number if block is None else block,
        state=state,
        seen_at=now,
        final_at=now if state == "FINAL" else None,
    )
    with transaction() as session:
        session.add(row)
    return row.id


def change(incoming_id: str, state: str) -> None:
    """Let a transfer become final, vanish or come back."""
    with transaction() as session:
        session.get_one(Incoming, incoming_id, populate_existing=True).state = state


def pay_on_chain(invoice_id: str, amount: str, **how: Any) -> str:
    """Let a transfer arrive, be final and be followed."""
    incoming_id = arrive(invoice_id, amount, state="FINAL", **how)
    receiving.follow(incoming_id)
    return incoming_id


def entries_of_invoices() -> list[str]:
    """Return the reference of every entry that invoices made, in the book's order."""
    rows = db.session.execute(
        text(
            "SELECT reference FROM journal_entries WHERE kind IN"
            " ('invoice_payment', 'invoice_refund', 'chain_credit') ORDER BY id"
        )
    )
    return [reference for (reference,) in rows]
