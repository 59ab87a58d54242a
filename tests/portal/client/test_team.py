"""Acting for somebody's account from the screens: as far as the role goes, and one's own apart."""

import pytest
from flask import Flask

from tests.actors import Actor
from tests.portal.client.reader import Reader, sign_in
from tests.teams.people import link_to, verify
from tests.unchanged import nothing_changes


def invited(house: Flask, owner: Actor, person: Actor, role: str) -> Reader:
    """Invite somebody from the owner's screen, and accept from theirs."""
    verify(owner, person)
    own = sign_in(house, owner)
    own.open("/app/team")
    own.send("/app/team/invitations", email=person.email, role=role)
    assert "The invitation is on its way." in own.at.text
    reader = sign_in(house, person)
    reader.open(f"/app/join?token={link_to(person.email)}")
    reader.send("/app/join")
    assert "You are a member now." in reader.at.text
    return reader


def test_a_payer_pays_from_the_account_and_has_their_own_security(
    house: Flask, alice: Actor, bob: Actor
):
    reader = invited(house, alice, bob, "payer")
    reader.send("/app/team/act", publicId=alice.public_id)
    assert "You act for Alice." in reader.at.text
    assert "1,000.00 USDC" in reader.at.text
    reader.open(f"/app/transfer/confirm?toIdentifier={bob.email}&amount=5")
    reader.send("/app/transfer")
    assert (str(alice.available), str(bob.available)) == ("995.00", "5.00")
    own = sign_in(house, alice).open("/app/team").text
    assert "What members did" in own, "the owner sees who did it"
    assert "transfer" in own.split("What members did")[-1]
    reader.open("/app/security")
    assert reader.status == 200
    reader.send("/app/team/act", publicId="")
    assert "You act for" not in reader.at.text
    assert "5.00 USDC" in reader.at.text


@pytest.mark.parametrize(("role", "path"), [("viewer", "/app/keys"), ("viewer", "/app/statements")])
def test_what_a_role_may_not_is_a_page_that_says_so(
    house: Flask, alice: Actor, bob: Actor, role: str, path: str
):
    reader = invited(house, alice, bob, role)
    reader.send("/app/team/act", publicId=alice.public_id)
    with nothing_changes():
        reader.open(path)
    assert reader.status == 403
    reader.open(f"/app/transfer/confirm?toIdentifier={bob.email}&amount=5")
    with nothing_changes():
        reader.send("/app/transfer")
    assert reader.status == 403


def test_who_is_no_member_acts_for_nobody_else(house: Flask, alice: Actor, bob: Actor):
    reader = sign_in(house, bob)
    reader.open("/app/team")
    fields = {"csrf_token": reader.at.form("/app/team/invitations").fields["csrf_token"]}
    reader.again("/app/team/act", {**fields, "publicId": alice.public_id})
    assert "You act for" not in reader.open("/app").text


def test_a_member_that_is_removed_sees_nothing_more(house: Flask, alice: Actor, bob: Actor):
    reader = invited(house, alice, bob, "viewer")
    reader.send("/app/team/act", publicId=alice.public_id)
    own = sign_in(house, alice)
    own.open("/app/team")
    (remove,) = [form.action for form in own.at.forms if form.action.endswith("/remove")]
    own.send(remove)
    reader.open("/app")
    assert reader.status == 403
    reader.send("/app/team/act", publicId="")
    assert reader.status == 200


def test_the_link_alone_does_nothing_and_one_that_was_used_says_so(
    house: Flask, alice: Actor, bob: Actor
):
    reader = invited(house, alice, bob, "viewer")
    with nothing_changes():
        reader.open("/app/join?token=nothing-of-ours")
    with nothing_changes():
        reader.send("/app/join")
    assert reader.status == 400
    assert "Ask for a new one." in reader.at.text
    reader.open("/app/team")
    (leave,) = [form.action for form in reader.at.forms if "/leave/" in form.action]
    reader.send(leave)
    assert bob.get("/client/memberships").get_json()["memberships"] == []
