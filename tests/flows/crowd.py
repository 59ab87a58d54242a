"""People who use every way money can go, and ask until they know how each of it ended."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import requests

from protonpay.chains.registry import NETWORKS
from protonpay.kernel.money import Usdc
from tests.flows.city import OUTSIDE, City, Resident
from tests.flows.test_journeys import fresh_wallet
from tests.patience import until

LONG = 180
"""Longer than any lease of a process that died, on a machine that is busy besides."""
_UNDECIDED = {"idempotency_in_progress", "rate_limited"}


class Tally:
    """What everybody should have in the end, by what they were told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._micro: Counter[str] = Counter()
        self.told: Counter[tuple[str, int]] = Counter()
        self.sent: list[tuple[Patron, str, str, str, int]] = []
        self.final: list[Callable[[], bool]] = []

    def moved(self, amount: str, *, out_of: "Patron | None" = None, to: "Patron | None" = None):
        micro = Usdc.parse(amount).micro
        with self._lock:
            if out_of is not None:
                self._micro[out_of.id] -= micro
            if to is not None:
                self._micro[to.id] += micro

    def heard(self, what: str, status: int) -> None:
        with self._lock:
            self.told[what, status] += 1

    def of(self, patron: "Patron") -> int:
        return self._micro[patron.id]


class Patron:
    """A resident with a key for each wish, who repeats the wish until the answer is definite."""

    def __init__(self, city: City, resident: Resident, tally: Tally, chance: random.Random) -> None:
        self.city, self.resident, self.tally, self.chance = city, resident, tally, chance
        self.id = resident.id
        self._head = dict(resident.http.headers)

    def ask(self, what: str, path: str, **body: Any) -> tuple[int, Any]:
        """Post under a key of its own until it was done or refused; a dead server is neither."""
        head = self._head | {"Idempotency-Key": uuid.UUID(int=self.chance.getrandbits(128)).hex}

        def once() -> tuple[int, Any] | None:
            try:
                answer = requests.post(
                    f"{self.city.api}{path}", json=body, headers=head, timeout=30
                )
            except requests.RequestException:
                return None
            told = answer.json()
            if answer.status_code >= 500 or told.get("code") in _UNDECIDED:
                return None
            return answer.status_code, told

        status, told = until(once, LONG)
        self.tally.heard(what, status)
        return status, told

    def look(self, path: str) -> Any:
        """Read until there is an answer."""

        def once() -> Any:
            try:
                answer = requests.get(f"{self.city.api}{path}", headers=self._head, timeout=30)
            except requests.RequestException:
                return None
            return answer.json() if answer.status_code == 200 else None

        return until(once, LONG)

    def micro(self) -> int:
        return Usdc.parse(self.look("/client/balance")["balanceUsdc"]).micro

    def amount(self, most: int = 4) -> str:
        """Return up to so many USDC, to the millionth."""
        return str(Usdc(self.chance.randint(1_000_000, most * 1_000_000)))

    # Every way money can go.

    def transfer(self, friend: "Patron") -> None:
        amount = self.amount()
        status, _ = self.ask(
            "transfer", "/client/transfer", toIdentifier=friend.resident.email, amount=amount
        )
        assert status == 200
        self.tally.moved(amount, out_of=self, to=friend)

    def transfer_too_much(self, friend: "Patron") -> None:
        status, told = self.ask(
            "too much", "/client/transfer", toIdentifier=friend.resident.email, amount="1000000"
        )
        assert (status, told["code"]) == (400, "insufficient_balance")

    def withdraw(self, network: str) -> None:
        wallet, amount = fresh_wallet(network), self.amount()
        status, told = self.ask(
            "withdraw", "/client/withdraw", amount=amount, walletAddress=wallet, network=network
        )
        if status == 200:
            self._left(told["payout"]["id"], told["payout"]["total"], network, wallet, amount)
        else:
            assert told["code"] == "withdrawal_cooldown"

    def top_up_by_card(self, outcome: str) -> None:
        dollars = f"{self.chance.randint(1, 4)}.{self.chance.randint(10, 99)}"
        status, told = self.ask(
            "card", "/client/deposit/card", amount=dollars, currency="usd", provider="tap"
        )
        assert status == 200
        deposit = told["deposit"]
        self.city.press(told["url"], outcome)
        if outcome == "paid":
            self.tally.moved(dollars, to=self)
        wanted = {"paid": "CONFIRMED", "declined": "FAILED"}[outcome]
        self._ends(f"/client/deposit/{deposit['id']}", "deposit", wanted)

    def top_up_on_chain(self, network: str) -> None:
        status, told = self.ask("crypto", "/client/deposit/crypto", network=network)
        assert status == 200
        amount = self.amount()
        self._pay_on_chain(network, told["deposit"]["address"], amount)
        self.tally.moved(amount, to=self)

    def bill_paid(self, payer: "Patron") -> str:
        amount = self.amount()
        invoice = self._bill(amount)
        status, _ = payer.ask("pay", f"/client/invoices/{invoice['id']}/pay")
        assert status == 200
        self.tally.moved(amount, out_of=payer, to=self)
        return str(invoice["id"])

    def bill_given_back(self, payer: "Patron") -> None:
        invoice_id = self.bill_paid(payer)
        status, told = self.ask("refund", f"/client/invoices/{invoice_id}/refund")
        assert (status, told["invoice"]["status"]) == (200, "REFUNDED")
        self.tally.moved(told["refund"]["amount"], out_of=self, to=payer)

    def bill_cancelled(self, payer: "Patron") -> None:
        invoice = self._bill(self.amount())
        assert self.ask("cancel", f"/client/invoices/{invoice['id']}/cancel")[0] == 200
        status, _ = payer.ask("pay cancelled", f"/client/invoices/{invoice['id']}/pay")
        assert status == 409

    def bill_paid_on_chain_and_given_back(self, network: str) -> None:
        amount = self.amount()
        invoice = self._bill(amount)
        self._pay_on_chain(network, self.city.place_to_pay(invoice, network), amount)
        self.tally.moved(amount, to=self)
        path = f"/client/invoices/{invoice['id']}"
        until(lambda: self.look(path)["invoice"]["status"] == "PAID", LONG)
        wallet = fresh_wallet(network)
        status, told = self.ask(
            "refund on chain", f"{path}/refund", walletAddress=wallet, network=network
        )
        if status == 200:
            payout_id = told["refund"]["payoutId"]
            total = self.look(f"/client/withdraw/{payout_id}")["payout"]["total"]
            self._left(payout_id, total, network, wallet, amount)
        else:
            assert told["code"] == "withdrawal_cooldown"

    def _bill(self, amount: str) -> Any:
        status, told = self.ask("bill", "/client/invoices", amount=amount, currency="USDC")
        assert status == 200
        return told["invoice"]

    def _pay_on_chain(self, network: str, address: str, amount: str) -> None:
        of, node = NETWORKS[network], self.city.parts.nodes[network]
        OUTSIDE[of.family].send_usdc(node, of.usdc, address, Usdc.parse(amount).micro)

    def _left(self, payout_id: str, total: str, network: str, wallet: str, amount: str) -> None:
        self.tally.moved(total, out_of=self)
        self.tally.sent.append((self, payout_id, network, wallet, Usdc.parse(amount).micro))
        self._ends(f"/client/withdraw/{payout_id}", "payout", "COMPLETED")

    def _ends(self, path: str, member: str, wanted: str) -> None:
        self.tally.final.append(lambda: self.look(path)[member]["status"] == wanted)


def wishes(patron: Patron, friends: list[Patron]) -> list[Callable[[], object]]:
    """Return one of everything, in an order of chance."""
    chance = patron.chance

    def friend() -> Patron:
        return chance.choice(friends)

    def network() -> str:
        return chance.choice(list(NETWORKS))

    wished: list[Callable[[], object]] = [
        *[lambda: patron.transfer(friend())] * 6,
        lambda: patron.transfer_too_much(friend()),
        *[lambda: patron.withdraw(network())] * 2,
        *[lambda: patron.top_up_by_card("paid")] * 2,
        lambda: patron.top_up_by_card("declined"),
        *[lambda: patron.top_up_on_chain(network())] * 2,
        *[lambda: patron.bill_paid(friend())] * 2,
        lambda: patron.bill_given_back(friend()),
        lambda: patron.bill_cancelled(friend()),
        lambda: patron.bill_paid_on_chain_and_given_back(network()),
    ]
    chance.shuffle(wished)
    return wished
