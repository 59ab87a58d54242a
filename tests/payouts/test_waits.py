"""Why a payout waits: told to its owner in few words, to operators in full, and shouted in time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from protonpay.chains.port import NotReady
from protonpay.kernel import clock
from protonpay.payouts import signing, waits
from protonpay.rails import service as rails
from protonpay.store.jobs import Later
from tests.actors import Actor
from tests.payouts.fake_chain import LANDED, LOST, FakeChain
from tests.payouts.orders import (
    SILENT,
    accepted,
    broadcast,
    confirm,
    only_waits,
    put,
    sent,
    sign,
    stored,
)
from tests.unchanged import nothing_changes

BOUND = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _bound() -> Iterator[None]:
    before = waits.alarm.after
    waits.alarm.bind(int(BOUND.total_seconds()))
    yield
    waits.alarm.after = before


def told(actor: Actor, payout_id: str) -> str | None:
    """Return what the owner reads, which is the same wherever it is shown."""
    one = actor.get(f"/client/withdraw/{payout_id}").get_json()["payout"]
    (listed,) = actor.get("/client/withdrawals").get_json()["withdrawals"]
    assert listed == one
    word: str | None = one["waitingFor"]
    return word


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("treasury_short", "liquidity"),
        ("gas_short", "gas"),
        ("fees_high", "network_fees"),
        ("usdc_paused", "usdc_paused"),
        ("wrong_chain", "network"),
        ("a code that nobody has named yet", "network"),
    ],
)
def test_its_owner_reads_what_it_waits_for(alice: Actor, base: FakeChain, code: str, word: str):
    payout_id = accepted(alice)
    base.plan("read_terms", NotReady(code, "not now"))

    with only_waits(payout_id, code):
        sign(payout_id)

    assert told(alice, payout_id) == word
    assert word in waits.REASONS


def test_on_the_whole_way(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    assert told(alice, payout_id) == "processing"
    rails.pause("Base", reason="a look", by="olga")
    sign(payout_id)
    assert told(alice, payout_id) == "paused"
    rails.resume("Base", reason="seen", by="olga")
    base.plan("read_terms", SILENT)
    sign(payout_id)
    assert told(alice, payout_id) == "network"
    sign(payout_id)
    assert (stored(payout_id).waits_for, told(alice, payout_id)) == (None, "confirmation")
    broadcast(payout_id)
    base.plan("outcome", LOST)
    confirm(payout_id)
    assert told(alice, payout_id) == "processing", "it is signed anew"
    put(payout_id, "ON_HOLD")
    assert told(alice, payout_id) == "review"
    put(payout_id, "PENDING")
    sent(payout_id)
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert told(alice, payout_id) is None


def test_every_word_is_one_of_the_documents(client):
    document = client.get("/api/openapi.json").get_json()
    member = document["components"]["schemas"]["PayoutView"]["properties"]["waitingFor"]
    assert member["enum"] == [*waits.REASONS, None]


def shouts() -> list[tuple[str, str, int, str]]:
    """Look as the round does; return what was shouted, as the log has it."""
    with capture_logs() as logs:
        waits.alarm.look()
    return [
        (line["network"], line["code"], line["count"], line["total"])
        for line in logs
        if (line["event"], line["log_level"]) == ("payouts_wait_for_liquidity", "error")
    ]


@pytest.mark.parametrize("code", ["treasury_short", "gas_short"])
def test_it_is_shouted_when_the_bound_is_passed_until_the_wallet_is_funded(
    alice: Actor, base: FakeChain, client, code: str
):
    payout_id = accepted(alice)
    base.plan("read_terms", *[NotReady(code, "not now")] * 3)
    began = clock.now()
    with clock.frozen(began):
        assert sign(payout_id) == Later(5, code)
    with clock.frozen(began + BOUND - timedelta(seconds=1)):
        sign(payout_id)
        assert (shouts(), waits.alarm.ringing()) == ([], [])
        assert short_of_liquidity(client) == 0
    with clock.frozen(began + BOUND), nothing_changes():
        sign(payout_id)
        assert shouts() == [("Base", code, 1, "50.00")]
        assert short_of_liquidity(client) == 1

    # Funded: the next try signs it, nobody has to ask for that.
    with clock.frozen(began + BOUND):
        assert signing.sign(payout_id).later is None
        assert (stored(payout_id).state, waits.lines(), shouts()) == ("SIGNED", [], [])
        assert short_of_liquidity(client) == 0


def test_what_no_funds_would_mend_is_not_called_that(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    base.plan("read_terms", NotReady("usdc_paused", "Circle has paused the token"))
    began = clock.now()
    with clock.frozen(began):
        sign(payout_id)
    with clock.frozen(began + 2 * BOUND):
        assert ([line.seconds for line in waits.lines()], shouts()) == ([600], [])


def short_of_liquidity(client) -> int:
    """Return the alarm of Base as it stands on the page of metrics."""
    name = 'protonpay_payouts_short_of_liquidity{network="Base"} '
    lines = client.get("/metrics").get_data(as_text=True).splitlines()
    (line,) = (each for each in lines if each.startswith(name))
    return int(float(line.removeprefix(name)))
