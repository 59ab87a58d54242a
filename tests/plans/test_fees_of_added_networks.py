"""What a withdrawal costs on a network that the settings add."""

from collections.abc import Iterator

import pytest

from protonpay.chains.networks import BASE, NETWORKS, Network
from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import Usdc
from protonpay.plans import service as plans
from tests.actors import Actor
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused


@pytest.fixture
def added(house: object) -> Iterator[None]:
    """Two networks more, one of them without a fee."""
    with_fee, without = (
        Network(name=name, family="evm", chain_id=number, usdc=BASE.usdc, withdrawal_fee=fee)
        for name, number, fee in (("Sepolia", 84532, Usdc(30_000)), ("Bare", 5, None))
    )
    NETWORKS.bind([with_fee, without])
    plans.forget()
    yield
    NETWORKS.bind([])
    plans.forget()


@pytest.mark.usefixtures("added")
def test_a_plan_without_a_fee_for_it_takes_the_settings(alice: Actor):
    fees = alice.get("/client/fees").get_json()["fees"]["withdrawal"]

    assert fees["Sepolia"] == "0.03 USDC"
    assert list(fees) == ["Solana", "Base", "Polygon", "Sepolia"]
    assert plans.terms_of(alice.id).withdrawal_fee("Sepolia", Usdc(5)) == Usdc(30_000)


@pytest.mark.usefixtures("added")
def test_a_plans_own_fee_goes_first_and_null_leaves_it_out(alice: Actor, bob: Actor):
    on_plan(alice, withdrawal_fees='{"Sepolia": 7, "Bare": 0}')
    on_plan(bob, withdrawal_fees='{"Sepolia": null, "Base": 1}')

    assert alice.get("/client/fees").get_json()["fees"]["withdrawal"] == {
        "Sepolia": "0.000007 USDC",
        "Bare": "0.00 USDC",
    }
    assert bob.get("/client/fees").get_json()["fees"]["withdrawal"] == {"Base": "0.000001 USDC"}
    with pytest.raises(Invalid, match="unsupported_network: Choose another network"):
        plans.terms_of(bob.id).withdrawal_fee("Sepolia", Usdc(5))


@pytest.mark.usefixtures("added")
def test_a_network_without_any_fee_pays_nothing_out(alice: Actor):
    quoted = alice.post("/client/withdraw/quote", {"amount": 5, "network": "Bare"})

    body = refused(quoted, 400, "unsupported_network")
    assert body["detail"] == "Choose Solana, Base, Polygon or Sepolia."


def test_the_refusal_names_the_networks_there_are_in_either_language(alice: Actor):
    asked = {"network": "Sepolia"}
    english = alice.post("/client/deposit/crypto", asked)
    russian = alice.post("/client/deposit/crypto", asked, headers={"Accept-Language": "ru"})

    said = [refused(each, 400, "unsupported_network")["detail"] for each in (english, russian)]
    assert said == ["Choose Solana, Base or Polygon.", "Выберите Solana, Base или Polygon."]
