"""Column types: exact money, aware time, and states that only their table allows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from string import Formatter

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from protonpay.kernel.money import Usdc
from protonpay.kernel.states import StateMachine


class UsdcType(TypeDecorator[Usdc]):
    """Micro-USDC in a BIGINT column named ``…_micro``."""

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: Usdc | None, dialect: Dialect) -> int | None:
        return None if value is None else value.micro

    @override
    def process_result_value(self, value: int | None, dialect: Dialect) -> Usdc | None:
        # A SUM of BIGINT comes back as Decimal.
        return None if value is None else Usdc(int(value))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; a naive one is refused because it could mean anything."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a stored moment knows its zone")
        return value

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


class Sealed(TypeDecorator[bytes]):
    """What ``store.secrets`` sealed: the type says for what, so that a new key can seal it anew.

    Args:
        purpose: as it was given to ``safe.seal``; ``{user_id}`` stands for a column of its row.
        at_once: rows that are read together when they are sealed anew: few of what is large.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str, *, at_once: int = 200) -> None:
        super().__init__()
        self.purpose = purpose
        self.at_once = at_once

    @property
    def named(self) -> list[str]:
        """The columns whose values the purpose names."""
        return [name for _, name, _, _ in Formatter().parse(self.purpose) if name]

    def purpose_of(self, values: Mapping[str, str]) -> str:
        """Return the purpose of one row."""
        return self.purpose.format(**values)


def state_check(column: str, machine: StateMachine) -> CheckConstraint:
    """Make the constraint that keeps a text column inside the states of a table."""
    allowed = ", ".join(f"'{state}'" for state in machine.states)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)
