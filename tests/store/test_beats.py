"""Signs of life, and how old they are."""

from datetime import UTC, datetime, timedelta

import pytest

from protonpay.kernel import clock
from protonpay.store import beats
from protonpay.store.queue import door

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("house")


def test_a_queue_is_as_old_as_its_last_beat():
    with clock.frozen(NOON):
        beats.beat("chain")
        beats.beat("cards")
    with clock.frozen(NOON + timedelta(seconds=7)):
        beats.beat("chain")
    with clock.frozen(NOON + timedelta(seconds=10)):
        assert beats.queue_ages() == {"chain": 3, "cards": 10}


def test_a_chain_is_as_far_as_it_was_last_seen():
    with clock.frozen(NOON):
        beats.note_head("Base", latest=100, small=90, finalized=60, finalized_at=1_773_489_500)
    with clock.frozen(NOON + timedelta(seconds=4)):
        assert beats.chain_heads() == {
            "Base": {
                "latest": 100,
                "small": 90,
                "finalized": 60,
                "finalizedAt": 1_773_489_500,
                "seenAt": 1_773_489_600,
                "age": 4,
            }
        }


def test_nobody_was_ever_seen_in_an_empty_redis():
    beats.beat("chain")
    door.client.flushdb()
    assert (beats.queue_ages(), beats.chain_heads()) == ({}, {})
