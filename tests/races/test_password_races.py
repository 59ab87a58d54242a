"""A password that was right when it was compared, and another one set before it counted."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from protonpay.auth import emails, passkey_steps, recovery, service, two_steps
from protonpay.auth.devices import Device
from protonpay.auth.models import AuthSession
from protonpay.kernel.errors import Unauthenticated
from protonpay.operators import service as operators
from protonpay.operators.service import Role
from protonpay.store.db import db
from tests.actors import PASSWORD, Actor, make_actor
from tests.auth.test_recovery import NEW, asked, login
from tests.committed import OpenHouse
from tests.mail.letters import letters
from tests.operators.desk import make_clerk
from tests.races.test_contention import overtaken

pytestmark = pytest.mark.slow

THIEF = Device("203.0.113.66", "Thief/1.0")
ACTS: dict[str, Callable[[Actor], Any]] = {
    "signs in": lambda who: service.login(email=who.email, password=PASSWORD, device=THIEF),
    "sets one": lambda who: recovery.change(
        who.id, session_id="none", password=PASSWORD, new_password=f"thieves {PASSWORD}"
    ),
    "has letters sent elsewhere": lambda who: emails.ask_change(
        who.id, email="thief@example.com", password=PASSWORD
    ),
    "sets up an app": lambda who: two_steps.begin(who.id, password=PASSWORD),
    "adds a passkey": lambda who: passkey_steps.begin_adding(
        who.id, session_id="none", password=PASSWORD
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_who_knows_the_old_one_comes_too_late(open_house: OpenHouse, act: str):
    owner = make_actor(open_house.app, "Owner")
    token = asked(owner)

    reset, late = overtaken(
        open_house,
        ("users", owner.id),
        lambda: recovery.reset(token, password=NEW),
        lambda: ACTS[act](owner),
    )

    assert reset is None
    assert isinstance(late, Unauthenticated), late
    assert late.code == "invalid_credentials"
    stand = select(func.count()).where(AuthSession.ended_at.is_(None))
    assert db.session.scalar(stand) == 0
    assert letters("thief@example.com") == []
    assert login(owner, NEW).status_code == 200


def test_an_operators_too(open_house: OpenHouse):
    clerk = make_clerk(open_house.app, Role.FINANCE)
    sign_in = {"email": clerk.email, "password": PASSWORD, "address": THIEF.address}

    changed, late = overtaken(
        open_house,
        ("operators", operators.find(clerk.email).id),
        lambda: operators.set_password(clerk.email, NEW),
        lambda: operators.sign_in(**sign_in),
    )

    assert changed is None
    assert isinstance(late, Unauthenticated), late
    assert late.code == "invalid_credentials"
