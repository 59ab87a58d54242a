"""What is over is dropped by the next who comes, and nobody waits for another who cleans up."""

from datetime import timedelta

from sqlalchemy import select, text

from protonpay.auth.models import SignInChallenge
from protonpay.kernel import clock, ids
from protonpay.store import expired
from protonpay.store.db import db, transaction
from tests.actors import make_actor
from tests.committed import OpenHouse, open_house

__all__ = ["open_house"]


def waiting(user_id: str, seconds: int) -> str:
    row = SignInChallenge(
        id=ids.new_id(), user_id=user_id, expires_at=clock.now() + timedelta(seconds=seconds)
    )
    with transaction() as session:
        session.add(row)
    return row.id


def left() -> set[str]:
    return set(db.session.scalars(select(SignInChallenge.id)))


def test_what_is_over_goes_and_what_stands_stays(open_house: OpenHouse):
    anna = make_actor(open_house.app, "Anna")
    waiting(anna.id, -1)
    stands = waiting(anna.id, 60)
    with transaction():
        expired.drop(SignInChallenge)
    assert left() == {stands}


def test_nobody_waits_for_what_another_is_dropping(open_house: OpenHouse):
    anna = make_actor(open_house.app, "Anna")
    first, second = waiting(anna.id, -1), waiting(anna.id, -1)
    with open_house.superuser() as other, other.transaction():
        other.execute("SELECT FROM sign_in_challenges WHERE id = %s FOR UPDATE", (first,))
        with transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            expired.drop(SignInChallenge)
        assert left() == {first}
    assert second not in left()
