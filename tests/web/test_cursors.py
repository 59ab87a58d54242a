"""A cursor is good for the list, the caller and the filters it was made for (API reference §8)."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protonpay.kernel.errors import Invalid
from protonpay.store.lists import Position
from protonpay.web.paging import Cursors
from tests.actors import Actor
from tests.refusals import refused

SCOPE = {"list": "activity", "user": "cmaaaaaaaa"}
AT = Position(datetime(2026, 3, 14, 12, 0, 0, 123456, UTC), "cmbbbbbbbb")


@pytest.fixture
def cursors() -> Cursors:
    made = Cursors()
    made.bind("a secret key of this test's own, long enough")
    return made


@given(micros=st.integers(0, 2**52))
def test_a_position_comes_back_to_the_microsecond(micros: int):
    cursors = Cursors()
    cursors.bind("key")
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    position = Position(moment, "cmbbbbbbbb")

    assert cursors.read(cursors.make(position, SCOPE), SCOPE) == position


@pytest.mark.parametrize(
    "scope",
    [
        {"list": "activity", "user": "cmcccccccc"},
        {"list": "invoices", "user": "cmaaaaaaaa"},
        {**SCOPE, "type": "DEPOSIT"},
        {},
    ],
    ids=str,
)
def test_a_cursor_of_another_list_caller_or_filter_is_refused(cursors: Cursors, scope: dict):
    with pytest.raises(Invalid, match="invalid_cursor"):
        cursors.read(cursors.make(AT, SCOPE), scope)


def test_the_order_in_which_filters_are_named_means_nothing(cursors: Cursors):
    cursor = cursors.make(AT, SCOPE)

    assert cursors.read(cursor, dict(reversed(SCOPE.items()))) == AT


def test_a_cursor_of_another_installation_is_refused(cursors: Cursors):
    other = Cursors()
    other.bind("another secret key, long enough as well")

    with pytest.raises(Invalid, match="invalid_cursor"):
        cursors.read(other.make(AT, SCOPE), SCOPE)


@pytest.mark.checklist(91)
def test_no_altered_character_passes(cursors: Cursors):
    cursor = cursors.make(AT, SCOPE)

    for position, character in enumerate(cursor):
        for other in ("A", "b", "0", ".", "-", "é"):
            if other != character:
                altered = cursor[:position] + other + cursor[position + 1 :]
                with pytest.raises(Invalid, match="invalid_cursor"):
                    cursors.read(altered, SCOPE)
    for altered in (cursor[1:], cursor[:-1], f"{cursor}=", f"{cursor}.x", f" {cursor}", cursor * 2):
        with pytest.raises(Invalid, match="invalid_cursor"):
            cursors.read(altered, SCOPE)


@given(st.text(max_size=60))
def test_no_text_is_anything_but_refused(text: str):
    cursors = Cursors()
    cursors.bind("key")
    with pytest.raises(Invalid, match="invalid_cursor"):
        cursors.read(text, SCOPE)


def _page(actor: Actor, **query: str):
    return actor.get("/client/activity", query_string=query)


@pytest.fixture
def history(alice: Actor, bob: Actor) -> str:
    """Three transfers from Alice to Bob; returns her cursor after the first page of one."""
    for amount in (1, 2, 3):
        alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": amount})
    cursor = _page(alice, limit="1").get_json()["nextCursor"]
    assert isinstance(cursor, str)
    return cursor


def test_a_cursor_says_nothing_but_a_position(history: str):
    text = history.partition(".")[0]
    micros, row_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

    assert isinstance(micros, int)
    assert row_id.startswith("c")


def test_a_cursor_may_be_used_with_another_limit(alice: Actor, history: str):
    page = _page(alice, cursor=history, limit="2").get_json()

    assert [line["amount"] for line in page["activity"]] == ["2.00", "1.00"]


@pytest.mark.checklist(91)
def test_somebody_elses_cursor_is_refused(bob: Actor, mallory: Actor, history: str):
    for stranger in (bob, mallory):
        refused(_page(stranger, cursor=history), 400, "invalid_cursor")


@pytest.mark.parametrize("cursor", ["x", ".", "..", "W10.x", "null", "é.ü", "%00", " ", "0"])
def test_what_is_no_cursor_is_refused(alice: Actor, cursor: str):
    refused(_page(alice, cursor=cursor), 400, "invalid_cursor")


@pytest.mark.checklist(91)
@pytest.mark.parametrize("cursor", ["x" * 513, "x" * 10_000, "a\0b", ""])
def test_what_is_no_text_of_a_cursor_is_refused(alice: Actor, cursor: str):
    body = refused(_page(alice, cursor=cursor), 400, "validation_error")

    assert list(body["errors"]["query"]) == ["cursor"]


@pytest.mark.checklist(91)
@pytest.mark.parametrize(
    "limit", ["0", "-1", "101", "1e9", "abc", "1_0", " 7", "\u0667", "1.0", "", "true", "9" * 40]
)
def test_a_limit_is_1_to_100(alice: Actor, limit: str):
    body = refused(_page(alice, limit=limit), 400, "validation_error")

    assert list(body["errors"]["query"]) == ["limit"]


def test_the_ends_of_the_limit_are_taken(alice: Actor):
    for limit in ("1", "100"):
        assert _page(alice, limit=limit).status_code == 200


@pytest.mark.parametrize(
    "name", ["Limit", "Type", "userId", "offset", "page", "limit[]", "é", "a\0"]
)
def test_an_unknown_parameter_is_named(alice: Actor, name: str):
    """webargs drops what it does not know (library-pitfalls §1)."""
    body = refused(_page(alice, **{name: "1"}), 400, "validation_error")

    assert body["errors"] == {"query": {name: ["Unknown field."]}}


@pytest.mark.parametrize("path", ["/client/balance", "/client/dashboard", "/client/fees"])
def test_a_parameter_nobody_reads_is_refused(alice: Actor, path: str):
    body = refused(alice.get(path, query_string={"userId": "B"}), 400, "validation_error")

    assert body["errors"] == {"query": {"userId": ["Unknown field."]}}


def test_a_write_reads_no_query(alice: Actor, bob: Actor):
    order = {"toIdentifier": bob.email, "amount": 1}

    refused(
        alice.post("/client/transfer", order, query_string={"amount": "5"}),
        400,
        "validation_error",
    )
    assert bob.available.micro == 0


@pytest.mark.checklist(93)
def test_a_parameter_given_twice_has_no_one_meaning(alice: Actor):
    for query in ("limit=1&limit=2", "limit=1&limit=1", "cursor=a&cursor=b"):
        body = refused(alice.get(f"/client/activity?{query}"), 400, "validation_error")
        name = query.partition("=")[0]
        assert body["errors"] == {"query": {name: ["Given more than once."]}}
