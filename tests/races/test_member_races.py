"""A member whose role is taken away while what they asked for waits for the account."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from protonpay.api_keys.models import ApiKey
from protonpay.store.db import db
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.races.test_contention import overtaken
from tests.refusals import refused
from tests.teams.people import id_of, member

pytestmark = pytest.mark.slow


def _removed(owner: Actor, membership: str) -> Any:
    return owner.call("DELETE", f"/client/team/members/{membership}")


def _made_a_viewer(owner: Actor, membership: str) -> Any:
    return owner.call("PATCH", f"/client/team/members/{membership}", json={"role": "viewer"})


@pytest.mark.parametrize("taken", [_removed, _made_a_viewer])
def test_no_key_of_theirs_outlives_it(open_house: OpenHouse, taken: Callable[[Actor, str], Any]):
    owner = make_actor(open_house.app, "Owner")
    admin = member(open_house.app, owner, "admin")
    membership = id_of(owner, admin.person)

    done, made = overtaken(
        open_house,
        ("users", owner.id),
        lambda: taken(owner, membership),
        lambda: admin.post("/client/api-keys", {"name": "Mine"}),
    )

    assert done.status_code in {200, 204}
    refused(made, 403, "role_insufficient")
    assert db.session.scalar(select(func.count()).select_from(ApiKey)) == 0
    assert owner.get("/client/team/acts").get_json()["acts"] == []
