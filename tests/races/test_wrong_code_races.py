"""Wrong codes of an app, sent at once: no more are looked at than of those sent one by one."""

from collections import Counter
from functools import partial

import pytest

from protonpay.kernel.errors import Refusal
from protonpay.operators import service as operators
from protonpay.operators.service import Role
from protonpay.two_factor import codes
from tests.actors import PASSWORD, make_actor
from tests.committed import OpenHouse
from tests.moments import Moments
from tests.operators.desk import make_clerk
from tests.two_factor.apps import App, enabled

pytestmark = pytest.mark.slow

AT_ONCE = 16
LOOKED_AT, REFUSED = "two_factor_invalid", "rate_limited"


def _misses(house: OpenHouse, table: str) -> int:
    with house.superuser() as connection:
        row = connection.execute(f"SELECT sum(cardinality(missed_at)) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.checklist(49)
@pytest.mark.parametrize("key", [None, "guess-{}"], ids=["plain", "under a key each"])
def test_of_sixteen_at_once_five_are_looked_at(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch, key: str | None
):
    actor = make_actor(open_house.app, "Anna")
    app = enabled(actor, Moments(monkeypatch))
    order = {"name": "Mine", "permissions": ["balance:read"]}

    def guess(number: int) -> str:
        headers = {"X-2FA-Code": "000000"}
        if key:
            headers["Idempotency-Key"] = key.format(number)
        code: str = actor.post("/client/api-keys", order, headers=headers).get_json()["code"]
        return code

    told = open_house.at_once([partial(guess, number) for number in range(AT_ONCE)])

    assert Counter(told) == {LOOKED_AT: 5, REFUSED: AT_ONCE - 5}
    assert _misses(open_house, "second_factors") == 5
    right = actor.post("/client/api-keys", order, headers=app.headers())
    assert right.get_json()["code"] == REFUSED


def test_at_the_second_step_of_signing_in_too(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
):
    actor = make_actor(open_house.app, "Anna")
    enabled(actor, Moments(monkeypatch))
    login = {"email": actor.email, "password": PASSWORD}
    token = actor.client.post("/api/auth/login", json=login).get_json()["mfaToken"]
    sent = {"mfaToken": token, "code": "000000"}

    def guess() -> str:
        code: str = actor.client.post("/api/auth/2fa", json=sent).get_json()["code"]
        return code

    told = open_house.at_once([guess] * AT_ONCE)

    assert Counter(told) == {LOOKED_AT: 5, REFUSED: AT_ONCE - 5}
    assert _misses(open_house, "second_factors") == 5


def test_an_operators_too(open_house: OpenHouse):
    clerk, app = make_clerk(open_house.app, Role.FINANCE), App(codes.new_secret())
    operators.add_second_factor(clerk.email, app.secret, app.code())

    def guess() -> str:
        try:
            operators.prove(clerk.email, PASSWORD, "000000", origin="here")
        except Refusal as refusal:
            return refusal.code
        return "in"

    told = open_house.inside_at_once([guess] * AT_ONCE)

    assert Counter(told) == {LOOKED_AT: 5, REFUSED: AT_ONCE - 5}
    assert _misses(open_house, "operators") == 5
