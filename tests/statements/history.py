"""Histories of the book at moments of a test's own."""

from datetime import datetime
from typing import Any

from protonpay.kernel import ids
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry, Refund
from protonpay.store import db

_DATED = "UPDATE journal_entries SET posted_at = %(at)s WHERE id > %(last)s"


def usdc(text: str) -> Usdc:
    return Usdc.parse(text)


def post(entry: Entry, at: datetime) -> None:
    """Post an entry, and let it and what it brings along have been posted then."""
    last = db.execute("SELECT coalesce(max(id), 0) FROM journal_entries", {}).fetchone()[0]
    with db.transaction():
        ledger.post(entry)
        as_owner(_DATED, at=at, last=last)


def charge_back(deposit_id: str, user_id: str, refund: Refund, at: datetime) -> None:
    """Take a card payment back, into debt where there is not enough."""
    with db.transaction():
        ledger.open_accounts(chart.of_debtor(user_id))
        there = ledger.claim(chart.available(user_id))
    post(entries.card_refund(deposit_id, "tap", user_id, refund, there=there), at)


def opened(user_id: str, at: datetime) -> None:
    """Let an account have been opened then."""
    with db.transaction():
        sql = "UPDATE users SET created_at = %(at)s WHERE id = %(id)s"
        db.execute(sql, {"at": at, "id": user_id})
    db.db.session.expire_all()


def unlock() -> None:
    """Let what was posted be dated, for as long as this house stands: it is all undone."""
    with db.transaction():
        as_owner("ALTER TABLE journal_entries DISABLE TRIGGER append_only")


def as_owner(sql: str, **values: Any) -> None:
    db.execute("SET ROLE NONE", {})
    db.execute(sql, values)
    db.execute("SET ROLE protonpay_app", {})


class Hands:
    """Move money of one user in every way there is, as far as there is any."""

    def __init__(self, user_id: str, other_id: str) -> None:
        self._user, self._other = user_id, other_id
        self._cards: list[tuple[str, Usdc]] = []
        self._holds: list[tuple[str, Usdc]] = []

    def _covered(self, amount: Usdc, address: str | None = None) -> Usdc:
        return min(amount, ledger.balance(address or chart.available(self._user)))

    def card(self, amount: Usdc, at: datetime) -> None:
        self._cards.append((ids.new_id(), amount))
        post(entries.card_credit(self._cards[-1][0], "tap", self._user, amount, Usdc(7)), at)

    def charge_back(self, _: Usdc, at: datetime) -> None:
        if self._cards:
            deposit_id, amount = self._cards.pop()
            charge_back(deposit_id, self._user, Refund(amount, Usdc(7), 1), at)

    def send(self, amount: Usdc, at: datetime) -> None:
        if there := self._covered(amount):
            fee = Usdc(1) if there > Usdc(1) else ZERO
            post(entries.transfer(ids.new_id(), self._user, self._other, there - fee, fee), at)

    def get(self, amount: Usdc, at: datetime) -> None:
        if there := self._covered(amount, chart.available(self._other)):
            post(entries.transfer(ids.new_id(), self._other, self._user, there, ZERO), at)

    def hold(self, amount: Usdc, at: datetime) -> None:
        if there := self._covered(amount):
            self._holds.append((ids.new_id(), there))
            post(entries.payout_hold(self._holds[-1][0], self._user, there), at)

    def settle(self, _: Usdc, at: datetime) -> None:
        if self._holds:
            payout_id, total = self._holds.pop()
            post(entries.payout_settle(payout_id, self._user, "Base", total, ZERO), at)

    def release(self, _: Usdc, at: datetime) -> None:
        if self._holds:
            payout_id, total = self._holds.pop()
            post(entries.payout_release(payout_id, self._user, total), at)

    def adjust(self, amount: Usdc, at: datetime) -> None:
        if there := self._covered(amount):
            taken = (chart.available(self._user), chart.CAPITAL, there)
            post(entries.adjustment(ids.new_id(), *taken), at)

    def give(self, amount: Usdc, at: datetime) -> None:
        if there := self._covered(amount, chart.CAPITAL):
            post(entries.gift(ids.new_id(), self._user, there), at)


MOVES = tuple(name for name in vars(Hands) if not name.startswith("_"))
