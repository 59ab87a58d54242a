"""Rates from an address: fresh, exact, in our favour, or none at all."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from protonpay.fx.http_rates import HttpRates
from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.kernel.fiat import FiatAmount, Rate
from protonpay.kernel.money import Usdc
from tests.raw_server import answering, http
from tests.simulators import running

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_SECONDS = int(NOON.timestamp())


def table(timestamp: Any = NOON_SECONDS, **rates: Any) -> bytes:
    rates = rates or {"KWD": 0.30695, "EGP": 49.85}
    return http(json.dumps({"timestamp": timestamp, "base": "USD", "rates": rates}).encode())


def refused(source: HttpRates, currency: str = "KWD") -> None:
    with pytest.raises(Unavailable) as caught:
        source.quote(currency)
    assert caught.value.code == "rate_unavailable"
    assert caught.value.retry_after == 30


def test_a_quote_is_the_source_s_rate_with_its_time_and_its_name():
    with answering(table()) as server, clock.frozen(NOON):
        quote = HttpRates(f"{server.url}/latest.json?app_id=secret").quote("KWD")
        assert server.requests[0].startswith(b"GET /latest.json?app_id=secret HTTP/1.1")
    assert (str(quote.rate), quote.source, quote.as_of) == ("0.30695", "127.0.0.1", NOON)


@pytest.mark.parametrize(
    ("said", "rate"),
    [("0.1", "0.1"), ("12045.67", "12045.67"), ("1", "1.0"), ("0.123456781", "0.12345679")],
)
def test_a_rate_is_exact_to_eight_decimals_and_rounded_up_beyond(said, rate):
    body = f'{{"timestamp": {NOON_SECONDS}, "base": "USD", "rates": {{"XXX": {said}}}}}'
    with answering(http(body.encode())) as server, clock.frozen(NOON):
        assert str(HttpRates(server.url).quote("XXX").rate) == rate


@pytest.mark.parametrize(
    ("basis_points", "rate"), [(0, "50.0"), (1, "50.005"), (50, "50.25"), (100, "50.5")]
)
def test_the_spread_makes_the_payer_s_usdc_dearer(basis_points, rate):
    with answering(table(EGP=50)) as server, clock.frozen(NOON):
        quote = HttpRates(server.url, spread_basis_points=basis_points).quote("EGP")
    assert str(quote.rate) == rate
    assert quote.rate.to_usdc(FiatAmount.parse("50.00", "EGP")) <= Usdc.parse("1")


def test_a_spread_is_rounded_up_never_down():
    assert Rate(1).raised(1) == Rate(2)
    assert Rate(10_000).raised(1) == Rate(10_001)


# Age


@pytest.mark.parametrize("age", [0, 60, 900])
def test_a_rate_within_its_age_is_a_rate(age):
    with answering(table(NOON_SECONDS - age)) as server, clock.frozen(NOON):
        assert HttpRates(server.url).quote("KWD").as_of == NOON - timedelta(seconds=age)


@pytest.mark.parametrize("age", [901, 86_400])
def test_an_older_rate_is_none(age):
    with answering(table(NOON_SECONDS - age)) as server, clock.frozen(NOON):
        refused(HttpRates(server.url))


def test_the_age_limit_can_be_set():
    with answering(table(NOON_SECONDS - 3600)) as server, clock.frozen(NOON):
        assert HttpRates(server.url, max_age_seconds=3600).quote("KWD").as_of < NOON
        refused(HttpRates(server.url, max_age_seconds=3599))


def test_a_rate_from_a_little_ahead_is_a_clock_that_differs_and_from_further_is_none():
    with answering(table(NOON_SECONDS + 60)) as server, clock.frozen(NOON):
        HttpRates(server.url).quote("KWD")
    with answering(table(NOON_SECONDS + 61)) as server, clock.frozen(NOON):
        refused(HttpRates(server.url))


# Nonsense


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        http(b"", "500 Oops"),
        http(b"<html>"),
        http(b"[]"),
        http(b"{}"),
        http(b'{"timestamp": 1, "base": "USD"}'),
        http(json.dumps({"timestamp": NOON_SECONDS, "base": "EUR", "rates": {"KWD": 1}}).encode()),
        http(json.dumps({"timestamp": NOON_SECONDS, "base": "USD", "rates": [1]}).encode()),
        http(json.dumps({"timestamp": NOON_SECONDS, "rates": {"KWD": 1}}).encode()),
        table(None),
        table("now"),
        table({}),
        table().replace(b"200 OK", b"500 Oops"),
        table().replace(b"200 OK", b"302 Found"),
        table(-5),
        table(10**30),
        table(float(NOON_SECONDS)),
        http(b'{"timestamp": NaN, "base": "USD", "rates": {}}'),
    ],
)
def test_a_source_that_cannot_be_read_gives_no_rate(answer):
    with answering(answer) as server, clock.frozen(NOON):
        refused(HttpRates(server.url))


@pytest.mark.parametrize("rate", [None, 0, -1, True, "0.3", [], {}, 1e-30, 1e30, 10**9])
def test_a_rate_that_cannot_be_is_none_and_spoils_no_other(rate):
    with answering(table(KWD=rate, EGP=49.85)) as server, clock.frozen(NOON):
        source = HttpRates(server.url)
        refused(source, "KWD")
        assert str(source.quote("EGP").rate) == "49.85"


def test_an_error_does_not_show_the_address():
    with answering(http(b"", "500 Oops")) as server, clock.frozen(NOON):
        source = HttpRates(f"{server.url}/latest.json?app_id=secret")
        with pytest.raises(Unavailable) as caught:
            source.quote("KWD")
    assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r}"


# Keeping


def test_a_document_serves_for_a_while_and_is_then_fetched_again():
    with answering(table(KWD=0.3), table(KWD=0.31)) as server:
        source = HttpRates(server.url)
        with clock.frozen(NOON):
            assert [str(source.quote("KWD").rate) for _ in range(5)] == ["0.3"] * 5
        with clock.frozen(NOON + timedelta(seconds=30)):
            assert str(source.quote("KWD").rate) == "0.31"
        assert len(server.requests) == 2


def test_what_was_read_serves_while_the_source_is_silent_and_not_beyond_its_age():
    with answering(table(), http(b"", "503 Busy")) as server:
        source = HttpRates(server.url)
        for seconds in (0, 60, 600, 900):
            with clock.frozen(NOON + timedelta(seconds=seconds)):
                assert source.quote("KWD").as_of == NOON
        with clock.frozen(NOON + timedelta(seconds=901)):
            refused(source)


def test_a_source_that_fails_is_left_in_peace_and_asked_again_later():
    with answering(http(b"", "503 Busy"), table()) as server:
        source = HttpRates(server.url)
        with clock.frozen(NOON):
            for _ in range(5):
                refused(source)
            assert len(server.requests) == 1
        with clock.frozen(NOON + timedelta(seconds=30)):
            source.quote("KWD")
        assert len(server.requests) == 2


def test_many_at_once_ask_once():
    with answering(table()) as server, clock.frozen(NOON), ThreadPoolExecutor(16) as pool:
        source = HttpRates(server.url)
        assert len(set(pool.map(source.quote, ["KWD"] * 64))) == 1
        assert len(server.requests) == 1


# The simulator


@pytest.mark.slow
def test_the_simulated_source_gives_every_currency_we_take_and_obeys_its_levers():
    with running("protonpay.sandbox.rates") as simulator:
        url = f"{simulator.url}/latest.json"
        for currency in ("KWD", "EGP", "RUB", "KZT", "UZS", "KGS"):
            assert HttpRates(url).quote(currency).source == "127.0.0.1"
        simulator.pull("rates", KWD="0.31", EGP=None)
        assert str(HttpRates(url).quote("KWD").rate) == "0.31"
        refused(HttpRates(url), "EGP")
        simulator.pull("faults", fault="status", status=500)
        refused(HttpRates(url), "KWD")
        simulator.pull("age", seconds=1000)
        refused(HttpRates(url), "KWD")
        assert HttpRates(url, max_age_seconds=1010).quote("KWD").rate == Rate.parse("0.31")
