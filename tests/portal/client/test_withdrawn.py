"""A withdrawal that was made, at its screen: a timeline, and taken back while that can be."""

import pytest
from flask import Flask

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.payouts import ending
from protonpay.payouts.cancelling import CANCELLED
from protonpay.store.db import db
from tests.actors import Actor, make_actor
from tests.payouts.orders import accepted, stored
from tests.portal.client.reader import Reader, sign_in
from tests.unchanged import nothing_changes


@pytest.fixture
def rich(house: Flask) -> Actor:
    """Somebody with 5,000 USDC."""
    return make_actor(house, "Rich", funded="5000")


@pytest.fixture
def reader(house: Flask, rich: Actor) -> Reader:
    return sign_in(house, rich)


def test_a_withdrawal_is_a_timeline_and_is_taken_back_before_it_is_signed(
    reader: Reader, rich: Actor
):
    one = accepted(rich, "50")
    screen = reader.open(f"/app/withdrawals/{one}")
    steps = ("Asked for", "Approved", "Signed", "Sent to the network", "Confirmed")
    places = [screen.text.index(each) for each in steps]
    assert places == sorted(places)
    assert screen.html.count('<li class="is-done">') == 2
    reader.send(f"/app/withdrawals/{one}/cancel")
    assert "The withdrawal is asked back." in reader.at.text
    assert "it returns once it is sure that it was not sent" in reader.at.text
    assert f"/app/withdrawals/{one}/cancel" not in reader.at.html
    assert rich.held == Usdc.parse("50.05")
    ending.fail_unsigned(one, CANCELLED)  # by whoever would sign it
    assert "all of it is back in your balance" in reader.open(f"/app/withdrawals/{one}").text
    assert (rich.available, rich.held) == (Usdc.parse("5000"), Usdc(0))


def test_what_was_signed_meanwhile_is_not_taken_back(reader: Reader, rich: Actor):
    one = accepted(rich, "50")
    reader.open(f"/app/withdrawals/{one}")
    payout = stored(one)
    payout.state, payout.signed_at, payout.sent_at = "SENT", clock.now(), clock.now()
    db.session.commit()
    with nothing_changes():
        reader.send(f"/app/withdrawals/{one}/cancel")
    assert (reader.status, "can no longer be cancelled" in reader.at.text) == (409, True)
    assert "It will not be sent twice" in reader.at.text
    assert reader.at.html.count('<li class="is-done">') == 4
    assert "Cancel the withdrawal" not in reader.at.text
