"""A receipt as a file: signed, the same as long as the money is, verified by what the docs say."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from flask.testing import FlaskClient
from sqlalchemy import select

from protonpay.invoices.receipts import ReceiptKey
from protonpay.store.db import db
from tests.actors import Actor
from tests.invoices.asking import Asked, ask, pay_on_chain
from tests.portal.test_pay_page import Page

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


def verified(receipt: Any, keys: Any) -> Any:
    """Verify with the lines that stand in the documentation."""
    (lines,) = re.findall(r"```python receipt\n(.*?)\n```", DOCS.read_text(), re.DOTALL)
    named: dict[str, Any] = {}
    exec(lines, named)
    return named["verified"](receipt, keys)


@pytest.fixture
def made(alice: Actor, bob: Actor) -> Asked:
    made = ask(bob, "50", description="Чай <b>")
    pay_on_chain(made.id, "20")
    made.paid_by(alice)
    return made


def _file(client: FlaskClient, made: Asked) -> Any:
    answer = client.get(f"/pay/{made.id}/receipt.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/jose+json"
    named = f'attachment; filename="receipt-{made.id}.json"'
    assert answer.headers["Content-Disposition"] == named
    return json.loads(answer.text)


def _keys(client: FlaskClient) -> Any:
    return json.loads(client.get("/pay/receipt-keys.json").text)


def test_it_says_what_was_paid_and_proves_it(made: Asked, bob: Actor, client: FlaskClient):
    said = verified(_file(client, made), _keys(client))
    payments = said.pop("payments")
    assert [(one["amount"], one["method"], one["network"]) for one in payments] == [
        ("20.00", "CRYPTO", "Base"),
        ("30.00", "BALANCE", None),
    ]
    assert payments[0]["txHash"].startswith("0xhash")
    shown = made.shown
    assert said == {
        "iss": "http://127.0.0.1:8000",
        "test": True,
        "invoiceId": made.id,
        "seller": {"id": bob.public_id, "name": "Bob"},
        "description": "Чай <b>",
        "currency": "USDC",
        "amount": "50.00",
        "received": "50.00",
        "refunded": "0.00",
        "status": "PAID",
        "createdAt": shown["createdAt"],
        "paidAt": shown["paidAt"],
        "refunds": [],
    }


def test_it_is_the_same_until_money_moves(made: Asked, client: FlaskClient):
    first = _file(client, made)
    assert _file(client, made) == first
    made.refund(amount="1")
    second = _file(client, made)
    assert second != first
    assert verified(second, _keys(client))["refunds"][0]["amount"] == "1.00"
    assert verified(first, _keys(client))["refunded"] == "0.00", "what was signed stays signed"


@pytest.mark.parametrize("part", ["payload", "signature", "protected"])
def test_what_is_changed_proves_nothing(made: Asked, client: FlaskClient, part: str):
    receipt, keys = _file(client, made), _keys(client)
    forged = json.dumps({"kid": keys["keys"][0]["kid"], "alg": "none"}).encode()
    changed = {
        "payload": receipt["payload"][:-2] + ("AA" if receipt["payload"][-2:] != "AA" else "BB"),
        "signature": "A" * len(receipt["signature"]),
        "protected": base64.urlsafe_b64encode(forged).decode().rstrip("="),
    }
    with pytest.raises(InvalidSignature):
        verified({**receipt, part: changed[part]}, keys)


def test_the_private_key_is_sealed_and_only_the_public_one_told(made: Asked, client: FlaskClient):
    _file(client, made)
    (row,) = db.session.scalars(select(ReceiptKey)).all()
    (key,) = _keys(client)["keys"]
    assert key == {"crv": "Ed25519", "kty": "OKP", "x": row.public, "kid": row.id, "use": "sig"}
    assert len(row.secret) > 32


def test_there_is_none_before_money_has_come(bob: Actor, client: FlaskClient):
    answer = client.get(f"/pay/{ask(bob).id}/receipt.json")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert client.get(f"/pay/c{'a' * 24}/receipt.json").status_code == 404


def test_paper_leads_to_the_file(made: Asked, client: FlaskClient):
    page = Page(client.get(f"/pay/{made.id}/receipt").text)
    assert f"/pay/{made.id}/receipt.json" in [link["href"] for link in page.all("a")]
    assert "http://127.0.0.1:8000/docs#receipts" in page.text
