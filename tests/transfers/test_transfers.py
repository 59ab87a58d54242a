"""USDC from one user to another."""

from sqlalchemy import func, select

from protonpay.kernel.money import Usdc
from protonpay.store.db import db
from protonpay.store.events import EventRow
from protonpay.transfers.models import Transfer
from tests.actors import Actor


def _rows() -> tuple[int, int]:
    return tuple(
        db.session.scalar(select(func.count()).select_from(t)) for t in (Transfer, EventRow)
    )


def test_moves_the_amount_at_once_and_answers_the_new_balance(alice: Actor, bob: Actor):
    answer = alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 25, "note": "Hi"})

    assert answer.status_code == 200
    body = answer.get_json()
    assert body["newBalance"] == "975.00"
    assert {k: body["transfer"][k] for k in ("amount", "fee", "toUser", "status")} == {
        "amount": "25.00",
        "fee": "0",
        "toUser": bob.email,
        "status": "COMPLETED",
    }
    assert (alice.available, bob.available) == (Usdc.parse("975"), Usdc.parse("25"))
    assert alice.get("/client/balance").get_json()["balanceUsdc"] == "975.00"


def test_more_than_there_is_changes_nothing(alice: Actor, bob: Actor):
    before = _rows()

    answer = alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": "1000.000001"})

    assert (answer.status_code, answer.get_json()["code"]) == (400, "insufficient_balance")
    assert (alice.available, bob.available) == (Usdc.parse("1000"), Usdc(0))
    assert _rows() == before
