"""Foreign texts: what of them is kept, and what a refusal by status is."""

import pytest

from protonpay.cards.port import CardPayment, CardStatus, KeyRefused, Rejected, plain
from protonpay.cards.refusals import SAYS_NO, refused
from protonpay.kernel.fiat import FiatAmount
from tests.nasty import NASTY


@pytest.mark.parametrize(
    ("foreign", "kept"),
    [
        ("", ""),
        ("505 Insufficient Funds", "505 Insufficient Funds"),
        ("Недостаточно средств", "Недостаточно средств"),
        ("🦊 ünï", "🦊 ünï"),
        ("a\x00b", "a\ufffdb"),
        ("a\r\nb\tc", "a\ufffd\ufffdb\ufffdc"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\ud800", "\ufffd"),
        ("\u202eturned", "\ufffdturned"),
        ("x" * 1000, "x" * 300),
    ],
    ids=ascii,
)
def test_what_steers_is_one_mark_and_the_rest_is_kept(foreign: str, kept: str):
    assert plain(foreign) == kept
    assert plain(kept) == kept


@pytest.mark.parametrize("foreign", [*NASTY, "\x00", "\ud800\udfff"], ids=ascii)
def test_whatever_is_said_can_be_kept_and_shown(foreign: str):
    said = FiatAmount(1, "USD")
    payment = CardPayment(
        "ref", foreign, CardStatus.FAILED, said, live=False, refunded=said, reason=foreign
    )
    for text in (payment.reference, payment.reason or "", Rejected(foreign).reason):
        assert "\x00" not in text
        assert text.encode().decode() == text
        assert text == "" or text.isprintable()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_apart(status: int):
    assert isinstance(refused("tap", status, "2104 bad key"), KeyRefused)


@pytest.mark.parametrize("status", [400, 402, 404, 405, 410, 415, 422, 499])
def test_another_refusal_is_none_of_the_key(status: int):
    said = refused("yookassa", status, "")
    assert (type(said), said.reason) == (Rejected, f"yookassa: {status}")
    assert status in SAYS_NO


@pytest.mark.parametrize("status", [200, 302, 408, 409, 429, 500, 503])
def test_these_are_no_refusals(status: int):
    assert status not in SAYS_NO
