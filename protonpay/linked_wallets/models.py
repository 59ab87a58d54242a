"""Linked wallets, and the messages that prove them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class WalletChallenge(Base):
    """A message that its owner may sign once, within a quarter of an hour.

    Attributes:
        address: canonical; ``message`` names it, the network and this row's nonce.
        used_at: when it proved its wallet.
    """

    __tablename__ = "wallet_challenges"
    __table_args__ = (Index("ix_wallet_challenges_user", "user_id", "expires_at"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    network: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LinkedWallet(Base):
    """A wallet whose key a user holds; the row stays when it is unlinked.

    Attributes:
        message: what was signed, and ``signature`` the proof: anybody can judge them anew.
    """

    __tablename__ = "linked_wallets"
    __table_args__ = (
        Index(
            "uq_linked_wallets_address",
            "user_id",
            "network",
            "address",
            unique=True,
            postgresql_where=text("unlinked_at IS NULL"),
        ),
        Index("ix_linked_wallets_user", "user_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    network: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    unlinked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
