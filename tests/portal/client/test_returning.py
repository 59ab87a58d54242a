"""A session ends while a form is filled in: all of it is there again, and nothing is done twice."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.actors import PASSWORD, Actor
from tests.portal.client.reader import Reader, sign_in
from tests.portal.client.test_doors import AN_ID, routes
from tests.portal.client.test_team import invited
from tests.unchanged import nothing_changes

TOLD = "Sign in to go on. What you typed is kept."


def end(actor: Actor) -> None:
    """End all sessions of a person but the one of the test itself."""
    assert actor.call("DELETE", "/client/sessions").status_code == 204


def come_back(reader: Reader, actor: Actor) -> None:
    """Sign in on the page that a form has led to."""
    assert TOLD in reader.at.text
    reader.send("/login", email=actor.email, password=PASSWORD)


@pytest.mark.parametrize(
    ("path", "action", "typed"),
    [
        ("/app/invoices/new", "/app/invoices/new", {"amount": "12,5", "description": "Чай"}),
        ("/app/addresses", "/app/addresses", {"network": "Base", "label": "Treasury"}),
        ("/app/withdraw", "/app/withdraw/amount", {"network": "Base", "amount": "7"}),
        ("/app/team", "/app/team/invitations", {"email": "a@example.com", "role": "payer"}),
    ],
)
def test_what_was_typed_is_there_again(
    house: Flask, alice: Actor, path: str, action: str, typed: dict[str, str]
):
    reader = sign_in(house, alice)
    reader.open(path)
    end(alice)
    with nothing_changes():
        reader.send(action, **typed)
    come_back(reader, alice)
    fields = reader.at.form(action).fields
    assert fields == fields | typed


def test_all_values_of_a_field_are(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    reader.open("/app/keys")
    end(alice)
    reader.send("/app/keys", name="Server", permissions=["balance:read", "transfers:write"])
    come_back(reader, alice)
    for scope in ("balance:read", "transfers:write"):
        assert f'value="{scope}" checked' in reader.at.html


def test_every_form_leads_to_a_page(house: Flask, alice: Actor):
    """Whatever it was, the page after signing in is one that opens."""
    for action in routes(house, "client", "POST"):
        reader = Reader(house)
        to = reader.client.post(action, data={"amount": "1"}).headers["Location"]
        (wanted,) = parse_qs(urlsplit(to).query)["next"]
        page = urlsplit(wanted).path
        assert page in set(routes(house, "client", "GET")), (action, page)
        assert page != "/app", action
        assert AN_ID not in page or page in action, "of the same thing"


def test_no_secret_is_written_into_an_address(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    reader.open("/app/security")
    end(alice)
    fields = reader.at.form("/app/security/password").fields
    secrets = {"password": PASSWORD, "newPassword": "another long one", "code": "123456"}
    answer = reader.again("/app/security/password", fields | secrets)
    to = parse_qs(urlsplit(answer.headers["Location"]).query)["next"]
    assert [urlsplit(each).path for each in to] == ["/app/security"]
    assert set(parse_qs(urlsplit(to[0]).query)) == {"key"}


def test_what_is_too_long_for_an_address_is_left_out(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    reader.open("/app/invoices/new")
    end(alice)
    fields = reader.at.form("/app/invoices/new").fields | {"amount": "3", "description": "Я" * 500}
    to = reader.again("/app/invoices/new", fields).headers["Location"]
    assert len(to) < 4000
    assert parse_qs(urlsplit(parse_qs(urlsplit(to).query)["next"][0]).query)["amount"] == ["3"]


@pytest.mark.parametrize("kind", ["transfer", "withdraw"])
def test_money_goes_once(house: Flask, alice: Actor, bob: Actor, kind: str):
    """The answer was lost, the session ended, and the form was sent again."""
    wallet = "0x52908400098527886E0F7030069857D2E4169EE7"
    asked = {
        "transfer": f"toIdentifier={bob.email}&amount=5",
        "withdraw": f"walletAddress={wallet}&network=Base&amount=5",
    }
    reader = sign_in(house, alice)
    action = f"/app/{kind}"
    reader.open(f"{action}/confirm?{asked[kind]}")
    fields = dict(reader.at.form(action).fields)
    done = reader.again(action, fields).headers["Location"]
    left = str(alice.available)
    end(alice)
    with nothing_changes():
        reader.send(action, **fields)
    come_back(reader, alice)
    assert reader.again(action, dict(reader.at.form(action).fields)).headers["Location"] == done
    assert str(alice.available) == left


def test_who_comes_back_acts_for_whom_they_acted_for(house: Flask, alice: Actor, bob: Actor):
    """What a member sends then does not leave their own account by mistake."""
    reader = invited(house, alice, bob, "payer")
    reader.send("/app/team/act", publicId=alice.public_id)
    reader.open(f"/app/transfer/confirm?toIdentifier={bob.email}&amount=5")
    end(bob)
    with nothing_changes():
        reader.send("/app/transfer")
    come_back(reader, bob)
    assert "You act for Alice." in reader.at.text
    reader.send("/app/transfer")
    assert (str(alice.available), str(bob.available)) == ("995.00", "5.00")


def test_nobody_else_is_shown_what_was_typed(house: Flask, alice: Actor, bob: Actor):
    reader = invited(house, alice, bob, "payer")
    reader.send("/app/team/act", publicId=alice.public_id)
    reader.open("/app/invoices/new")
    end(bob)
    reader.send("/app/invoices/new", amount="77")
    come_back(reader, alice)
    assert "You act for" not in reader.at.text
    assert reader.at.form("/app/invoices/new").fields["amount"] == ""


def test_a_page_that_looks_again_ends_no_sign_in(house: Flask, alice: Actor):
    """Its script asks every few seconds, also while its reader signs in over it."""
    reader = sign_in(house, alice)
    end(alice)
    reader.open("/app/deposit")
    assert reader.client.get("/app/deposit").status_code == 303
    come_back(reader, alice)
    assert reader.status == 200


def test_who_signs_out_acts_for_nobody(house: Flask, alice: Actor, bob: Actor):
    reader = invited(house, alice, bob, "payer")
    reader.send("/app/team/act", publicId=alice.public_id)
    reader.send("/logout")
    reader.send("/login", email=bob.email, password=PASSWORD)
    assert "You act for" not in reader.at.text


def test_a_form_of_before_is_void_for_another_account(house: Flask, alice: Actor, bob: Actor):
    """A page of one's own account, and in another tab one has begun to act for somebody."""
    reader = invited(house, alice, bob, "payer")
    reader.open(f"/app/transfer/confirm?toIdentifier={alice.email}&amount=5")
    fields = dict(reader.at.form("/app/transfer").fields)
    reader.open("/app/team")
    reader.send("/app/team/act", publicId=alice.public_id)
    with nothing_changes():
        assert reader.again("/app/transfer", fields).status_code == 403
