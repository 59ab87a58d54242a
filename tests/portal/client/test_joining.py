"""/app/join: where the letter of an invitation leads."""

from flask import Flask

from tests.actors import PASSWORD, Actor
from tests.mail.letters import page_of, waiting
from tests.portal.client.reader import Reader, sign_in
from tests.teams.people import invite, link_to, verify
from tests.unchanged import nothing_changes


def test_the_letters_link_leads_through_signing_in_to_a_button_that_accepts(
    house: Flask, alice: Actor, bob: Actor
):
    verify(alice, bob)
    invite(alice, bob.email, "accountant")
    page, token = page_of(waiting(bob.email)[-1]), link_to(bob.email)
    reader = Reader(house)
    reader.open(f"{page}?token={token}")
    assert reader.at.form("/login")
    reader.send("/login", email=bob.email, password=PASSWORD)
    with nothing_changes():
        screen = reader.open(f"{page}?token={token}&lang=ru")
    assert "Принять приглашение" in screen.text
    screen = reader.send("/app/join", token=token)
    assert alice.public_id in screen.text
    assert "Бухгалтер" in screen.text, "the language that was chosen stays"
    (own,) = bob.get("/client/memberships").get_json()["memberships"]

    screen = reader.send(f"/app/join/{own['id']}/leave")

    assert alice.public_id not in screen.text
    assert bob.get("/client/memberships").get_json()["memberships"] == []


def test_a_link_that_was_used_says_so(house: Flask, alice: Actor, bob: Actor):
    reader = sign_in(house, bob)
    reader.open("/app/join?token=nothing-of-ours")
    with nothing_changes():
        screen = reader.send("/app/join", token="nothing-of-ours")
    assert reader.status == 400
    assert "Ask for a new one." in screen.text
