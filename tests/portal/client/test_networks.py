"""A network is chosen by who reads: none is preselected, what an address fits is said."""

import re

import pytest
from flask import Flask

from tests.actors import Actor
from tests.invoices.asking import ask, pay_on_chain
from tests.payouts.orders import WALLETS
from tests.portal.client.reader import Reader, sign_in
from tests.unchanged import nothing_changes

EVM, SOLANA = "Base, Polygon", "Solana"


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def said(reader: Reader) -> list[str]:
    """Return what each choice of a network says of the address beside it."""
    return re.findall(r'<p class="said" role="status" data-fits=[^>]*>([^<]*)</p>', reader.at.html)


@pytest.mark.parametrize(
    ("page", "action"),
    [
        ("/app/withdraw", "/app/withdraw/amount"),
        ("/app/addresses", "/app/addresses"),
        ("/app/addresses", "/app/wallets/message"),
    ],
)
@pytest.mark.parametrize(("of", "fits"), [("Base", EVM), ("Solana", SOLANA)])
def test_an_address_chooses_no_network_and_says_which_it_fits(
    reader: Reader, page: str, action: str, of: str, fits: str
):
    reader.open(page)
    fields = reader.at.form(action).fields
    assert (fields["network"], set(said(reader))) == ("", {""})
    address = "walletAddress" if "walletAddress" in fields else "address"
    with nothing_changes():
        reader.send(action, **{address: WALLETS[of]})
    assert reader.status == 400
    assert "Choose a network." in reader.at.text
    assert set(said(reader)) == {f"The address fits: {fits}. Choose the network that you mean."}
    fields = reader.at.form(action).fields
    assert (fields["network"], fields[address]) == ("", WALLETS[of])


def test_an_address_of_another_network_is_told_which_it_fits(reader: Reader):
    reader.open("/app/addresses")
    with nothing_changes():
        reader.send("/app/addresses", label="Mine", network="Base", address=WALLETS["Solana"])
    assert reader.status == 400
    assert f"The address fits: {SOLANA}." in reader.at.text
    with nothing_changes():
        reader.send("/app/addresses", label="Mine", network="Base", address="0x12")
    assert "The address fits" not in reader.at.text


def test_money_of_an_invoice_goes_back_on_a_network_that_was_chosen(reader: Reader, alice: Actor):
    made = ask(alice, "50")
    pay_on_chain(made.id, "50")
    page, wallet = f"/app/invoices/{made.id}", WALLETS["Base"]
    assert reader.open(page).form(f"{page}/refund").fields["network"] == ""
    with nothing_changes():
        reader.send(f"{page}/refund", walletAddress=wallet, amount="20")
    assert reader.status == 400
    assert "Choose a network." in reader.at.text
    assert f"The address fits: {EVM}." in reader.at.text
    reader.send(f"{page}/refund", network="Polygon")
    (refund,) = alice.get(f"/client/invoices/{made.id}").json["refunds"]
    payouts = alice.get("/client/withdrawals").json["withdrawals"]
    assert (refund["amount"], [each["network"] for each in payouts]) == ("20.00", ["Polygon"])
