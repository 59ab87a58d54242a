"""The chain itself: LiteSVM, with slots, commitments, forks and a disk of its own.

LiteSVM knows one state, the newest. For every slot that is not final the bank keeps
what the slot's accounts were before it: reading "as of finalized" and leaving a fork
are both a look into those.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from protonpay.sandbox.solana.archive import Archive, Landed
from protonpay.sandbox.solana.genesis import MAINNET_RENT, first_accounts
from protonpay.sandbox.solana.receipts import AnyMessage, Keys, Verdict, receipt, static_writable
from protonpay.sandbox.solana.slots import (
    BLOCKHASH_AGE,
    GENESIS_SLOT,
    Timeline,
    block_at,
    height,
    skipped,
)
from protonpay.sandbox.solana.tokens import SYSTEM_PROGRAM, TOKEN_PROGRAM, is_mint, read_token

PROCESSED, CONFIRMED, FINALIZED = "processed", "confirmed", "finalized"
SLOTS_PER_EPOCH = 432_000
_LOOKUP_TABLE_HEADER = 56
_NOTHING = Account(0, b"", SYSTEM_PROGRAM)


@dataclass(slots=True)
class OpenSlot:
    """A slot that may still be forked away, and what its accounts were before it."""

    number: int
    before: dict[Pubkey, Account | None] = field(default_factory=dict)


class Bank:
    """One chain, as one honest node sees it. Not for two threads at once.

    Args:
        archive: where it is kept; a chain found there goes on.
        timeline: its clock.
        usdc: the mint that exists from the beginning.
        finality_slots: how many slots after its own a block is final.
    """

    def __init__(
        self, archive: Archive, timeline: Timeline, usdc: Pubkey, finality_slots: int
    ) -> None:
        self.archive = archive
        self.timeline = timeline
        self.usdc = usdc
        self.finality_stalled = False
        self._finality_slots = finality_slots
        self._svm = LiteSVM().with_blockhash_check(check=False).with_transaction_history(0)
        self._svm.set_rent(MAINNET_RENT)
        self._open: list[OpenSlot] = []
        self._clock_slot = -1
        self._finalized = max(archive.fact("settled") or 0, GENESIS_SLOT)
        self._load()
        self.advance()

    # Time

    def advance(self) -> None:
        """Catch up with the clock: finalize what is old enough, on disk first."""
        newest = self.timeline.slot()
        goal = block_at(newest - self._finality_slots)
        if self.finality_stalled or goal <= self._finalized:
            return
        final = [slot for slot in self._open if slot.number <= goal]
        if final:
            keys = {key for slot in final for key in slot.before}
            self.archive.settle(goal, {key: self.account(key, goal) for key in keys})
            self._open = self._open[len(final) :]
        self._finalized = goal

    def slot(self, commitment: str = PROCESSED) -> int:
        """Return the newest slot with a block at this commitment."""
        if commitment == FINALIZED:
            return self._finalized
        newest = self.timeline.slot()
        if commitment == CONFIRMED:
            return max(self._finalized, block_at(newest - 1))
        return newest

    def commitment_of(self, slot: int) -> str:
        """Return the highest commitment that a slot's block has."""
        held = (level for level in (FINALIZED, CONFIRMED) if slot <= self.slot(level))
        return next(held, PROCESSED)

    def leave_fork(self, slots: int) -> tuple[int, list[Landed]]:
        """Forget the newest slots that are not final.

        Returns:
            The slot of the first block after the fork, and what was in the forgotten ones.
        """
        return self._leave_after(max(self._finalized, block_at(self.timeline.slot() - slots)))

    def undo(self, signature: Signature) -> bool:
        """Let a fork win that has all but one transaction; the others come into its first block.

        Returns:
            False if it is final, or in no block.
        """
        slot = self.archive.slot_of(signature)
        if slot is None or slot <= self._finalized:
            return False
        after, lost = self._leave_after(block_at(slot - 1))
        for landed in lost:
            if landed.signature != signature:
                # As it was taken: its block hash may be of a slot that was left.
                self._land(VersionedTransaction.from_bytes(landed.raw), after)
        return True

    def _leave_after(self, kept: int) -> tuple[int, list[Landed]]:
        lost = self.archive.after(kept)
        for gone in reversed([slot for slot in self._open if slot.number > kept]):
            for key, account in gone.before.items():
                self._svm.set_account(key, account or _NOTHING)
        self._open = [slot for slot in self._open if slot.number <= kept]
        self.timeline.fork(kept)
        self.archive.forget_after(kept, {"timeline": self.timeline.facts()})
        return kept + (2 if skipped(kept + 1) else 1), lost

    # Accounts

    def account(self, key: Pubkey, slot: int) -> Account | None:
        """Return an account as it was at the end of a slot that is final or later."""
        for later in self._open:
            if later.number > slot and key in later.before:
                return later.before[key]
        return self._svm.get_account(key)

    def token_accounts(self, slot: int) -> Iterator[tuple[Pubkey, Account]]:
        """Return every token account and mint as of a slot."""
        keys = {key for key, _ in self._svm.get_program_accounts(TOKEN_PROGRAM)}
        keys |= {key for later in self._open if later.number > slot for key in later.before}
        for key in sorted(keys, key=bytes):
            account = self.account(key, slot)
            if account is not None and account.owner == TOKEN_PROGRAM:
                yield key, account

    # Transactions

    def refusal(self, transaction: VersionedTransaction, slot: int) -> str | None:
        """Return why the block of this slot would not take a transaction at all, or None."""
        if not self.is_recent(transaction.message.recent_blockhash, slot):
            return "BlockhashNotFound"
        landed = self.archive.slot_of(transaction.signatures[0])
        return "AlreadyProcessed" if landed is not None and landed <= slot else None

    def is_recent(self, blockhash: Hash, slot: int) -> bool:
        """Tell whether the next block after a slot may use this block hash."""
        made = self.timeline.slot_of(blockhash)
        return made is not None and made <= slot and height(slot) - height(made) <= BLOCKHASH_AGE

    def submit(self, transaction: VersionedTransaction, slot: int | None = None) -> Verdict | None:
        """Put a transaction into the present block, or into a given one that has no successor.

        Returns:
            What happened to it, or None when a leader would put it into no block.
        """
        slot = slot or self.timeline.slot()
        if self.refusal(transaction, slot):
            return None
        return self._land(transaction, slot)

    def _land(self, transaction: VersionedTransaction, slot: int) -> Verdict | None:
        keys = self.keys(transaction.message)
        run = self._run(transaction, slot, keys)
        if run is None:
            return None
        verdict, before = run
        after = self._peek(keys)
        meta = receipt(verdict, keys, before, after, self._mints(before, after))
        signature = transaction.signatures[0]
        self.archive.add(slot, signature, bytes(transaction), meta, keys.all)
        return verdict

    def simulate(
        self, transaction: VersionedTransaction, slot: int, *, sigverify: bool
    ) -> tuple[Verdict, dict[Pubkey, Account]]:
        """Run a transaction on the accounts as of a slot and leave no trace.

        Returns:
            The verdict, and the accounts it would have changed (none if it failed).
        """
        self._set_clock(self.timeline.slot())
        self._svm.with_sigverify(sigverify)
        try:
            with self._rewound(self.keys(transaction.message).all, slot):
                result = self._svm.simulate_transaction(transaction)
        finally:
            self._svm.with_sigverify(sigverify=True)
        changed = dict(getattr(result, "post_accounts", list)())
        return Verdict.read(result), changed

    def keys(self, message: AnyMessage) -> Keys:
        """Return a message's accounts, lookup tables opened."""
        writable: list[Pubkey] = []
        readonly: list[Pubkey] = []
        for lookup in getattr(message, "address_table_lookups", ()):
            table = self._svm.get_account(lookup.account_key)
            rows = table.data[_LOOKUP_TABLE_HEADER:] if table else b""
            writable += _table_rows(rows, lookup.writable_indexes)
            readonly += _table_rows(rows, lookup.readonly_indexes)
        may_change = frozenset([*static_writable(message), *writable])
        return Keys(list(message.account_keys), writable, readonly, may_change)

    def _run(
        self, transaction: VersionedTransaction, slot: int, keys: Keys
    ) -> tuple[Verdict, dict[Pubkey, Account | None]] | None:
        self._set_clock(slot)
        before = self._peek(keys)
        verdict = Verdict.read(self._svm.send_transaction(transaction))
        payer = keys.static[0]
        if verdict.err is not None and self._svm.get_account(payer) == before[payer]:
            # What did not pay its fee is in no block.
            return None
        present = self._open_slot(slot)
        for key in keys.writable:
            present.before.setdefault(key, before[key])
        return verdict, before

    def _open_slot(self, slot: int) -> OpenSlot:
        if not self._open or self._open[-1].number != slot:
            self._open.append(OpenSlot(slot))
        return self._open[-1]

    def _peek(self, keys: Keys) -> dict[Pubkey, Account | None]:
        return {key: self._svm.get_account(key) for key in keys.all}

    def _mints(self, *states: dict[Pubkey, Account | None]) -> dict[Pubkey, Account | None]:
        tokens = [read_token(account) for state in states for account in state.values()]
        mints = {token.mint for token in tokens if token}
        return {mint: self._svm.get_account(mint) for mint in mints}

    def _set_clock(self, slot: int) -> None:
        if slot == self._clock_slot:
            return
        epoch, now = slot // SLOTS_PER_EPOCH, self.timeline.block_time(slot)
        began = self.timeline.block_time(epoch * SLOTS_PER_EPOCH)
        self._svm.set_clock(Clock(slot, began, epoch, epoch + 1, now))
        self._clock_slot = slot

    @contextmanager
    def _rewound(self, keys: Iterable[Pubkey], slot: int) -> Iterator[None]:
        changed = {key for later in self._open if later.number > slot for key in later.before}
        present = {key: self._svm.get_account(key) for key in changed.intersection(keys)}
        for key in present:
            self._svm.set_account(key, self.account(key, slot) or _NOTHING)
        try:
            yield
        finally:
            for key, account in present.items():
                self._svm.set_account(key, account or _NOTHING)

    # After a restart

    def _load(self) -> None:
        for key, account in self.archive.accounts():
            self._svm.set_account(key, account)
        if not is_mint(self._svm.get_account(self.usdc)):
            genesis = first_accounts(self.usdc)
            self.archive.settle(self._finalized, genesis)
            for key, account in genesis.items():
                self._svm.set_account(key, account)
        for landed in self.archive.after(self._finalized):
            self.timeline.not_before(landed.slot)
            transaction = VersionedTransaction.from_bytes(landed.raw)
            self._run(transaction, landed.slot, self.keys(transaction.message))
        # Never in a slot that is final already; the next one may be a hole.
        self.timeline.not_before(self._finalized + 2)
        self.archive.keep_fact("timeline", self.timeline.facts())


def _table_rows(rows: bytes, indexes: Iterable[int]) -> list[Pubkey]:
    found = (rows[32 * index : 32 * index + 32] for index in indexes)
    return [Pubkey(row) for row in found if row]
