"""``X-Account``: on whose account a request acts, and who it says has acted."""

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from protonpay.store.db import db, transaction
from protonpay.store.idempotency_rows import IdempotencyKey
from protonpay.teams.models import TeamAct
from tests.actors import Actor
from tests.moments import Moments
from tests.payouts.orders import WALLETS
from tests.refusals import refused
from tests.teams.people import For, member
from tests.two_factor.apps import enabled
from tests.unchanged import nothing_changes

WITHDRAWAL = {"amount": 50, "walletAddress": WALLETS["Base"], "network": "Base"}


def acts(owner: Actor) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = owner.get("/client/team/acts").get_json()["acts"]
    return rows


def test_a_member_acts_on_the_account_and_on_theirs_as_the_header_says(
    house: Flask, firm: Actor, bob: Actor
):
    acting = member(house, firm, "payer")
    sent = acting.post("/client/transfer", {"toIdentifier": bob.email, "amount": 25})
    assert sent.get_json()["newBalance"] == "975.00"
    assert firm.get("/client/balance").get_json()["balanceUsdc"] == "975.00"
    assert bob.get("/client/balance").get_json()["balanceUsdc"] == "25.00"
    assert acting.person.get("/client/balance").get_json()["balanceUsdc"] == "0.00"


@pytest.mark.parametrize(
    "given", ["", "x", "pp-7k3m9qwd", "PP-7K3M9QW", "PP-7K3M9QWDD", "PP-7K3M9QWI", "a" * 5000]
)
def test_what_names_no_account_is_refused(alice: Actor, given: str):
    with nothing_changes():
        answer = alice.get("/client/balance", headers={"X-Account": given})
        refused(answer, 400, "invalid_account")


def test_two_headers_are_no_choice(house: Flask, firm: Actor):
    acting = member(house, firm, "viewer")
    both = [
        ("Authorization", f"Bearer {acting.person.token}"),
        ("X-Account", firm.public_id),
        ("X-Account", acting.person.public_id),
    ]
    answer = acting.person.client.get("/api/client/balance", headers=both)
    refused(answer, 400, "invalid_account")


def test_an_account_that_is_not_there_is_told_as_one_that_is(firm: Actor, mallory: Actor):
    theirs = refused(For(mallory, firm).get("/client/balance"), 403, "not_a_member")
    nobodys = mallory.get("/client/balance", headers={"X-Account": "PP-00000000"})
    told = refused(nobodys, 403, "not_a_member")
    assert theirs["detail"] == told["detail"]


def test_a_member_of_one_account_is_none_of_another(house: Flask, firm: Actor, bob: Actor):
    """Nor of those that the account itself is a member of."""
    acting, further = member(house, firm, "admin"), member(house, bob, "admin", "Ina")
    assert further.get("/client/balance").status_code == 200
    refused(For(acting.person, bob).get("/client/balance"), 403, "not_a_member")
    refused(For(firm, acting.person).get("/client/balance"), 403, "not_a_member")


def test_what_was_done_names_who_did_it(house: Flask, firm: Actor, bob: Actor):
    acting = member(house, firm, "payer")
    sent = acting.post("/client/transfer", {"toIdentifier": bob.email, "amount": 25})
    paid = acting.post("/client/withdraw", WITHDRAWAL)
    firm.post("/client/transfer", {"toIdentifier": bob.email, "amount": 1})
    acting.get("/client/balance")

    newest, first = acts(firm)

    assert (newest["action"], first["action"]) == ("payouts_withdraw", "transfers_transfer")
    assert newest["thingId"] == paid.get_json()["payout"]["id"]
    assert first["thingId"] == sent.get_json()["transfer"]["id"]
    assert first["requestId"] == sent.headers["X-Request-Id"]
    assert {act["email"] for act in (newest, first)} == {acting.person.email}
    assert first["role"] == "payer"


def test_what_was_refused_is_no_act(house: Flask, firm: Actor, bob: Actor):
    acting = member(house, firm, "payer")
    with nothing_changes():
        order = {"toIdentifier": bob.email, "amount": 5000}
        refused(acting.post("/client/transfer", order), 400, "insufficient_balance")
        refused(acting.post("/client/transfer", {}), 400, "validation_error")
    assert acts(firm) == []


def test_what_asks_somebody_outside_is_noted_before(house: Flask, firm: Actor):
    """The provider does not answer: that somebody asked for it stands there all the same."""
    acting = member(house, firm, "payer")
    order = {"amount": 100, "currency": "usd", "provider": "tap"}
    assert acting.post("/client/deposit/card", order).status_code == 503
    assert [act["action"] for act in acts(firm)] == ["deposits_card"]


def test_nobody_changes_what_was_noted(house: Flask, firm: Actor):
    acting = member(house, firm, "admin")
    acting.call("PATCH", "/client/preferences", json={"language": "ru"})
    for change in ("UPDATE team_acts SET role = 'viewer'", "DELETE FROM team_acts"):
        with pytest.raises(DBAPIError), transaction():
            db.session.execute(text(change))
    assert [act["action"] for act in acts(firm)] == ["preferences_prefer"]


def test_each_person_has_idempotency_keys_of_their_own(house: Flask, firm: Actor, bob: Actor):
    one, other = member(house, firm, "payer"), member(house, firm, "payer", "Pia")
    order, key = {"toIdentifier": bob.email, "amount": 10}, {"Idempotency-Key": "order-1"}
    first = one.post("/client/transfer", order, headers=key)
    again = one.post("/client/transfer", order, headers=key)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"

    for who in (other, firm, one.person):
        answer = who.post("/client/transfer", order, headers=key)
        assert "Idempotent-Replayed" not in answer.headers

    assert firm.get("/client/balance").get_json()["balanceUsdc"] == "970.00"
    assert len(acts(firm)) == 2, "a repeated answer is no act"
    kept = select(IdempotencyKey.key).where(IdempotencyKey.account_id == firm.id)
    people = {"order-1", f"order-1 {one.person.id}", f"order-1 {other.person.id}"}
    assert set(db.session.scalars(kept)) == people


def test_a_member_proves_a_second_factor_of_their_own(house: Flask, firm: Actor, moments: Moments):
    acting = member(house, firm, "payer")
    theirs, owners = enabled(acting.person, moments), enabled(firm, moments)
    with nothing_changes():
        refused(acting.post("/client/withdraw", WITHDRAWAL), 401, "two_factor_required")
    wrong = acting.post("/client/withdraw", WITHDRAWAL, headers=owners.headers())
    refused(wrong, 401, "two_factor_invalid")
    assert acts(firm) == []
    answer = acting.post("/client/withdraw", WITHDRAWAL, headers=theirs.headers())
    assert answer.status_code == 200
    assert [act["action"] for act in acts(firm)] == ["payouts_withdraw"]


def test_wrong_codes_are_counted_against_who_sent_them(house: Flask, firm: Actor, moments: Moments):
    acting = member(house, firm, "payer")
    theirs, owners = enabled(acting.person, moments), enabled(firm, moments)
    for _ in range(5):
        sent = acting.post("/client/withdraw", WITHDRAWAL, headers={"X-2FA-Code": "000000"})
        refused(sent, 401, "two_factor_invalid")
    locked = acting.post("/client/withdraw", WITHDRAWAL, headers=theirs.headers())
    refused(locked, 429, "rate_limited")
    assert firm.post("/client/withdraw", WITHDRAWAL, headers=owners.headers()).status_code == 200


def test_a_member_is_no_weaker_door_than_the_owner(house: Flask, firm: Actor, moments: Moments):
    acting = member(house, firm, "payer")
    enabled(firm, moments)
    with nothing_changes():
        refused(acting.post("/client/withdraw", WITHDRAWAL), 403, "second_factor_needed")
    theirs = enabled(acting.person, moments)
    answer = acting.post("/client/withdraw", WITHDRAWAL, headers=theirs.headers())
    assert answer.status_code == 200


def test_a_member_spends_buckets_of_their_own(house: Flask, firm: Actor, rates):
    acting = member(house, firm, "viewer")
    rates(read="2 per minute")
    for _ in range(2):
        assert acting.get("/client/balance").status_code == 200
    refused(acting.get("/client/balance"), 429, "rate_limited")
    assert firm.get("/client/balance").status_code == 200


def test_an_answer_that_is_kept_is_kept_for_one_account(alice: Actor):
    varies = alice.get("/client/fees").headers["Vary"]
    assert {"Authorization", "X-Account"} <= {each.strip() for each in varies.split(",")}


def test_acts_are_for_who_keeps_the_books(house: Flask, firm: Actor):
    accountant, viewer = member(house, firm, "accountant"), member(house, firm, "viewer", "Vera")
    assert accountant.get("/client/team/acts").status_code == 200
    refused(viewer.get("/client/team/acts"), 403, "role_insufficient")
    assert db.session.scalars(select(TeamAct)).all() == []
