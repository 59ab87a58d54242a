"""Signing up to the second factor, and what guards an account, from the screens."""

import io
from urllib.parse import quote_plus

import pytest
from flask import Flask

from protonpay.kernel.money import Usdc
from protonpay.portal import words
from protonpay.portal.client import filters
from tests.actors import PASSWORD, Actor
from tests.kyc.papers import PNG
from tests.moments import Moments
from tests.payouts.orders import WALLETS
from tests.plans.test_levels import approved, laddered
from tests.portal.client.reader import Reader, sign_in
from tests.two_factor.apps import STEP, App, enabled
from tests.unchanged import nothing_changes, only_changes


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


def test_from_signing_up_to_the_second_factor(house: Flask, moments: Moments):
    """T20: a recovery code opens once."""
    reader = Reader(house)
    reader.open("/register")
    reader.send("/register", name="Zoë", email="zoe@example.com", password=PASSWORD)
    assert "Set up your account" in reader.at.text
    reader.open("/app/security")
    reader.send("/app/security/2fa/setup", password=PASSWORD)
    secret = reader.at.html.split('data-copies="')[1].split('"')[0]
    app = App(secret)
    reader.send("/app/security/2fa/enable", code=app.code())
    codes = [each for each in reader.at.words if each.count("-") >= 1 and each.strip() == each]
    codes = [each for each in codes if each.replace("-", "").isalnum()]
    assert len(codes) == 10
    assert "It will be taken away" not in reader.open("/app/security").text
    asked = ["users", "reset-2fa", "zoe@example.com", "--reason", "she called"]
    assert house.test_cli_runner().invoke(args=asked).exit_code == 0
    assert "Somebody said that it is lost" in reader.open("/app/security").text
    reader.send("/app/security/2fa/keep")
    assert "The second factor stays." in reader.at.text
    assert "It will be taken away" not in reader.at.text
    reader.open("/app")
    reader.send("/logout")
    moments.pass_by(STEP)

    def second_step(code: str) -> str:
        reader.open("/login")
        reader.send("/login", email="zoe@example.com", password=PASSWORD)
        reader.send("/2fa", code=code)
        return reader.at.text

    assert "Available" in second_step(app.code())
    reader.send("/logout")
    assert "Available" in second_step(codes[0])
    reader.send("/logout")
    assert "Second step" in second_step(codes[0])
    assert reader.status == 401
    assert "Lost your app and your codes?" in reader.at.text
    assert "Потеряны и приложение, и коды?" in reader.open("/2fa?lang=ru").text


def test_wrong_credentials_are_said_and_what_was_typed_stays(house: Flask, alice: Actor):
    reader = Reader(house)
    reader.open("/login")
    with only_changes("failed_sign_ins"):
        reader.send("/login", email=alice.email, password="not the password at all")
    assert reader.status == 401
    assert reader.at.form("/login").fields["email"] == alice.email
    assert reader.at.form("/login").fields["password"] == ""


def test_failed_sign_ins_are_shown_to_who_owns_the_account(house: Flask, alice: Actor):
    stranger = Reader(house)
    reader = sign_in(house, alice)
    assert "None in ninety days." in reader.open("/app/security").text
    for _ in range(3):
        stranger.open("/login")
        stranger.send("/login", email=alice.email, password="not the password at all")
    for path in ("/app/security", "/app/security/sign-ins"):
        said = reader.open(path).text
        assert "The password was wrong. 127.0.0.1" in said
        row = reader.at.html.split("The password was wrong.")[1].split("</tr>")[0]
        assert '<td class="end num">3</td>' in row


def test_a_second_factor_is_asked_before_money_leaves(house: Flask, alice: Actor, moments: Moments):
    app = enabled(alice, moments)
    reader = Reader(house)
    reader.open("/login")
    reader.send("/login", email=alice.email, password=PASSWORD)
    reader.send("/2fa", code=app.code())
    moments.pass_by(STEP)
    reader.open("/app/withdraw")
    wallet = WALLETS["Base"]
    reader.send("/app/withdraw/amount", walletAddress=wallet, network="Base")
    reader.send("/app/withdraw/confirm", amount="10")
    reader.send("/app/withdraw", code="000000")
    assert reader.status == 401
    assert alice.held == Usdc(0)
    reader.send("/app/withdraw", code=f"{app.code()[:3]} {app.code()[3:]}")
    assert "Asked for" in reader.at.text
    assert alice.held == Usdc.parse("10.05")


def test_password_and_sessions(house: Flask, alice: Actor):
    reader, other = sign_in(house, alice), sign_in(house, alice)
    reader.open("/app/security")
    reader.send("/app/security/password", password="wrong", newPassword="another long passphrase")
    assert reader.status >= 400
    changed = "another long passphrase of mine"
    reader.send("/app/security/password", password=PASSWORD, newPassword=changed)
    assert "other sessions have ended" in reader.at.text
    assert "Sign in" in other.open("/app").text
    assert "Available" in sign_in(house, alice, changed).open("/app").text


def test_one_session_is_ended_from_another(house: Flask, alice: Actor):
    reader, other = sign_in(house, alice), sign_in(house, alice)
    reader.open("/app/security")
    assert "Werkzeug Werkzeug/" in reader.at.text
    ends = [form.action for form in reader.at.forms if form.action.endswith("/end")]
    for action in [each for each in ends if each != "/app/security/sessions/end"]:
        reader.open("/app/security")
        reader.send(action)
    assert "Sign in" in other.open("/app").text
    assert "Available" in reader.open("/app").text
    log = reader.open("/app/security/sign-ins").text
    assert log.count("Ended from another session.") == 2, (
        "the other's, and the one that the account was opened with"
    )
    assert "This session" in log
    rows = reader.client.get("/app/security/sign-ins.csv").data.decode().splitlines()
    assert len(rows) == 1 + 3


def test_a_forgotten_password_tells_nothing(house: Flask, alice: Actor):
    texts = []
    for email in (alice.email, "nobody@example.com"):
        reader = Reader(house)
        reader.open("/forgot")
        reader.send("/forgot", email=email)
        texts.append(reader.at.text.replace(email, ""))
    assert texts[0] == texts[1]
    assert "an e-mail with a link is on its way" in texts[0]


def test_the_ladder_of_levels_shows_where_one_stands(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    reader.open("/app/identity")
    assert "What each level allows" not in reader.at.text, "no level raises anything"
    laddered(alice)
    approved(alice, 1)
    reader.open("/app/identity")
    assert "Your level is 1." in reader.at.text
    assert "at most 200 USDC in one withdrawal, 300 USDC in 24 hours" in reader.at.text
    assert "500 USDC" in reader.at.text, "what level 3 would allow"


def test_addresses_policy_and_identity(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    reader.open("/app/addresses")
    wallet = WALLETS["Base"]
    reader.send("/app/addresses", label="Treasury", network="Base", address=wallet)
    assert wallet in reader.at.text
    reader.send("/app/addresses/policy", onlyListed="yes")
    assert "checked" in reader.at.html.split('name="onlyListed"')[1][:30]
    reader.send("/app/wallets/message", network="Base", address=wallet)
    assert "wants you to sign in" in reader.at.text
    reader.send("/app/wallets", signature="0x00")
    assert reader.status >= 400
    reader.open("/app/identity")
    assert "United Arab Emirates" in reader.at.text
    reader.send("/app/identity", fullName="", dateOfBirth="1990-01-01", country="AE")
    assert reader.status == 400
    assert reader.at.form("/app/identity").fields["dateOfBirth"] == "1990-01-01"
    assert reader.at.form("/app/identity").fields["country"] == "AE"
    reader.send(
        "/app/identity",
        fullName="Alice Doe",
        dateOfBirth="1990-01-01",
        country="AE",
        documentNumber="K1",
    )
    assert "It is being reviewed" in reader.at.text


def test_fees_are_reckoned(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    reader.open("/app/fees")
    with nothing_changes():
        reader.send("/app/fees", amount="100", network="Base")
    assert "100.05 USDC" in reader.at.text
    assert "Standard" in reader.at.text
    assert "Between two withdrawals 1 minute" in reader.at.text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "None"), (1, "1 second"), (90, "90 seconds"), (300, "5 minutes"), (7200, "2 hours")],
)
def test_how_long_something_lasts(seconds: int, said: str):
    assert filters.lasting(seconds, words.speaker("en")) == said


def test_preferences_hold_at_once_and_at_the_next_sign_in(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    reader.open("/app/preferences")
    reader.send("/app/preferences", language="ru", timeZone="Europe/Moscow")
    assert "Сохранено." in reader.at.text
    for each in (reader, sign_in(house, alice)):
        assert "\u041c\u0421\u041a" in each.open("/app/security").text
    reader.open("/app/preferences?lang=en")
    with nothing_changes():
        reader.send("/app/preferences", language="en", timeZone="Europe/Atlantis")
    assert reader.status == 400


def test_a_document_is_added_and_taken_back(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    large = PNG.ljust(200_000, b"x")

    def upload(content: bytes, kind: str = "FRONT") -> str:
        reader.open("/app/identity")
        fields = reader.at.form("/app/identity/documents").fields
        fields |= {"kind": kind, "content": (io.BytesIO(content), "passport.png")}
        return reader.client.post("/app/identity/documents", data=fields).get_data(as_text=True)

    with nothing_changes():
        assert 'role="alert"' in upload(b"MZ not a picture")
        assert 'role="alert"' in upload(b"")
    upload(large)
    assert "image/png" in reader.open("/app/identity").text
    (remove,) = [form.action for form in reader.at.forms if form.action.endswith("/remove")]
    reader.send(remove)
    assert "image/png" not in reader.at.text.split("Add the document")[0].split("Documents")[-1]


def test_a_form_that_is_too_long_is_refused(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    fields = reader.open("/app/transfer/confirm").form("/app/transfer").fields
    with nothing_changes():
        answer = reader.client.post("/app/transfer", data={**fields, "note": "x" * 70_000})
    assert answer.status_code == 413


def test_no_secret_and_no_paper_of_a_person_gets_into_an_address(house: Flask, alice: Actor):
    """What is kept while its reader signs in anew is written into the address of the page."""
    reader = sign_in(house, alice)
    screens = {
        "/app/verify": {"secret": "whsec_x", "headers": "webhook-id: x", "body": "{}"},
        "/app/identity": {"fullName": "A B", "dateOfBirth": "1990-01-01", "documentNumber": "K1"},
        "/app/security/password": {"password": PASSWORD, "newPassword": "another passphrase"},
        "/app/join": {"token": "of-a-letter"},
    }
    alice.call("DELETE", "/client/sessions")
    for action, typed in screens.items():
        place = reader.client.post(action, data=typed).headers["Location"]
        assert place.startswith("/login?next=%2Fapp")
        assert not [value for value in typed.values() if quote_plus(quote_plus(value)) in place]
        reader = sign_in(house, alice)
        alice.call("DELETE", "/client/sessions")
