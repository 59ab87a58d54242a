"""An operator with an app: the password alone opens nothing, and each code opens once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.audit import service as audit
from protonpay.kernel.errors import Unauthenticated
from protonpay.kernel.money import Usdc
from protonpay.operators import service
from protonpay.operators.service import Role
from protonpay.payouts.approval import threshold
from protonpay.store.db import db
from protonpay.two_factor import codes
from tests.actors import PASSWORD, Actor
from tests.committed import OpenHouse, open_house
from tests.mail.letters import letters
from tests.moments import Moments
from tests.operators.desk import Clerk, make_clerk, sign_in
from tests.payouts.orders import accepted
from tests.refusals import refused
from tests.two_factor.apps import STEP, App
from tests.two_factor.conftest import moments
from tests.unchanged import nothing_changes, only_changes
from tests.web.conftest import rates

__all__ = ["moments", "open_house", "rates"]


@dataclass(frozen=True)
class Doubly:
    """An operator with an app; the step of its first code has passed."""

    clerk: Clerk
    app: App


@pytest.fixture
def doubly(house: Flask, moments: Moments) -> Doubly:
    clerk, app = make_clerk(house, Role.FINANCE), App(codes.new_secret())
    service.add_second_factor(clerk.email, app.secret, app.code())
    moments.pass_by(STEP)
    return Doubly(clerk, app)


def test_the_password_alone_opens_nothing(doubly: Doubly):
    clerk, app = doubly.clerk, doubly.app
    refused(clerk.get("/me"), 401, "token_revoked")
    with only_changes("operators"):  # each wrong code is counted
        refused(sign_in(clerk.client, clerk.email, code="000000"), 401, "two_factor_invalid")
        refused(sign_in(clerk.client, clerk.email, code=app.code(-2)), 401, "two_factor_invalid")
        refused(sign_in(clerk.client, clerk.email, code="٤٩٢٠٣٩"), 401, "two_factor_invalid")
    with nothing_changes():
        refused(sign_in(clerk.client, clerk.email), 401, "two_factor_required")
        # Who does not know the password is not told that there is more to know.
        refused(sign_in(clerk.client, clerk.email, "wrong"), 401, "invalid_credentials")
        right = sign_in(clerk.client, clerk.email, "wrong", code=app.code())
        refused(right, 401, "invalid_credentials")
    assert sign_in(clerk.client, clerk.email, code=app.code()).status_code == 200


def test_a_code_opens_once(doubly: Doubly):
    clerk, code = doubly.clerk, doubly.app.code()
    assert sign_in(clerk.client, clerk.email, code=code).status_code == 200
    with only_changes("operators"):
        refused(sign_in(clerk.client, clerk.email, code=code), 401, "two_factor_invalid")
        earlier = doubly.app.code(-1)
        refused(sign_in(clerk.client, clerk.email, code=earlier), 401, "two_factor_invalid")


def test_of_many_at_once_with_one_code_one_is_let_in(open_house: OpenHouse):
    clerk, app = make_clerk(open_house.app, Role.FINANCE), App(codes.new_secret())
    # Set up with the code of the step before: this one's is still good.
    service.add_second_factor(clerk.email, app.secret, app.code(-1))
    code = app.code()

    def enters() -> str:
        try:
            service.sign_in(email=clerk.email, password=PASSWORD, address="here", code=code)
        except Unauthenticated as refusal:
            return refusal.code
        return "in"

    ends = open_house.inside_at_once([enters] * 6)
    assert sorted(ends) == ["in", *["two_factor_invalid"] * 5]


def test_guessed_codes_shut_the_door(doubly: Doubly, rates: Callable[..., None]):
    clerk = doubly.clerk
    rates(login="2 per minute")
    for _ in range(2):
        refused(sign_in(clerk.client, clerk.email, code="000000"), 401, "two_factor_invalid")
    right = sign_in(clerk.client, clerk.email, code=doubly.app.code())
    refused(right, 429, "rate_limited")


def guessed(clerk: Clerk, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated) as wrong:
            service.sign_in(email=clerk.email, password=PASSWORD, address="away", code="000000")
        assert wrong.value.code == "two_factor_invalid"


def test_five_wrong_codes_in_five_minutes_are_enough_at_every_door(
    house: Flask, doubly: Doubly, moments: Moments
):
    clerk, app = doubly.clerk, doubly.app
    with only_changes("operators"):
        guessed(clerk, 5)
    words = ["ops", "payouts", "decide", "cnone", "--as", clerk.email, "--password", PASSWORD]
    with nothing_changes():
        right = sign_in(clerk.client, clerk.email, code=app.code())
        refused(right, 429, "rate_limited")
        args = [*words, "--reason", "known payee", "--code", app.code()]
        done = house.test_cli_runner().invoke(args=args)
        assert (done.exit_code, "Too many wrong codes" in done.output) == (1, True)
    assert 290 <= int(right.headers["Retry-After"]) <= 301
    moments.pass_by(301)
    assert sign_in(clerk.client, clerk.email, code=app.code()).status_code == 200


def test_a_terminals_wrong_codes_are_counted_too(house: Flask, doubly: Doubly):
    words = ["ops", "payouts", "decide", "cnone", "--as", doubly.clerk.email]
    words += ["--password", PASSWORD, "--reason", "known payee", "--code", "000000"]
    with only_changes("operators"):
        wrong = house.test_cli_runner().invoke(args=words)
    assert (wrong.exit_code, "The code is wrong" in wrong.output) == (1, True)
    guessed(doubly.clerk, 4)
    refused(sign_in(doubly.clerk.client, doubly.clerk.email, code="000000"), 429, "rate_limited")


class TestShutForTheDay:
    """Twenty wrong codes: whoever has the shell lets in who was shut out."""

    @pytest.fixture
    def shut(self, doubly: Doubly, moments: Moments) -> Doubly:
        for _ in range(4):
            guessed(doubly.clerk, 5)
            moments.pass_by(301)
        return doubly

    def test_their_owner_is_told_once(self, shut: Doubly, moments: Moments):
        assert letters(shut.clerk.email) == ["operator_two_factor_guessed"]
        for _ in range(2):
            with nothing_changes():
                right = sign_in(shut.clerk.client, shut.clerk.email, code=shut.app.code())
                refused(right, 429, "rate_limited")
            moments.pass_by(11 * 3600)
        moments.pass_by(2 * 3600)
        entered = sign_in(shut.clerk.client, shut.clerk.email, code=shut.app.code())
        assert entered.status_code == 200

    def test_another_password_opens_it_and_the_one_who_guessed_stays_outside(self, shut: Doubly):
        clerk, another = shut.clerk, f"another {PASSWORD}"
        service.set_password(clerk.email, another)
        with nothing_changes():
            refused(sign_in(clerk.client, clerk.email, code="000000"), 401, "invalid_credentials")
        entered = sign_in(clerk.client, clerk.email, another, code=shut.app.code())
        assert entered.status_code == 200

    def test_another_app_opens_it(self, shut: Doubly, moments: Moments):
        clerk, app = shut.clerk, App(codes.new_secret())
        service.add_second_factor(clerk.email, app.secret, app.code())
        moments.pass_by(STEP)
        assert sign_in(clerk.client, clerk.email, code=app.code()).status_code == 200

    def test_no_app_any_more_opens_it(self, shut: Doubly):
        service.remove_second_factor(shut.clerk.email)
        assert sign_in(shut.clerk.client, shut.clerk.email).status_code == 200


def test_the_secret_is_readable_nowhere(doubly: Doubly):
    kept = db.session.execute(text("SELECT operators::text FROM operators"))
    assert all(doubly.app.secret not in row for row in kept.scalars())
    assert all(doubly.app.secret not in str(entry.after) for entry in audit.entries())


def test_a_large_payout_is_decided_with_a_code(house: Flask, alice: Actor, doubly: Doubly):
    threshold.bind(Usdc.parse("100"))
    try:
        waiting = accepted(alice, "200")
    finally:
        threshold.bind(None)
    words = ["ops", "payouts", "decide", waiting, "--as", doubly.clerk.email]
    words += ["--password", PASSWORD, "--reason", "known payee"]
    runner = house.test_cli_runner()
    with nothing_changes():
        without = runner.invoke(args=words)
        assert (without.exit_code, "a code of your app" in without.output) == (1, True)
    code = doubly.app.code()
    assert runner.invoke(args=[*words, "--code", code]).exit_code == 0


class TestCommands:
    """`flask operators second-factor`."""

    def run(self, house: Flask, *words: str, typed: str = "") -> Any:
        args = ["operators", "second-factor", *words, "--reason", "a new phone"]
        return house.test_cli_runner().invoke(args=args, input=typed)

    def test_an_app_is_asked_for_its_first_code(
        self, house: Flask, monkeypatch: pytest.MonkeyPatch
    ):
        clerk, app = make_clerk(house, Role.SUPPORT), App(codes.new_secret())
        monkeypatch.setattr(codes, "new_secret", lambda: app.secret)
        with nothing_changes():
            wrong = self.run(house, clerk.email, typed="000000\n")
            assert (wrong.exit_code, "The code is wrong" in wrong.output) == (1, True)
        assert clerk.get("/me").status_code == 200
        done = self.run(house, clerk.email, typed=f"{app.code()}\n")
        assert done.exit_code == 0, done.output
        assert f"otpauth://totp/ProtonPay:{clerk.email.replace('@', '%40')}" in done.output
        refused(clerk.get("/me"), 401, "token_revoked")
        refused(sign_in(clerk.client, clerk.email), 401, "two_factor_required")
        assert self.run(house, clerk.email, "--remove").exit_code == 0
        assert sign_in(clerk.client, clerk.email).status_code == 200
        acts = [entry.action for entry in audit.entries(subject=f"operator {clerk.email}")]
        assert acts == ["operators.second-factor-removed", "operators.second-factor"]

    def test_nobody_has_none(self, house: Flask):
        with nothing_changes():
            gone = self.run(house, "nobody@house.example")
        assert (gone.exit_code, "no such operator" in gone.output) == (1, True)
