"""A second factor is taken away, or kept: never both, and letters and audit say which."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select

from protonpay.audit import service as audit
from protonpay.auth import factor_resets, passkey_steps, service, two_steps
from protonpay.auth.devices import Device
from protonpay.auth.models import AuthSession, EmailToken, FactorReset
from protonpay.cli.people import acting
from protonpay.kernel.errors import NotFound
from protonpay.store.db import db
from protonpay.two_factor import service as two_factor
from protonpay.users import service as users
from tests.actors import PASSWORD, Actor, make_actor
from tests.committed import OpenHouse
from tests.mail import letters
from tests.moments import Moments
from tests.races.test_contention import until_others_wait
from tests.two_factor.apps import STEP, App

pytestmark = pytest.mark.slow

HERE = Device("198.51.100.7", "tests")
HOURS_48 = 48 * 3600
ROUNDS = 12
Kept = bool | None
Way = Callable[[], Kept]
"""Stops a reset; returns whether it says so, None if it says nothing of it."""


class Owner:
    """Somebody with an app, whose reset is due; asked for anew in each round."""

    def __init__(self, house: OpenHouse, moments: Moments) -> None:
        self.actor: Actor = make_actor(house.app, "Owner")
        self.moments = moments
        self.app: App
        self.session_id = self.reset_id = ""

    def loses(self) -> None:
        """Say that app and codes are lost; two days later it is due."""
        who = self.actor
        if not two_factor.is_enabled(who.id):
            service.login(email=who.email, password=PASSWORD, device=HERE)
            newest = select(AuthSession.id).order_by(AuthSession.created_at.desc())
            self.session_id = db.session.scalars(newest.limit(1)).one()
            self.app = App(two_factor.begin(who.id).secret)
            two_factor.enable(who.id, self.app.code())
            self.moments.pass_by(STEP)
        factor_resets.ask(who.id)
        self.reset_id = db.session.scalars(select(FactorReset.id)).one()
        self.moments.pass_by(HOURS_48)

    def by_code(self) -> Way:
        waiting = service.login(email=self.actor.email, password=PASSWORD, device=HERE)
        assert isinstance(waiting, service.Challenge)

        def enter() -> Kept:
            two_steps.complete(
                challenge_id=waiting.id,
                user_id=self.actor.id,
                code=self.app.code(),
                device=HERE,
            )
            return None

        return enter

    def by_session(self) -> Way:
        def stop() -> Kept:
            try:
                factor_resets.stop_in_session(self.actor.id)
            except NotFound:
                return False
            return True

        return stop

    def by_operator(self) -> Way:
        def keep() -> Kept:
            with acting("users.keep-2fa", self.actor.email, "they called") as user:
                return factor_resets.stop(users.lock(user.id))

        return keep

    def seen(self) -> Counter[str]:
        """Count what tells how it ended: letters, and what operators did."""
        acts = (each.action for each in audit.entries(subject=f"user {self.actor.id}"))
        return Counter([*letters.letters(self.actor.email), *acts])


WAYS = [Owner.by_code, Owner.by_session, Owner.by_operator]
"""But the link of the letter: it ends at the moment from which on the job may act."""


@pytest.fixture
def owner(open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch) -> Owner:
    return Owner(open_house, Moments(monkeypatch))


def ended(owner: Owner, way: Callable[[Owner], Way], told: object, before: Counter[str]) -> bool:
    """Assert that it ended in one way, whoever is asked; return whether the factor was kept."""
    kept, after = two_factor.is_enabled(owner.actor.id), owner.seen() - before
    assert told in (None, kept)
    assert after["two_factor_kept"] == kept
    assert after["two_factor_disabled"] == (not kept)
    assert after["users.keep-2fa"] == (kept and way is Owner.by_operator)
    assert two_factor.standing(owner.actor.id).codes_left == (10 if kept else 0)
    stands = select(AuthSession.ended_at.is_(None)).where(AuthSession.id == owner.session_id)
    assert db.session.scalar(stands) == kept
    usable = select(func.count()).where(EmailToken.purpose == "KEEP", EmailToken.ended_at.is_(None))
    assert db.session.scalar(usable) == 0
    assert factor_resets.due_at(owner.actor.id) is None
    return kept


@pytest.mark.parametrize("way", WAYS)
def test_at_one_moment_it_is_kept_or_taken_away(
    owner: Owner, open_house: OpenHouse, way: Callable[[Owner], Way]
):
    for number in range(ROUNDS):
        owner.loses()
        before, works = owner.seen(), [partial(passkey_steps.reset_due, owner.reset_id), way(owner)]

        done = open_house.inside_at_once(works[:: -1 if number % 2 else 1])

        job, told = done[:: -1 if number % 2 else 1]
        assert job is None
        ended(owner, way, told, before)


@pytest.mark.parametrize("job_first", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_who_asked_for_the_lock_first_decides(
    owner: Owner, open_house: OpenHouse, way: Callable[[Owner], Way], *, job_first: bool
):
    """Both have read that it is due and can be stopped, before either could do anything."""
    owner.loses()
    before, works = owner.seen(), [partial(passkey_steps.reset_due, owner.reset_id), way(owner)]
    first, second = works if job_first else works[::-1]
    with open_house.superuser() as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (owner.actor.id,))

        def after_the_first() -> object:
            until_others_wait(open_house, 1)
            return second()

        def let_go() -> None:
            until_others_wait(open_house, 2)
            holder.execute("ROLLBACK")

        done = open_house.inside_at_once([first, after_the_first, let_go])

    job, told = done[:2] if job_first else done[1::-1]
    assert (job, done[2]) == (None, None)
    assert ended(owner, way, told, before) == (not job_first)
