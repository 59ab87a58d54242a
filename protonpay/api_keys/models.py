"""API keys: what they may do and how they were used. No key is stored, only its hash."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class ApiKey(Base):
    """A key of an account.

    Attributes:
        prefix: the beginning of the key, for its owner to recognise.
        key_hash: SHA-256 of the key in hex; 190 random bits need no slower hash.
        permissions: scopes, or ``full`` alone.
        allowed_ips: networks it may be sent from; none means from anywhere.
        last_used_at: to the minute; ``last_used_ip`` goes with it.
        made_by: the member of the account who made it; None for its owner.
        revoked_at: from then on it opens nothing and its owner sees it no more.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("cardinality(permissions) > 0", name="permissions"),
        Index("ix_api_keys_user", "user_id", "created_at", "id"),
        Index("ix_api_keys_expiring", "expires_at", postgresql_where=text("revoked_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[str] = mapped_column(Text, unique=True)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    allowed_ips: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_by: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_ip: Mapped[str | None] = mapped_column(Text)
