"""Ids: their form, their order, and that nobody guesses or repeats one."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from protonpay.kernel import clock, ids

# Eight base-36 digits of milliseconds last until May 2059.
moments = st.integers(0, 36**8 - 1)


def _made_at(milliseconds: int) -> str:
    with clock.frozen(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)):
        return ids.new_id()


def test_an_id_has_25_characters_and_begins_with_c():
    made = ids.new_id()
    assert re.fullmatch(r"c[0-9a-z]{24}", made)
    assert ids.ID_PATTERN.fullmatch(made)


def test_ids_of_today_begin_with_cm():
    """Decision 8: the contract's ``cm…``."""
    with clock.frozen(datetime(2026, 3, 14, 12, tzinfo=UTC)):
        assert ids.new_id().startswith("cm")


@settings(deadline=None)
@given(moments)
def test_an_id_holds_the_millisecond_it_was_made_in(moment: int):
    assert int(_made_at(moment)[1:9], 36) == moment


@settings(deadline=None)
@given(moments, moments)
def test_ids_sort_by_the_time_they_were_made(one: int, other: int):
    assume(one != other)
    assert (_made_at(one) < _made_at(other)) is (one < other)


def test_ids_of_one_millisecond_differ_and_use_the_whole_alphabet():
    with clock.frozen(datetime(2026, 3, 14, tzinfo=UTC)):
        made = [ids.new_id() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    assert {len(one) for one in made} == {25}
    for place in range(9, 25):
        assert len({one[place] for one in made}) == 36


def test_prefixed_ids_name_what_they_are_of_and_hold_no_dot():
    assert re.fullmatch(r"evt_c[0-9a-z]{24}", ids.new_event_id())
    assert re.fullmatch(r"req_c[0-9a-z]{24}", ids.new_request_id())


def test_a_public_id_avoids_letters_that_people_mix_up():
    made = [ids.new_public_id() for _ in range(2000)]
    assert all(ids.PUBLIC_ID_PATTERN.fullmatch(one) for one in made)
    assert len(set(made)) == len(made)
    used = set("".join(one.removeprefix("PP-") for one in made))
    assert used == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize(
    "text",
    ["", "c", "c1234567", "C12345678", "x12345678", "c1234567\n8", "c" + "1" * 33, "c1234567é"],
)
def test_what_is_no_id_is_not_taken_for_one(text: str):
    assert not ids.ID_PATTERN.fullmatch(text)


@pytest.mark.parametrize(
    "text", ["PP-7K3M9QW", "PP-7K3M9QWDX", "PP-7K3M9QWI", "PP-7k3m9qwd", "pp-7K3M9QWD", "7K3M9QWD"]
)
def test_what_is_no_public_id_is_not_taken_for_one(text: str):
    assert not ids.PUBLIC_ID_PATTERN.fullmatch(text)


def test_a_webhook_secret_carries_32_random_bytes():
    made = {ids.new_webhook_secret() for _ in range(100)}
    assert len(made) == 100
    for secret in made:
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
