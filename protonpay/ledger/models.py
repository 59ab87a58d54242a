"""The book's tables. The program reads them; only the ``ledger_…`` functions write.

A balance is ``ledger_balances.micro`` plus the sum of the account's ``ledger_pending``
rows: a credit is appended there and folded in later, so that an account which everybody
pays is never waited for.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime


class LedgerAccount(Base):
    """An account; hardly ever updated, everything points here."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        CheckConstraint(
            "NOT may_go_negative OR address !~ '^user.*(available|held)$'",
            name="users_have_a_floor",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    address: Mapped[str] = mapped_column(Text, unique=True)
    may_go_negative: Mapped[bool]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerBalance(Base):
    """The folded part of a balance: what a debit is tested against."""

    __tablename__ = "ledger_balances"
    __table_args__ = (
        CheckConstraint("micro >= 0 OR may_go_negative", name="not_below_zero"),
        {"info": {"fillfactor": 70}},
    )

    account_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ledger_accounts.id"), primary_key=True
    )
    micro: Mapped[Usdc] = mapped_column(UsdcType)
    may_go_negative: Mapped[bool]


class LedgerPending(Base):
    """A credit (or a debit of an account without a floor) that is not folded yet."""

    __tablename__ = "ledger_pending"
    __table_args__ = (
        CheckConstraint("micro <> 0", name="not_zero"),
        Index("ix_ledger_pending_account_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ledger_accounts.id"))
    micro: Mapped[Usdc] = mapped_column(UsdcType)


class JournalEntry(Base):
    """One event of the book, immutable."""

    __tablename__ = "journal_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PostingRow(Base):
    """One posting of an entry, immutable."""

    __tablename__ = "postings"
    __table_args__ = (
        CheckConstraint("micro > 0", name="above_zero"),
        CheckConstraint("source <> destination", name="two_accounts"),
        Index("ix_postings_source", "source", "entry_id"),
        Index("ix_postings_destination", "destination", "entry_id"),
    )

    entry_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("journal_entries.id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    source: Mapped[int] = mapped_column(BigInteger, ForeignKey("ledger_accounts.id"))
    destination: Mapped[int] = mapped_column(BigInteger, ForeignKey("ledger_accounts.id"))
    micro: Mapped[Usdc] = mapped_column(UsdcType)


class LedgerSeal(Base):
    """An entry's place in the chain, immutable: positions have no gaps."""

    __tablename__ = "ledger_seals"
    __table_args__ = (CheckConstraint("position > 0 AND octet_length(hash) = 32", name="hash"),)

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("journal_entries.id"), unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerSealMark(Base):
    """How far the chain is: one row, which ``ledger_seal`` moves.

    Attributes:
        cut: the newest position up to which no entry depends on one beyond it.
        settled: every entry id up to it is sealed or will never exist.
        seen: ids up to it were taken by transactions numbered below ``seen_before``.
        checked: how far the present walk over the chain has verified it.
    """

    __tablename__ = "ledger_seal_mark"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    cut: Mapped[int] = mapped_column(BigInteger)
    cut_hash: Mapped[bytes] = mapped_column(LargeBinary)
    settled: Mapped[int] = mapped_column(BigInteger)
    seen: Mapped[int] = mapped_column(BigInteger)
    seen_before: Mapped[int] = mapped_column(BigInteger)
    checked: Mapped[int] = mapped_column(BigInteger)
