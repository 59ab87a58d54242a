"""Keys, many hands: the limit holds, a revocation is seen by all, a use waits for nobody."""

from collections import Counter
from functools import partial

import psycopg
import pytest
from werkzeug.test import TestResponse

from tests.actors import Actor, make_actor
from tests.api_keys.keys import Key, create, make_key, revoke, row
from tests.committed import OpenHouse

pytestmark = pytest.mark.slow


def _statuses(answers: list[TestResponse]) -> Counter[int]:
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    return Counter(answer.status_code for answer in answers)


@pytest.fixture
def maker(open_house: OpenHouse) -> Actor:
    return make_actor(open_house.app, "Maker")


@pytest.mark.checklist(94)
def test_of_21_keys_made_at_once_20_stand(open_house: OpenHouse, maker: Actor):
    answers = open_house.at_once([partial(create, maker)] * 21)

    assert _statuses(answers) == {200: 20, 409: 1}
    assert len(maker.get("/client/api-keys").get_json()["keys"]) == 20


def test_of_twenty_revocations_one_is_done(open_house: OpenHouse, maker: Actor):
    key = make_key(maker)

    answers = open_house.at_once([partial(revoke, maker, key.id)] * 20)

    assert _statuses(answers) == {204: 1, 404: 19}


@pytest.mark.checklist(96)
def test_whoever_uses_a_key_is_stopped_by_its_revocation(open_house: OpenHouse, maker: Actor):
    """What is asked after the revocation was answered is refused, in any thread."""
    key = make_key(maker)

    def use() -> list[int]:
        seen = [0]
        while seen[-1] != 401 and len(seen) < 500:
            seen.append(key.get("/client/fees").status_code)
        return seen[1:] + [key.get("/client/fees").status_code for _ in range(3)]

    *seen, revoked = open_house.at_once([*[use] * 8, partial(revoke, maker, key.id)])

    assert revoked.status_code == 204
    for each in seen:
        assert set(each) <= {200, 401}
        assert each == sorted(each)
        assert each[-4:] == [401] * 4


def test_twenty_first_uses_are_noted_as_one(open_house: OpenHouse, maker: Actor):
    key = make_key(maker)
    with open_house.superuser() as connection:
        connection.execute(
            "CREATE TABLE notes (at timestamptz);"
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
            " 'BEGIN INSERT INTO notes VALUES (now()); RETURN NULL; END';"
            "CREATE TRIGGER note AFTER UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION note()"
        )

        answers = open_house.at_once([partial(key.get, "/client/fees")] * 20)

        assert _statuses(answers) == {200: 20}
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (1,)


def test_a_use_waits_for_nobody_who_has_the_row(open_house: OpenHouse, maker: Actor):
    key = make_key(maker)
    with open_house.superuser() as other, other.transaction():
        _take(other, key)
        # With the row taken a plain UPDATE would wait for longer than any statement may.
        assert key.get("/client/fees").status_code == 200
        assert row(maker, key)["lastUsedAt"] is None

    assert key.get("/client/fees").status_code == 200
    assert row(maker, key)["lastUsedAt"] is not None


def _take(connection: "psycopg.Connection[object]", key: Key) -> None:
    taken = connection.execute("SELECT 1 FROM api_keys WHERE id = %s FOR UPDATE", (key.id,))
    assert taken.fetchone() == (1,)
