"""Many people who withdraw and get a deposit address each: one line of JSON for each person.

A process of its own beside the city, with the city's settings: the same services that the web
calls, without a sign-in for everybody.
"""

import json
import os
import random
import sys

from config import Config
from protonpay.app import create_app
from protonpay.auth import service as auth
from protonpay.auth.devices import Device
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import ids
from protonpay.kernel.errors import Unavailable
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.payouts import service as payouts
from protonpay.store.db import transaction
from protonpay.wallets import service as wallets
from tests.flows.city import PASSWORD
from tests.flows.test_journeys import fresh_wallet
from tests.patience import until

PRESENT = Usdc.parse("20")


def _place(user_id: str, network: str) -> str | None:
    try:
        with transaction():
            return wallets.assign("user", user_id)[network]
    except Unavailable:
        return None


def _settle(chance: random.Random) -> dict[str, str | int]:
    email = f"{ids.new_id()}@example.com"
    user = auth.register(
        name="Many", email=email, password=PASSWORD, device=Device(address="", agent="")
    ).user
    with transaction():
        ledger.post(entries.gift(f"populace:{user.id}", user.id, PRESENT))
    out, into = (chance.choice(list(NETWORKS)) for _ in range(2))
    wallet, amount = fresh_wallet(out), Usdc(chance.randint(1, 5_000_000))
    payout = payouts.request_payout(user.id, amount=amount, wallet_address=wallet, network=out)
    return {
        "user": user.id,
        "payout": payout.id,
        "out": out,
        "wallet": wallet,
        "micro": amount.micro,
        "total": payout.total.micro,
        "into": into,
        "place": until(lambda: _place(user.id, into), 120) or "",
        "pays": chance.randint(1, 4_000_000),
    }


if __name__ == "__main__":
    count, seed = (int(argument) for argument in sys.argv[1:])
    chooser = random.Random(seed)
    with create_app(Config.load(os.environ)).app_context():
        for _ in range(count):
            sys.stdout.write(json.dumps(_settle(chooser)) + "\n")
            sys.stdout.flush()
