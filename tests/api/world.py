"""The people and the money that the API document's examples take for granted."""

from flask import Flask

from protonpay.chains.watch import Arrival
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.store.db import transaction
from protonpay.wallets import recording
from tests.actors import Actor
from tests.wallets.pools import follow_all

WALLET = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
"""A wallet on Solana; the document abbreviates its own."""

HASH = ("5xKm2Q8b3c" * 9)[:88]
"""A signature on Solana, of its usual length."""


def john(app: Flask) -> Actor:
    """The document's user, with the 1,250 USDC of its answers; the one whom he pays, too."""
    client = app.test_client()
    payee = {"name": "Jane Doe", "email": "user@example.com", "password": "securePassword123"}
    assert client.post("/api/auth/register", json=payee).status_code == 200
    him = {"name": "John Doe", "email": "john@example.com", "password": "securePassword123"}
    body = client.post("/api/auth/register", json=him).get_json()
    user = body["user"]
    actor = Actor(
        client, user["id"], user["publicId"], user["email"], body["token"], body["refreshToken"]
    )
    with transaction():
        ledger.post(entries.capital("document", "Solana", Usdc.parse("1150")))
        ledger.post(entries.gift("document", actor.id, Usdc.parse("1150")))
    _deposit_on_solana(actor)
    return actor


def _deposit_on_solana(actor: Actor) -> None:
    """Let 100 USDC arrive and be final."""
    arrival = Arrival("ours", "theirs", Usdc.parse("100"), HASH, 0, 7, "block7")
    with transaction():
        recording.record("Solana", [arrival], {"ours": ("user", actor.id)}, final=True)
    follow_all()
