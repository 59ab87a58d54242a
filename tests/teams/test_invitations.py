"""/client/team/invitations and the link of their letters: for one address, once, for a week."""

import hashlib
import re

import pytest
from flask import Flask
from sqlalchemy import select, text

from protonpay.kernel import clock
from protonpay.store.db import db, transaction
from protonpay.teams.models import Invitation
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.mail.letters import letters, waiting
from tests.moments import Moments
from tests.refusals import refused
from tests.teams.people import id_of, invite, join, link_to, member, set_column, verify
from tests.unchanged import nothing_changes

DAY = 24 * 3600


def pending(owner: Actor) -> list[str]:
    rows = owner.get("/client/team/invitations").get_json()["invitations"]
    return [row["email"] for row in rows]


def test_who_is_invited_joins_by_the_link_of_the_letter(firm: Actor, bob: Actor):
    verify(bob)
    made = invite(firm, bob.email, "payer")
    assert (made["email"], made["role"], made["state"]) == (bob.email, "payer", "PENDING")
    assert pending(firm) == [bob.email]

    answer = join(bob, link_to(bob.email))

    joined = answer.get_json()["membership"]
    assert (joined["publicId"], joined["role"]) == (firm.public_id, "payer")
    assert bob.get("/client/memberships").get_json()["memberships"] == [joined]
    (row,) = firm.get("/client/team/members").get_json()["members"]
    assert (row["id"], row["email"], row["role"]) == (joined["id"], bob.email, "payer")
    assert pending(firm) == []
    assert letters(firm.email)[-1] == "team_joined"
    ended = firm.get(f"/client/team/invitations/{made['id']}").get_json()["invitation"]
    assert ended["state"] == "ACCEPTED"


def test_the_token_is_in_the_letter_and_nowhere_else(firm: Actor, bob: Actor):
    made = invite(firm, bob.email, "viewer")
    token = link_to(bob.email)
    assert re.fullmatch(r"[\w-]{43}", token)
    kept = db.session.get_one(Invitation, made["id"])
    assert kept.digest == hashlib.sha256(token.encode()).digest()
    rows = [
        str(db.session.execute(text(f"SELECT * FROM {table}")).all())
        for table in ("invitations", "outbox", "letters", "idempotency_keys")
    ]
    assert token not in "".join(rows)
    assert set(made) == {"id", "email", "role", "state", "createdAt", "sentAt", "expiresAt"}


@pytest.mark.parametrize(
    ("language", "subject", "role"),
    [("en", "Alice invites you", "accountant"), ("ru", "Alice приглашает вас", "бухгалтер")],
)
def test_the_letter_is_in_the_accounts_language(
    firm: Actor, bob: Actor, language: str, subject: str, role: str
):
    set_column(firm, "language", language)
    invite(firm, bob.email, "accountant")
    letter = waiting(bob.email)[-1]
    assert subject in letter.subject
    assert role in letter.text
    assert firm.email in letter.text


def test_a_link_works_once(firm: Actor, bob: Actor):
    verify(bob)
    invite(firm, bob.email, "viewer")
    token = link_to(bob.email)
    assert join(bob, token).status_code == 200
    with nothing_changes():
        refused(join(bob, token), 400, "invalid_link")


def test_a_link_is_over_after_seven_days(firm: Actor, bob: Actor, moments: Moments):
    verify(bob)
    invite(firm, bob.email, "viewer")
    token = link_to(bob.email)
    moments.pass_by(7 * DAY)
    fresh = bob.client.post(
        "/api/auth/login", json={"email": bob.email, "password": "correct horse battery staple"}
    ).get_json()
    with nothing_changes():
        answer = bob.client.post(
            "/api/client/memberships",
            json={"token": token},
            headers={"Authorization": f"Bearer {fresh['token']}"},
        )
        refused(answer, 400, "invalid_link")


@pytest.mark.parametrize("token", ["x", "a" * 43, "a" * 64])
def test_what_was_never_sent_opens_nothing(bob: Actor, token: str):
    verify(bob)
    with nothing_changes():
        refused(join(bob, token), 400, "invalid_link")


def test_a_letter_that_was_forwarded_opens_nothing(firm: Actor, bob: Actor, mallory: Actor):
    verify(bob, mallory)
    invite(firm, bob.email, "admin")
    token = link_to(bob.email)
    with nothing_changes():
        body = refused(join(mallory, token), 403, "invitation_for_another")
        assert bob.email not in str(body)
        refused(join(firm, token), 403, "invitation_for_another")
    assert join(bob, token).status_code == 200, "it is still good for whom it was sent to"


def test_an_address_that_is_not_proved_accepts_nothing(firm: Actor, bob: Actor):
    """Anybody can open an account with an address that is not theirs."""
    invite(firm, bob.email, "admin")
    token = link_to(bob.email)
    with nothing_changes():
        refused(join(bob, token), 403, "invitation_for_another")
    verify(bob)
    assert join(bob, token).status_code == 200


def test_an_address_is_compared_whatever_its_case(firm: Actor, bob: Actor):
    verify(bob)
    invite(firm, bob.email.upper(), "viewer")
    assert join(bob, link_to(bob.email.upper())).status_code == 200


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("standing", "SUSPENDED", "account_suspended"),
        ("withdrawals_frozen_at", "2026-01-01T00:00:00Z", "withdrawals_frozen"),
    ],
)
def test_who_is_stopped_joins_nothing(firm: Actor, bob: Actor, column: str, value: str, code: str):
    verify(bob)
    invite(firm, bob.email, "viewer")
    set_column(bob, column, value)
    with nothing_changes():
        refused(join(bob, link_to(bob.email)), 403, code)


def test_nobody_joins_an_account_that_is_suspended(firm: Actor, bob: Actor):
    verify(bob)
    invite(firm, bob.email, "viewer")
    set_column(firm, "standing", "SUSPENDED")
    with nothing_changes():
        refused(join(bob, link_to(bob.email)), 400, "invalid_link")


def test_the_answer_does_not_tell_who_has_an_account(firm: Actor, bob: Actor):
    known = invite(firm, bob.email, "viewer")
    unknown = invite(firm, "nobody@example.com", "viewer")
    assert known.keys() == unknown.keys()
    assert known["state"] == unknown["state"]
    (first,), (second,) = waiting(bob.email)[-1:], waiting("nobody@example.com")
    assert first.subject == second.subject
    assert re.sub("token=.*", "", first.text) == re.sub("token=.*", "", second.text)


def test_another_invitation_of_an_address_voids_the_first(firm: Actor, bob: Actor):
    verify(bob)
    invite(firm, bob.email, "admin")
    first = link_to(bob.email)
    invite(firm, bob.email, "viewer")
    with nothing_changes():
        refused(join(bob, first), 400, "invalid_link")
    assert pending(firm) == [bob.email]
    assert join(bob, link_to(bob.email)).get_json()["membership"]["role"] == "viewer"


def test_a_revoked_invitation_opens_nothing(firm: Actor, bob: Actor):
    verify(bob)
    made = invite(firm, bob.email, "viewer")
    token = link_to(bob.email)
    gone = f"/client/team/invitations/{made['id']}"
    assert firm.call("DELETE", gone).status_code == 204
    with nothing_changes():
        refused(join(bob, token), 400, "invalid_link")
        refused(firm.call("DELETE", gone), 404, "not_found")
        refused(firm.post(f"{gone}/resend"), 404, "not_found")
    assert pending(firm) == []


def test_sending_again_voids_the_older_link_and_begins_a_new_week(
    firm: Actor, bob: Actor, moments: Moments
):
    verify(bob)
    made = invite(firm, bob.email, "viewer")
    first, again = link_to(bob.email), f"/client/team/invitations/{made['id']}/resend"
    moments.pass_by(60)
    sent = firm.post(again).get_json()["invitation"]
    assert sent["id"] == made["id"]
    assert clock.from_text(sent["expiresAt"]) > clock.from_text(made["expiresAt"])
    with nothing_changes():
        refused(join(bob, first), 400, "invalid_link")
    assert join(bob, link_to(bob.email)).status_code == 200


def test_one_invitation_is_sent_five_times_an_hour_at_most(firm: Actor, bob: Actor):
    made = invite(firm, bob.email, "viewer")
    again = f"/client/team/invitations/{made['id']}/resend"
    for _ in range(4):
        assert firm.post(again).status_code == 200
    with nothing_changes():
        answer = firm.post(again)
        refused(answer, 429, "too_many_letters")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    with transaction():
        db.session.execute(text("UPDATE invitations SET sent_at = sent_at - interval '1 hour'"))
    assert firm.post(again).status_code == 200
    assert len(waiting(bob.email)) == 6 + 1, "and the one of registering"


def test_who_is_in_it_is_not_invited_again(house: Flask, firm: Actor):
    acting = member(house, firm, "viewer")
    with nothing_changes():
        for email in (acting.person.email, firm.email, firm.email.upper()):
            order = {"email": email, "role": "payer"}
            refused(firm.post("/client/team/invitations", order), 409, "already_member")


def test_who_has_taken_the_owners_address_is_not_let_in_as_them(firm: Actor, bob: Actor):
    """The owner takes an address that they had invited."""
    invite(firm, bob.email, "viewer")
    token = link_to(bob.email)
    set_column(bob, "email_key", "other@example.com")
    set_column(firm, "email_key", bob.email)
    with nothing_changes():
        refused(join(firm, token), 409, "already_member")


def test_whose_own_address_is_not_proved_invites_nobody(alice: Actor, bob: Actor):
    order = {"email": bob.email, "role": "viewer"}
    with nothing_changes():
        refused(alice.post("/client/team/invitations", order), 403, "email_unverified")


@pytest.mark.parametrize(
    "order",
    [
        {"email": "a@example.com"},
        {"role": "viewer"},
        {"email": "a@example.com", "role": "owner"},
        {"email": "a@example.com", "role": "Viewer"},
        {"email": "not an address", "role": "viewer"},
        {"email": "a@example.com", "role": "viewer", "accountId": "x"},
    ],
)
def test_a_bad_order_invites_nobody(firm: Actor, order: dict[str, str]):
    with nothing_changes():
        refused(firm.post("/client/team/invitations", order), 400, "validation_error")


def test_twenty_wait_at_most(firm: Actor):
    for number in range(20):
        invite(firm, f"p{number}@example.com", "viewer")
    order = {"email": "one-more@example.com", "role": "viewer"}
    with nothing_changes():
        refused(firm.post("/client/team/invitations", order), 429, "too_many_letters")
    with transaction():
        # An hour passes for the letters, and for nobody's token.
        db.session.execute(text("UPDATE invitations SET created_at = created_at - interval '2h'"))
    with nothing_changes():
        refused(firm.post("/client/team/invitations", order), 409, "team_full")


def test_the_same_request_with_its_key_sends_one_letter(firm: Actor, bob: Actor):
    key = {"Idempotency-Key": "invite-bob"}
    first = invite(firm, bob.email, "viewer", headers=key)
    count = len(waiting(bob.email))
    assert invite(firm, bob.email, "viewer", headers=key) == first
    assert len(waiting(bob.email)) == count


def test_a_stranger_sees_and_ends_no_invitation(firm: Actor, bob: Actor, mallory: Actor):
    made = invite(firm, bob.email, "viewer")
    path = f"/client/team/invitations/{made['id']}"
    with nothing_changes():
        refused(mallory.get(path), 404, "not_found")
        refused(mallory.call("DELETE", path), 404, "not_found")
        refused(mallory.post(f"{path}/resend"), 404, "not_found")


def test_an_admin_who_is_removed_leaves_no_way_back(house: Flask, firm: Actor, bob: Actor):
    admin = member(house, firm, "admin")
    verify(bob)
    invite(admin, bob.email, "payer")
    token = link_to(bob.email)
    member_id = id_of(firm, admin.person)
    assert firm.call("DELETE", f"/client/team/members/{member_id}").status_code == 204
    with nothing_changes():
        refused(join(bob, token), 400, "invalid_link")


@pytest.mark.slow
def test_of_eight_at_once_with_one_link_one_joins(open_house: OpenHouse):
    owner, person = make_actor(open_house.app, "Firm"), make_actor(open_house.app, "Anna")
    verify(owner, person)
    invite(owner, person.email, "viewer")
    token = link_to(person.email)

    statuses = open_house.at_once([lambda: join(person, token).status_code] * 8)

    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 400}
    assert len(owner.get("/client/team/members").get_json()["members"]) == 1
    states = db.session.scalars(select(Invitation.state).where(Invitation.account_id == owner.id))
    assert states.all() == ["ACCEPTED"]
