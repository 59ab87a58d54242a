"""The screen of activity: its filters are its address; what is wrong stands beside its field."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from protonpay.portal.client import looks
from tests.actors import Actor
from tests.portal.client.reader import Reader, sign_in


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def test_filters_stay_in_the_address_and_in_their_fields(reader: Reader, alice: Actor, bob: Actor):
    """T25: shown again as typed; spans of days and the file keep them."""
    for amount, note in (("12.5", "rent"), ("12.5", "food"), ("30", "rent")):
        body = {"toIdentifier": bob.email, "amount": amount, "note": note}
        assert alice.post("/client/transfer", body).status_code == 200
    reader.open("/app/activity")
    reader.send("/app/activity", q=" rent ", minAmount="12,5", maxAmount="12.5", limit="50")
    assert reader.status == 200
    assert reader.at.html.count("/app/transfers/c") == 1
    assert "food" not in reader.at.text
    fields = reader.at.form("/app/activity").fields
    kept = {name: fields[name] for name in ("q", "minAmount", "maxAmount", "limit")}
    assert kept == {"q": "rent", "minAmount": "12,5", "maxAmount": "12.5", "limit": "50"}
    (today,) = [link for link in reader.at.links if link.startswith("?") and "from=" in link][:1]
    assert "minAmount=12%2C5" in today
    (sheet,) = [link for link in reader.at.links if link.startswith("/app/activity.csv")]
    with reader.client.get(sheet) as answer:
        assert len(answer.get_data(as_text=True).splitlines()) == 2


def test_only_a_list_with_filters_can_be_cleared(reader: Reader):
    """A language is none, and neither is a field that was left empty."""
    for path in ("/app/activity", "/app/invoices", "/app/requests"):
        assert "Clear" not in reader.open(f"{path}?lang=en&from=").text
        assert "Clear" in reader.open(f"{path}?lang=en&from=2026-01-01").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("minAmount=1,250", "Not an exact amount"),
        ("minAmount=2&maxAmount=1", "Must not be less"),
        ("q=x", "Length must be"),
        ("from=31.12.2026", "Not a moment"),
        ("limit=1000", "Must be"),
        ("network=Dogecoin", "Dogecoin"),
        ("status=MAYBE", "Must be one of"),
    ],
)
def test_a_wrong_filter_is_said_beside_it(reader: Reader, query: str, said: str):
    screen = reader.open(f"/app/activity?{query}")
    assert reader.status == 400
    assert "Activity" in screen.text
    assert said in screen.text


def test_a_payment_of_an_invoice_leads_to_the_invoice(reader: Reader, alice: Actor, bob: Actor):
    made = bob.post("/client/invoices", {"amount": 5, "currency": "USDC", "description": "A cup"})
    invoice = made.get_json()["invoice"]["id"]
    assert alice.post(f"/client/invoices/{invoice}/pay", {}).status_code == 200
    screen = reader.open("/app/activity?q=a+cup")
    assert f"/pay/{invoice}" in screen.links
    assert reader.open(f"/pay/{invoice}").text
    assert reader.status == 200


@pytest.mark.parametrize(
    ("typed", "zone", "moment"),
    [
        ("2026-03-29T12:30", "Europe/Moscow", "2026-03-29T09:30:00Z"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),  # the first of two
        ("2026-07-01T00:00", "America/New_York", "2026-07-01T04:00:00Z"),
        ("yesterday", "Europe/Moscow", "yesterday"),
        ("", "Europe/Moscow", ""),
    ],
)
def test_a_moment_is_typed_by_the_clocks_of_a_zone(typed: str, zone: str, moment: str):
    assert looks.moment(typed, ZoneInfo(zone)) == moment


@pytest.mark.parametrize(
    ("today", "spans"),
    [
        (
            date(2026, 3, 29),  # a Sunday
            {
                "Today": ("2026-03-29", "2026-03-29"),
                "This week": ("2026-03-23", "2026-03-29"),
                "This month": ("2026-03-01", "2026-03-29"),
                "Last month": ("2026-02-01", "2026-02-28"),
                "This quarter": ("2026-01-01", "2026-03-29"),
            },
        ),
        (
            date(2028, 1, 1),  # a Saturday, after a December
            {
                "This week": ("2027-12-27", "2028-01-01"),
                "This month": ("2028-01-01", "2028-01-01"),
                "Last month": ("2027-12-01", "2027-12-31"),
                "This quarter": ("2028-01-01", "2028-01-01"),
            },
        ),
        (date(2028, 3, 31), {"Last month": ("2028-02-01", "2028-02-29")}),
        (date(2026, 11, 27), {"This quarter": ("2026-10-01", "2026-11-27")}),
    ],
)
def test_spans_of_days(today: date, spans: dict[str, tuple[str, str]]):
    made = {name: (first, last) for name, first, last in looks.presets(today)}
    assert made == made | spans
