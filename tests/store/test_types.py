"""Columns keep money exact, time aware and states inside their table."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError

from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.kernel.states import StateMachine
from protonpay.store.db import current, transaction
from protonpay.store.types import UsdcType, UtcDateTime, state_check

LAMP = StateMachine("lamp", initial="OFF", moves={"OFF": ("ON",), "ON": ("BROKEN",)})
LAMPS = sa.Table(
    "lamps",
    sa.MetaData(),
    sa.Column("price_micro", UsdcType),
    sa.Column("lit_at", UtcDateTime),
    sa.Column("state", sa.Text, nullable=False, server_default="OFF"),
    state_check("state", LAMP),
    prefixes=["TEMPORARY"],
)
NOON = datetime(2026, 3, 14, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def lamps(house):
    with transaction() as session:
        LAMPS.create(session.connection())
        yield session
        LAMPS.drop(session.connection())


def _stored(column: sa.Column, value: object) -> object:
    current().execute(sa.insert(LAMPS).values({column.name: value}))
    return current().scalar(sa.select(column))


@pytest.mark.parametrize("micro", [0, 1, -1, MAX_MICRO, None])
def test_money_comes_back_as_it_went_in(lamps, micro):
    amount = None if micro is None else Usdc(micro)
    assert _stored(LAMPS.c.price_micro, amount) == amount


def test_a_sum_of_money_is_money(lamps):
    for micro in (MAX_MICRO, 1):
        lamps.execute(sa.insert(LAMPS).values(price_micro=Usdc(micro)))
    assert lamps.scalar(sa.select(sa.func.sum(LAMPS.c.price_micro))) == Usdc(MAX_MICRO + 1)


def test_a_moment_comes_back_in_utc_to_the_microsecond(lamps):
    dubai = NOON.astimezone(timezone(timedelta(hours=4)))
    found = _stored(LAMPS.c.lit_at, dubai)
    assert found == NOON
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(lamps):
    with pytest.raises(StatementError, match="knows its zone"):
        _stored(LAMPS.c.lit_at, NOON.replace(tzinfo=None))


@pytest.mark.parametrize("state", LAMP.states)
def test_a_state_of_the_table_is_stored(lamps, state: str):
    assert _stored(LAMPS.c.state, state) == state


@pytest.mark.parametrize("state", ["on", "DIM", ""])
def test_the_database_refuses_a_state_that_the_table_does_not_have(lamps, state: str):
    with pytest.raises(IntegrityError), lamps.begin_nested():
        _stored(LAMPS.c.state, state)
