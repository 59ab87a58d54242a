"""Rates that cannot be: refused at the first word, or because they are far from the last one."""

from datetime import timedelta

import pytest

from protonpay.cards import registry
from protonpay.fx import sanity
from protonpay.fx.http_rates import HttpRates
from protonpay.fx.pegs import PEGS
from protonpay.kernel import clock
from protonpay.kernel.fiat import Rate
from tests.fx.test_http_rates import NOON, NOON_SECONDS, refused, table
from tests.raw_server import answering


def test_every_currency_without_a_peg_has_bounds():
    taken = {currency for name in registry.PROVIDERS for currency in registry.currencies(name)}
    assert taken - PEGS.keys() <= sanity.BOUNDS.keys()
    assert not sanity.BOUNDS.keys() & PEGS.keys()


@pytest.mark.parametrize("currency", sanity.BOUNDS)
def test_a_rate_turned_round_or_ten_times_off_is_none(currency: str):
    lowest, highest = sanity.BOUNDS[currency]
    for possible in (lowest, highest):
        assert sanity.is_possible(currency, possible)
    for scaled in (lowest.scaled - 1, highest.scaled + 1, 1, 10**15):
        assert not sanity.is_possible(currency, Rate(scaled))


@pytest.mark.parametrize("said", [3.26, 0.0307, 30.695, 0, -0.3, None])
def test_an_impossible_rate_is_refused_at_the_first_word(said):
    with answering(table(KWD=said)) as server, clock.frozen(NOON):
        refused(HttpRates(server.url))


@pytest.mark.parametrize(
    ("after", "believed"),
    [(57.5, True), (42.5, True), (57.51, False), (42.49, False), (250, False)],
)
def test_a_jump_beyond_the_bound_is_refused(after, believed):
    later = NOON + timedelta(minutes=1)
    said = table(NOON_SECONDS, EGP=50), table(NOON_SECONDS + 60, EGP=after)
    with answering(*said) as server:
        source = HttpRates(server.url)
        with clock.frozen(NOON):
            source.quote("EGP")
        with clock.frozen(later):
            if believed:
                assert source.quote("EGP").rate == Rate.parse(str(after))
            else:
                refused(source, "EGP")


def test_a_jump_is_measured_from_the_last_rate_that_was_believed():
    said = [table(NOON_SECONDS + 60 * n, EGP=rate) for n, rate in enumerate((50, 90, 91, 51))]
    with answering(*said) as server:
        source = HttpRates(server.url)
        ends = []
        for n in range(4):
            with clock.frozen(NOON + timedelta(minutes=n)):
                if n in (1, 2):
                    refused(source, "EGP")
                else:
                    ends.append(str(source.quote("EGP").rate))
    assert ends == ["50.0", "51.0"]


def test_what_is_said_for_longer_than_a_day_is_the_price():
    day = int(sanity.KNOWN_FOR.total_seconds())
    said = table(NOON_SECONDS, EGP=31), table(NOON_SECONDS + day, EGP=50)
    with answering(*said, table(NOON_SECONDS + day + 60, EGP=50)) as server:
        source = HttpRates(server.url)
        with clock.frozen(NOON):
            source.quote("EGP")
        with clock.frozen(NOON + sanity.KNOWN_FOR):
            refused(source, "EGP")
        with clock.frozen(NOON + sanity.KNOWN_FOR + timedelta(minutes=1)):
            assert str(source.quote("EGP").rate) == "50.0"


def test_one_currency_gone_mad_leaves_the_others_alone():
    said = table(NOON_SECONDS, EGP=50, KWD=0.3), table(NOON_SECONDS + 60, EGP=5, KWD=0.31)
    with answering(*said) as server:
        source = HttpRates(server.url)
        with clock.frozen(NOON):
            source.quote("EGP")
            source.quote("KWD")
        with clock.frozen(NOON + timedelta(minutes=1)):
            refused(source, "EGP")
            assert str(source.quote("KWD").rate) == "0.31"
