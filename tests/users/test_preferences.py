"""Language and time zone of an account."""

from datetime import UTC, datetime
from typing import Any

import pytest

from protonpay.kernel import zones
from protonpay.users import service as users
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

PATH = "/client/preferences"


def _prefer(actor: Actor, **change: Any) -> dict[str, str]:
    answer = actor.call("PATCH", PATH, json=change)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told: dict[str, str] = answer.get_json()["preferences"]
    return told


def test_an_account_begins_in_utc_and_in_the_language_it_was_opened_in(alice: Actor):
    assert alice.get(PATH).get_json() == {"preferences": {"language": "en", "timeZone": "UTC"}}


def test_each_is_changed_alone_and_both_together(alice: Actor, bob: Actor):
    with only_changes("users"):
        told = _prefer(alice, timeZone="America/Argentina/Buenos_Aires")
    assert told == {"language": "en", "timeZone": "America/Argentina/Buenos_Aires"}
    assert _prefer(alice, language="ru")["timeZone"] == "America/Argentina/Buenos_Aires"
    told = _prefer(alice, language="en", timeZone="Etc/GMT+1")
    assert told == alice.get(PATH).get_json()["preferences"]
    assert told == {"language": "en", "timeZone": "Etc/GMT+1"}
    assert bob.get(PATH).get_json()["preferences"]["timeZone"] == "UTC"
    assert str(users.time_zone(alice.id)) == "Etc/GMT+1"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Dubai",
        "asia/dubai",
        "Asia/Dubai ",
        "UTC+4",
        "+04:00",
        "Factory",
        "localtime",
        "../../etc/passwd",
        "/etc/localtime",
        "posix/Asia/Dubai",
        "Asia",
        "zone.tab",
        "x" * 65,
        4,
        None,
    ],
)
def test_what_is_no_zone_is_400_and_nothing_changes(alice: Actor, name: Any):
    with nothing_changes():
        body = refused(
            alice.call("PATCH", PATH, json={"language": "ru", "timeZone": name}),
            400,
            "validation_error",
        )
    assert list(body["errors"]["json"]) == ["timeZone"]


@pytest.mark.parametrize("change", [{"language": "de"}, {"language": None}, {"zone": "UTC"}])
def test_what_is_no_language_or_unknown_is_400(alice: Actor, change: dict[str, Any]):
    with nothing_changes():
        refused(alice.call("PATCH", PATH, json=change), 400, "validation_error")


def test_every_name_is_a_zone():
    assert {"UTC", "Asia/Dubai", "Europe/Moscow", "Asia/Kathmandu"} <= zones.NAMES
    for name in zones.NAMES:
        assert zones.to_text(datetime(2026, 3, 14, tzinfo=UTC), zones.zone(name)).startswith("2026")


@pytest.mark.parametrize(
    ("name", "year", "month", "begins"),
    [
        ("UTC", 2026, 3, "2026-03-01T00:00:00+00:00"),
        ("Asia/Kathmandu", 2026, 3, "2026-02-28T18:15:00+00:00"),
        ("America/New_York", 2026, 12, "2026-12-01T05:00:00+00:00"),
        # The clock jumped from 0:00 to 1:00: the day began with the jump.
        ("America/Asuncion", 2017, 10, "2017-10-01T04:00:00+00:00"),
        # Samoa had no 30 December 2011; it was half a day east of the date line from then on.
        ("Pacific/Apia", 2012, 1, "2011-12-31T10:00:00+00:00"),
    ],
)
def test_a_month_begins_where_its_first_day_does(name: str, year: int, month: int, begins: str):
    assert zones.midnight(year, month, zones.zone(name)).isoformat() == begins
