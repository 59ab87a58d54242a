"""Any sequence of entries, right and wrong, keeps the book equal to a model of twenty lines."""

from collections import Counter
from collections.abc import Iterable

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from protonpay.kernel import ids
from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry, Posting, Refund
from protonpay.ledger.service import ReferenceTaken, UnknownAccount
from protonpay.store import db

HOUSE = [chart.FEES, chart.CAPITAL, chart.custody("Base"), chart.clearing("tap")]
BOTTOMLESS = {chart.custody("Base"), chart.clearing("tap")}

amounts = st.integers(1, 100).map(Usdc)
fees = st.sampled_from([ZERO, ZERO, Usdc(1), Usdc(7)])

Step = tuple[str, str, str, Usdc, Usdc]


def _entries(step: Step) -> list[Entry]:
    """One step of several that are posted in one go."""
    what, user, other, amount, fee = step
    this = ids.new_id()
    nothing = (Posting(chart.available(user), chart.FEES, ZERO),)
    hold = entries.payout_hold(this, user, amount + fee)
    settled = entries.payout_settle(this, user, "Base", amount, fee)
    return {
        "transfer": [entries.transfer(this, user, other, amount, fee)],
        "a reference of others": [entries.transfer("one", user, other, amount, fee)],
        "pay by card": [entries.card_credit(this, "tap", user, amount, fee)],
        "hold": [hold],
        "hold and settle": [hold, settled],
        "settle what nobody holds": [settled],
        "send to nobody": [entries.transfer(this, user, "nobody", amount, ZERO)],
        "send nothing": [Entry(this, "transfer", nothing)],
    }[what]


steps = ["transfer", "a reference of others", "pay by card", "hold", "hold and settle"]
wrong_steps = ["settle what nobody holds", "send to nobody", "send nothing"]


def _bottomless(address: str) -> bool:
    return address in BOTTOMLESS or address.endswith(":debt")


class Model:
    """What the book should be: balances by address, entries by reference."""

    def __init__(self, balances: dict[str, int]) -> None:
        self.balances = Counter(balances)
        self.entries: dict[str, Entry] = {}

    def take(self, entry: Entry) -> type[Exception] | None:
        """Book an entry, or say how it is refused."""
        spent: Counter[str] = Counter()
        for posting in entry.postings:
            if not {posting.source, posting.destination} <= self.balances.keys():
                return UnknownAccount
            spent[posting.source] += posting.amount.micro
        if entry.reference in self.entries:
            return None if self.entries[entry.reference] == entry else ReferenceTaken
        if any(p.amount.micro <= 0 or p.source == p.destination for p in entry.postings):
            return psycopg.errors.CheckViolation
        if any(self.balances[a] < micro for a, micro in spent.items() if not _bottomless(a)):
            return Invalid
        for posting in entry.postings:
            self.balances[posting.source] -= posting.amount.micro
            self.balances[posting.destination] += posting.amount.micro
        self.repay(entry)
        self.entries[entry.reference] = entry
        return None

    def repay(self, entry: Entry) -> None:
        """Whoever owes repays out of what an entry brings."""
        brought: Counter[str] = Counter()
        for posting in entry.postings:
            brought[posting.destination] += posting.amount.micro
        for address, micro in brought.items():
            debt = address.removesuffix("available") + "debt"
            part = min(micro, -self.balances.get(debt, 0))
            if address.endswith(":available") and part > 0:
                self.balances[address] -= part
                self.balances[debt] += part


class Book(RuleBasedStateMachine):
    """The real book beside its model."""

    users = Bundle("users")
    holds = Bundle("holds")
    stored = Bundle("stored")

    @initialize(target=users)
    def open(self):
        # The house's one connection: each sequence begins with the same book.
        self.beginning = db.db.engine.begin_nested()
        self.model = Model({address: ledger.balance(address).micro for address in HOUSE})
        return multiple(*(self.somebody_new() for _ in range(3)))

    def somebody_new(self) -> str:
        user = ids.new_id()
        with db.transaction():
            ledger.open_accounts(chart.of_user(user))
        self.model.balances.update({opening.address: 0 for opening in chart.of_user(user)})
        return user

    def post(self, entry: Entry):
        """Post to both, and compare how each ends."""
        known = entry.reference in self.model.entries
        refusal = self.model.take(entry)
        if refusal is not None:
            with pytest.raises(refusal), db.transaction():
                ledger.post(entry)
            return multiple()
        with db.transaction():
            posted = ledger.post(entry)
        assert posted.replayed is known
        sources = [posting.source for posting in entry.postings]
        assert [usdc.micro for usdc in posted.balances] == [self.model.balances[s] for s in sources]
        return entry

    def post_together(self, several: list[Entry]):
        """Post several in one go to both: none stands if one is refused, as that one would be."""
        before = self.model.balances.copy(), dict(self.model.entries)
        refusal = next(filter(None, map(self.model.take, several)), None)
        if refusal is not None:
            self.model.balances, self.model.entries = before
            with pytest.raises(refusal), db.transaction():
                ledger.post_all(several)
            return
        with db.transaction():
            ledger.post_all(several)

    @rule(target=stored, user=users, amount=amounts, commission=fees)
    def pay_by_card(self, user: str, amount: Usdc, commission: Usdc):
        return self.post(entries.card_credit(ids.new_id(), "tap", user, amount, commission))

    @rule(target=stored, user=users, amount=amounts, commission=fees)
    def charge_back(self, user: str, amount: Usdc, commission: Usdc):
        deposit = ids.new_id()
        self.post(entries.card_credit(deposit, "tap", user, amount, commission))
        refund = Refund(amount, commission, 1)
        with db.transaction():
            ledger.open_accounts(chart.of_debtor(user))
        self.model.balances.setdefault(chart.debt(user), 0)
        there = Usdc(self.model.balances[chart.available(user)])
        with db.transaction():
            assert ledger.claim(chart.available(user)) == there
        return self.post(entries.card_refund(deposit, "tap", user, refund, there=there))

    @rule(target=stored, user=users, amount=amounts)
    def give(self, user: str, amount: Usdc):
        self.post(entries.capital(ids.new_id(), "Base", Usdc(50)))
        return self.post(entries.gift(ids.new_id(), user, amount))

    @rule(target=stored, sender=users, recipient=users, amount=amounts, fee=fees)
    def transfer(self, sender: str, recipient: str, amount: Usdc, fee: Usdc):
        return self.post(entries.transfer(ids.new_id(), sender, recipient, amount, fee))

    @rule(target=holds, user=users, amount=amounts, fee=fees)
    def hold(self, user: str, amount: Usdc, fee: Usdc):
        payout = ids.new_id()
        held = self.post(entries.payout_hold(payout, user, amount + fee))
        return (payout, user, amount, fee) if isinstance(held, Entry) else multiple()

    @rule(target=stored, held=consumes(holds))
    def settle(self, held: tuple[str, str, Usdc, Usdc]):
        payout, user, amount, fee = held
        return self.post(entries.payout_settle(payout, user, "Base", amount, fee))

    @rule(target=stored, held=consumes(holds))
    def release(self, held: tuple[str, str, Usdc, Usdc]):
        payout, user, amount, fee = held
        return self.post(entries.payout_release(payout, user, amount + fee))

    @rule(entry=stored)
    def replay(self, entry: Entry):
        self.post(entry)

    @rule(entry=stored, amount=amounts)
    def reuse_a_reference(self, entry: Entry, amount: Usdc):
        first = entry.postings[0]
        other = Posting(first.source, first.destination, first.amount + amount)
        self.post(Entry(entry.reference, entry.kind, (other, *entry.postings[1:])))

    @rule(user=users, amount=st.sampled_from([Usdc(0), Usdc(-1)]))
    def send_nothing_or_less(self, user: str, amount: Usdc):
        posting = Posting(chart.available(user), chart.FEES, amount)
        self.post(Entry(ids.new_id(), "transfer", (posting,)))

    @rule(user=users, amount=amounts)
    def send_to_nobody(self, user: str, amount: Usdc):
        self.post(entries.transfer(ids.new_id(), user, "nobody", amount, ZERO))

    @rule(
        target=stored,
        path=st.lists(users, min_size=2, max_size=5),
        amounts=st.lists(amounts, min_size=5),
    )
    def post_a_chain(self, path: list[str], amounts: list[Usdc]):
        hops = zip(path, path[1:], amounts, strict=False)
        postings = (Posting(chart.available(s), chart.available(d), a) for s, d, a in hops)
        return self.post(Entry(ids.new_id(), "transfer", tuple(postings)))

    @rule(user=users, amounts=st.lists(amounts, min_size=1, max_size=4))
    def change_its_mind(self, user: str, amounts: Iterable[Usdc]):
        """Several entries in one transaction that does not commit."""
        with pytest.raises((LookupError, Invalid)), db.transaction():  # noqa: PT012
            for amount in amounts:
                ledger.post(entries.payout_hold(ids.new_id(), user, amount))
            raise LookupError

    @rule(
        several=st.lists(
            st.tuples(st.sampled_from([*steps, *wrong_steps]), users, users, amounts, fees),
            min_size=1,
            max_size=5,
        )
    )
    def post_several(self, several: list[Step]):
        self.post_together([entry for step in several for entry in _entries(step)])

    @rule(entry=stored, user=users, amount=amounts)
    def post_several_of_which_one_stands(self, entry: Entry, user: str, amount: Usdc):
        self.post_together([entries.gift(ids.new_id(), user, amount), entry])

    @rule(accounts=st.integers(1, 20))
    def fold(self, accounts: int):
        ledger.fold(accounts)

    @invariant()
    def the_book_is_the_model(self):
        balances = {address: ledger.balance(address).micro for address in self.model.balances}
        assert balances == dict(self.model.balances)
        for address, micro in balances.items():
            if address.endswith(":debt"):
                assert micro <= 0
                assert micro == 0 or balances[address.removesuffix("debt") + "available"] == 0
            else:
                assert micro >= 0 or address in BOTTOMLESS

    def teardown(self):
        assert audit.findings() == []
        total = """
            SELECT (SELECT sum(micro) FROM ledger_balances) + coalesce(sum(micro), 0)
            FROM ledger_pending
        """
        assert db.execute(total, {}).fetchone() == (0,)
        db.release()
        self.beginning.rollback()


@pytest.mark.slow
@pytest.mark.usefixtures("house")
def test_any_sequence_of_entries_keeps_the_sum_zero_and_nobody_below_zero():
    run_state_machine_as_test(
        Book, settings=settings(max_examples=40, stateful_step_count=30, deadline=None)
    )
