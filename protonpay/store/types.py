"""Column types: exact money, aware time, and states that only their table allows."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect
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


def state_check(column: str, machine: StateMachine) -> CheckConstraint:
    """Make the constraint that keeps a text column inside the states of a table."""
    allowed = ", ".join(f"'{state}'" for state in machine.states)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)
