"""T29: after two hundred operations the page, the API and the book say the same, to the micro."""

import itertools
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from protonpay.chains.watch import Arrival
from protonpay.deposits import crypto
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit
from protonpay.ledger import service as ledger
from protonpay.locales import formats
from protonpay.payouts import ending
from protonpay.store.db import execute, transaction
from protonpay.wallets import recording
from tests.actors import Actor, make_actor
from tests.invoices.asking import Asked, ask, pay_on_chain
from tests.payouts.orders import withdraw
from tests.plans.of_a_kind import on_plan
from tests.portal.client.reader import sign_in
from tests.wallets.pools import transfers

OPERATIONS = 200
# What the book itself has of one account: by the kind of entry, what it came to and went from.
_BOOKED = """
    SELECT coalesce(sum(p.micro) FILTER (WHERE d.address LIKE %(mine)s), 0)::bigint,
           coalesce(sum(p.micro) FILTER (
               WHERE s.address LIKE %(mine)s AND d.address <> 'revenue:fees'), 0)::bigint
    FROM postings p JOIN journal_entries e ON e.id = p.entry_id
    JOIN ledger_accounts s ON s.id = p.source JOIN ledger_accounts d ON d.id = p.destination
    WHERE e.kind = ANY(%(kinds)s)
"""


@dataclass
class Life:
    """What some people do with their money, one thing after the other."""

    people: list[Actor]
    chance: random.Random
    done: dict[str, int] = field(default_factory=dict)
    _count: Any = field(default_factory=lambda: itertools.count(1))
    _asked: list[Asked] = field(default_factory=list)
    _paid: list[Asked] = field(default_factory=list)
    _leaving: list[str] = field(default_factory=list)

    def live(self) -> None:
        """Do one thing, whichever; what is refused is done, too."""
        act: Callable[[], Any] = self.chance.choice(
            [
                *(self.deposit, self.deposit, self.transfer, self.transfer, self.withdraw),
                *(self.end, self.invoice, self.pay, self.pay_on_chain, self.refund),
            ]
        )
        happened = act()
        self.done[act.__name__] = self.done.get(act.__name__, 0) + bool(happened)

    def _amount(self, most: int = 40_000_000) -> str:
        return str(Usdc(self.chance.randint(1_000_000, most)))

    def _one(self) -> Actor:
        return self.chance.choice(self.people)

    def deposit(self) -> bool:
        number = next(self._count)
        final = self.chance.random() < 0.9
        amount = Usdc.parse(self._amount())
        arrival = Arrival("0xours", "0xtheirs", amount, f"0xt29{number}", 0, number, f"0xb{number}")
        with transaction():
            held = {"0xours": ("user", self._one().id)}
            recording.record("Base", [arrival], held, final=final)
        crypto.follow(transfers()[-1].id)
        return final

    def transfer(self) -> bool:
        sender, to = self.chance.sample(self.people, 2)
        body = {"toIdentifier": to.email, "amount": self._amount()}
        return bool(sender.post("/client/transfer", body).status_code == 200)

    def withdraw(self) -> bool:
        answer = withdraw(self._one(), self._amount(9_000_000))
        if answer.status_code != 200:
            return False
        self._leaving.append(answer.get_json()["payout"]["id"])
        return True

    def end(self) -> bool:
        if not self._leaving:
            return False
        payout_id = self._leaving.pop(self.chance.randrange(len(self._leaving)))
        if self.chance.random() < 0.7:
            ending.complete_unsigned(payout_id, f"0xout{next(self._count)}")
        else:
            ending.fail_unsigned(payout_id, "payee_blacklisted")
        return True

    def invoice(self) -> bool:
        self._asked.append(ask(self._one(), self._amount(9_000_000)))
        return True

    def pay(self) -> bool:
        if not self._asked:
            return False
        made = self._asked.pop(self.chance.randrange(len(self._asked)))
        payer = self.chance.choice([each for each in self.people if each is not made.owner])
        paid = made.paid_by(payer).status_code == 200
        (self._paid if paid else self._asked).append(made)
        return bool(paid)

    def pay_on_chain(self) -> bool:
        made = ask(self._one(), self._amount(9_000_000))
        pay_on_chain(made.id, self.chance.choice([made.shown["amount"], self._amount(9_000_000)]))
        return True

    def refund(self) -> bool:
        if not self._paid:
            return False
        made = self.chance.choice(self._paid)
        return bool(made.refund(amount="0.100001").status_code == 200)


def booked(user_id: str, *kinds: str) -> tuple[Usdc, Usdc]:
    """Return what entries of some kinds brought an account, and what they took out of it."""
    asked = {"mine": f"user:{user_id}:%", "kinds": list(kinds)}
    came, went = execute(_BOOKED, asked).fetchall()[0]
    return Usdc(came), Usdc(went)


def signed(lines: list[dict[str, Any]]) -> Usdc:
    """Return what lines of activity that are not undone make of a balance."""
    balance = ZERO
    for line in lines:
        moved = Usdc.parse(line["amount"])
        if line["direction"] == "OUT" and line["status"] != "FAILED":
            balance -= moved + Usdc.parse(line["fee"])
        elif line["direction"] == "IN" and line["status"] in {"CONFIRMED", "COMPLETED", "CREDITED"}:
            balance += moved
    return balance


def everything(actor: Actor) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = actor.get("/client/activity", query_string={"limit": "100", **cursor}).get_json()
        lines += page["activity"]
        if not page["hasMore"]:
            return lines
        cursor = {"cursor": page["nextCursor"]}


@pytest.mark.parametrize("seed", [29])
def test_the_page_the_api_and_the_book_agree(house: Flask, seed: int):
    people = [make_actor(house, name) for name in ("Vera", "Wim", "Xenia")]
    for each in people:
        on_plan(each, cooldown_seconds=0, transfer_fee_micro=1_000)
    life = Life(people, random.Random(seed))
    for _ in range(OPERATIONS):
        life.live()

    assert min(life.done.values()) >= 5, life.done
    assert len(life.done) == 8
    assert audit.findings() == []
    for actor in people:
        available, owed = ledger.purse(actor.id)
        standing = actor.get("/client/dashboard").get_json()
        balance = actor.get("/client/balance").get_json()
        days = actor.get("/client/balance/history?days=30").get_json()["history"]
        deposited, _ = booked(actor.id, "chain_credit", "inside_credit")
        _, withdrawn = booked(actor.id, "payout_settle", "payout_settle_inside")

        assert owed == ZERO
        assert balance["balanceUsdc"] == standing["balance"] == str(available)
        assert days[-1]["closingBalance"] == str(available + actor.held)
        assert standing["totalDeposited"] == str(deposited)
        assert standing["totalWithdrawn"] == str(withdrawn)
        came = sum((Usdc.parse(day["moneyIn"]) for day in days), ZERO)
        went = sum((Usdc.parse(day["moneyOut"]) for day in days), ZERO)
        assert came - went == available + actor.held
        lines = everything(actor)
        assert signed(lines) == available
        assert standing["recentActivity"] == lines[: len(standing["recentActivity"])]

        screen = sign_in(house, actor).open("/app")
        for words, sum_ in (
            ("Available", available),
            ("Deposited in total", deposited),
            ("Withdrawn in total", withdrawn),
        ):
            said = formats.usdc("en", sum_)
            assert f"{words} {said} USDC" in screen.text, (words, said)
        row = re.findall(r'<td class="num">([^<]+)</td>', screen.html)
        for sum_ in (came, went):
            assert formats.usdc("en", sum_) in row
