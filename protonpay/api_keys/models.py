"""API keys: what they may do and how they were used. No key is stored, only its hash."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from protonpay.kernel import clock
from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class ApiKey(Base):
    """A key of an account.

    Attributes:
        prefix: the beginning of the key, for its owner to recognise.
        key_hash: SHA-256 of the key in hex; 190 random bits need no slower hash.
        permissions: scopes, or ``full`` alone.
        allowed_ips: networks it may be sent from; none means from anywhere.
        last_used_at: to the minute; the address, the method, the route and what the program
            calls itself are those of the same request.
        made_by: the member of the account who was shown it; None for its owner.
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
    last_used_method: Mapped[str | None] = mapped_column(Text)
    last_used_route: Mapped[str | None] = mapped_column(Text)
    last_used_agent: Mapped[str | None] = mapped_column(Text)

    replaced: Mapped[list["ReplacedSecret"]] = relationship(
        order_by="ReplacedSecret.ends_at", lazy="selectin", viewonly=True
    )

    @property
    def retiring(self) -> Sequence["ReplacedSecret"]:
        """Its older secrets that still open, the one that ends first before the others."""
        now = clock.now()
        return [secret for secret in self.replaced if secret.ends_at > now]


class ReplacedSecret(Base):
    """A secret of a key that was replaced and still opens for a while.

    Attributes:
        made_by: the member who was shown it; None for the account's owner.
    """

    __tablename__ = "api_key_retiring_secrets"
    __table_args__ = (Index("ix_api_key_retiring_secrets_key_id", "key_id", "ends_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    key_id: Mapped[str] = mapped_column(Text, ForeignKey("api_keys.id"))
    prefix: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[str] = mapped_column(Text, unique=True)
    made_by: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"))
    retired_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
