"""One refresh token in many hands: it carries its session on once, and then not at all."""

from collections import Counter

import pytest

from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.refusals import refused

pytestmark = pytest.mark.slow


@pytest.mark.checklist(53)
def test_of_twenty_at_once_one_succeeds_and_the_session_ends(open_house: OpenHouse):
    owner = make_actor(open_house.app, "Owner")
    body = {"refreshToken": owner.refresh_token}
    client = open_house.app.test_client

    answers = open_house.at_once([lambda: client().post("/api/auth/refresh", json=body)] * 20)

    told = Counter((one.status_code, one.get_json().get("code")) for one in answers)
    assert told[200, None] == 1
    assert {each for each in told if each[0] != 200} <= {
        *((401, "refresh_token_reused"), (401, "token_revoked"))
    }
    (won,) = (one.get_json() for one in answers if one.status_code == 200)
    newer = {"Authorization": f"Bearer {won['token']}"}
    refused(client().get("/api/client/balance", headers=newer), 401, "token_revoked")
    again = client().post("/api/auth/refresh", json={"refreshToken": won["refreshToken"]})
    refused(again, 401, "token_revoked")
