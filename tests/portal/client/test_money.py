"""Money moved from the screens: once, previewed, refused beside the field, nothing lost."""

import csv
import io
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from protonpay.kernel.money import Usdc
from protonpay.portal import words
from protonpay.portal.client import figures, looks
from protonpay.portal.client.forms import amount
from protonpay.store.db import db, transaction
from protonpay.transfers.models import Transfer
from protonpay.users import service as users
from tests.actors import PASSWORD, Actor, make_actor
from tests.payouts.orders import WALLETS
from tests.portal.client.reader import Reader, sign_in
from tests.unchanged import nothing_changes


@pytest.fixture
def rich(house: Flask) -> Actor:
    """Somebody with 5,000 USDC."""
    return make_actor(house, "Rich", funded="5000")


@pytest.fixture
def reader(house: Flask, rich: Actor) -> Reader:
    return sign_in(house, rich)


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Transfer)) or 0


def test_a_transfer_is_shown_then_made_once(reader: Reader, rich: Actor, bob: Actor):
    """T24: by e-mail and by public id."""
    for to in (bob.email, bob.public_id):
        reader.open("/app/transfer")
        reader.send("/app/transfer/confirm", toIdentifier=to, amount="1 250,00", note="Обед <b>")
        assert "1,250.00 USDC" in reader.at.text
        left = f"{rich.available.micro // 1_000_000 - 1250:,}.00"
        assert f"Balance after it {left} USDC" in reader.at.text
        assert "Transfer 1,250.00 USDC" in reader.at.text
        fields = dict(reader.at.form("/app/transfer").fields)
        places = {reader.again("/app/transfer", fields).headers["Location"] for _ in range(2)}
        assert len(places) == 1
        receipt = reader.open(places.pop())
        assert "Обед <b>" in receipt.text
        assert "1,250.00 USDC" in receipt.text
    assert bob.available == Usdc.parse("2500")
    assert count() == 2


def test_the_masked_name_stands_beside_a_public_id(reader: Reader, bob: Actor):
    """Of an address none does, and the page is the same as of one that has no account."""
    call = "/api/client/transfer/payee"
    screen = reader.open(f"/app/transfer/confirm?toIdentifier={bob.public_id}&amount=5")
    assert f"To {bob.public_id} B… The first letters of the name." in screen.text
    assert call in screen.html
    assert (
        f"{bob.public_id} B… Первые буквы имени."
        in reader.open(f"/app/transfer/confirm?toIdentifier={bob.public_id}&amount=5&lang=ru").text
    )
    pages = []
    for to in (bob.email, "nobody@example.com"):
        screen = reader.open(f"/app/transfer/confirm?toIdentifier={to}&amount=5&lang=en")
        assert call in screen.html
        pages.append(screen.text.replace(to, "…@…"))
    assert "The first letters" not in pages[0]
    assert pages[0] == pages[1]


def test_who_may_not_send_sees_the_step_without_a_name(
    house: Flask, reader: Reader, rich: Actor, bob: Actor
):
    """What is wrong with the account is for the transfer to say."""
    with transaction():
        users.freeze_withdrawals(users.lock(rich.id))
    screen = reader.open(f"/app/transfer/confirm?toIdentifier={bob.public_id}&amount=5")
    assert (reader.status, "The first letters" in screen.text) == (200, False)
    with nothing_changes():
        reader.send("/app/transfer")
    assert reader.status == 403


@pytest.mark.parametrize("amount", ["999999999", "1,250", "-1", ""])
def test_what_leaves_no_balance_is_not_reckoned(reader: Reader, bob: Actor, amount: str):
    reader.open(f"/app/transfer/confirm?toIdentifier={bob.public_id}&amount={amount}")
    assert "Balance after it —" in reader.at.text


@pytest.mark.parametrize("to", ["nobody@example.com", "PP-00000000", "self"])
def test_a_transfer_to_nobody_and_to_oneself(reader: Reader, rich: Actor, to: str):
    """T24: said before it is confirmed, but of an address that has no account."""
    reader.open("/app/transfer")
    to = rich.email if to == "self" else to
    with nothing_changes():
        reader.send("/app/transfer/confirm", toIdentifier=to, amount="5")
        if to == "nobody@example.com":
            assert reader.status == 200
            reader.send("/app/transfer")
    assert reader.status == (400 if to == rich.email else 404)
    assert 'role="alert"' in reader.at.html
    assert reader.at.form("/app/transfer/confirm").fields["toIdentifier"] == to


def test_what_was_typed_comes_back_after_signing_in_anew(
    house: Flask, reader: Reader, rich: Actor, bob: Actor
):
    """T28: a session that ended in the middle of a form."""
    reader.open("/app/transfer")
    reader.send("/app/transfer/confirm", toIdentifier=bob.email, amount="5", note="Lunch")
    rich.call("DELETE", "/client/sessions")
    with nothing_changes():
        reader.send("/app/transfer")
    assert "Sign in to go on" in reader.at.text
    reader.send("/login", email=rich.email, password=PASSWORD)
    fields = reader.at.form("/app/transfer").fields
    assert (fields["toIdentifier"], fields["amount"], fields["note"]) == (bob.email, "5", "Lunch")


def test_filters_stand_in_the_address_and_the_last_day_is_in(reader: Reader, bob: Actor):
    """T25."""
    reader.open("/app/transfer/confirm?toIdentifier=" + bob.email + "&amount=5")
    reader.send("/app/transfer")
    made = reader.at.html.split('datetime="')[1][:10]
    for query, seen in (
        ("type=TRANSFER", True),
        ("type=WITHDRAWAL", False),
        (f"from={made}&to={made}", True),
        ("to=2020-01-01", False),
    ):
        screen = reader.open(f"/app/activity?{query}")
        assert (bob.email in screen.text) is seen, query
    reader.open("/app/activity?from=yesterday")
    assert reader.status == 400


def test_the_file_has_what_the_screen_shows(reader: Reader, bob: Actor):
    """T25: Cyrillic included, and no formula."""
    for number, note in enumerate(("Обед", "=1+1")):
        reader.open(f"/app/transfer/confirm?toIdentifier={bob.email}&amount={number + 1}.5")
        reader.send("/app/transfer", note=note)
    screen = reader.open("/app/activity?type=TRANSFER")
    (link,) = [each for each in screen.links if each.startswith("/app/activity.csv")]
    answer = reader.client.get(link)
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [row["amount"] for row in rows] == ["2.50", "1.50"]
    assert {row["party"] for row in rows} == {bob.email}
    shown = [each for each in screen.words if each.startswith("\u2212")]
    assert shown == ["\u22122.50", "\u22121.50"]


def test_the_drawing_says_what_the_book_says(reader: Reader, rich: Actor, bob: Actor):
    """T29: to the cent, with the fee that left the balance; what is under way is not in it."""
    for amount_ in ("1.5", "2.25"):
        rich.post("/client/transfer", {"toIdentifier": bob.email, "amount": amount_})
    bob.post("/client/transfer", {"toIdentifier": rich.email, "amount": "1"})
    rich.post(
        "/client/withdraw", {"amount": 7, "walletAddress": WALLETS["Base"], "network": "Base"}
    )
    text = reader.open("/app").text
    assert "Money in and out, by day" in text
    assert "3.75" in text
    assert "4.75" not in text
    assert "10.80" not in text


def test_the_drawings_come_of_one_answer(reader: Reader, rich: Actor):
    """T29: the history by day is asked once for both; no rows of activity are added up."""
    shown = reader.open("/app").html
    assert shown.count("/client/balance/history?days=30") == 1
    assert "/client/activity" not in shown
    assert shown.count('class="chart-hit"') == figures.DAYS, "also of days before the account"
    assert 'aria-current="true">30 days' in shown
    for days in (7, 90):
        shown = reader.open(f"/app?days={days}").html
        assert shown.count(f"/client/balance/history?days={days}") == 1
        assert shown.count('class="chart-hit"') == days
        assert f'aria-current="true">{days} days' in shown
    assert "90 дней" in reader.open("/app?days=8&lang=ru").text
    assert "history?days=30" in reader.at.html, "another number is the usual one"
    still = {"day": "2026-03-14", "moneyIn": "0.00", "moneyOut": "0.00"}
    empty = figures.in_and_out(words.speaker("en"), [still])
    assert empty.count("There is nothing to draw yet") == 1


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("Asia/Dubai", "2026-01-01", "2025-12-31T20:00:00Z", "2026-01-01T20:00:00Z"),
        ("UTC", "9999-12-31", "9999-12-31T00:00:00Z", "9999-12-31"),
        ("UTC", "31.12.2026", "31.12.2026", "31.12.2026"),
    ],
)
def test_a_day_has_the_hours_it_has(zone: str, day: str, begins: str, ends: str):
    """T25: 23 and 25 when the clocks are changed."""
    assert looks.span({"from": day, "to": day}, ZoneInfo(zone)) == {"from": begins, "to": ends}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("1 250,00", "1250.00"),
        ("1\u00a0250.00", "1250.00"),
        ("1,250.00", "1250.00"),
        ("1,250,000.5", "1250000.5"),
        ("1,250", "1,250"),
        ("1.250,00", "1.250,00"),
        ("1,2,3", "1,2,3"),
        ("", ""),
    ],
)
def test_amounts_as_people_write_them(typed: str, read: str):
    """What may be two numbers is none: the API refuses it (§7)."""
    assert amount(typed) == read
