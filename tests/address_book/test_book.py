"""/client/addresses: an address book that can be made the only way out."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from protonpay.address_book import service
from protonpay.address_book.service import MOST_ENTRIES, WAIT
from protonpay.kernel import clock
from tests.actors import Actor, make_actor
from tests.payouts.orders import WALLETS, withdraw
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes


@pytest.fixture
def saver(house) -> Actor:
    return make_actor(house, "Saver", funded="1000")


def write(actor: Actor, network: str = "Base", **changes: Any) -> TestResponse:
    order = {"network": network, "address": WALLETS.get(network, ""), "label": "Cold wallet"}
    return actor.post("/client/addresses", order | changes)


def only_listed(actor: Actor, *, wanted: Any = True) -> TestResponse:
    return actor.call("PATCH", "/client/addresses/policy", json={"onlyListed": wanted})


def any_listed(actor: Actor) -> TestResponse:
    return only_listed(actor, wanted=False)


def policy(actor: Actor) -> dict[str, Any]:
    told: dict[str, Any] = actor.get("/client/addresses/policy").get_json()["policy"]
    return told


def after(moment: datetime, **wait: int) -> Any:
    return clock.frozen(moment + timedelta(**wait))


def test_without_the_policy_the_book_is_a_list_of_names(saver: Actor):
    with only_changes("address_book"):
        entry = write(saver).get_json()["address"]
    assert set(entry) == {"id", "network", "address", "label", "createdAt", "usableAt"}
    assert policy(saver) == {"onlyListed": False, "endsAt": None}
    assert withdraw(saver, network="Solana").status_code == 200


def test_with_it_nothing_goes_elsewhere(saver: Actor):
    with only_changes("address_book_policies"):
        assert only_listed(saver).get_json()["policy"] == {"onlyListed": True, "endsAt": None}

    with nothing_changes():
        refused(withdraw(saver), 403, "address_not_listed")
    quote = {"amount": 50, "network": "Base", "walletAddress": WALLETS["Base"]}
    told = saver.post("/client/withdraw/quote", quote).get_json()["quote"]
    assert told["problems"] == ["address_not_listed"]


def test_a_new_entry_waits_a_day(saver: Actor):
    began = clock.now().replace(microsecond=0)
    with clock.frozen(began):
        only_listed(saver)
        entry = write(saver).get_json()["address"]
    assert entry["usableAt"] == clock.to_text(began + WAIT)

    with after(began, hours=23, minutes=59), nothing_changes():
        body = refused(withdraw(saver), 403, "address_waiting")
        assert entry["usableAt"] in body["detail"]
    # Sessions last; access tokens do not: a request a day later needs another one.
    with after(began, hours=24):
        service.check(saver.id, "Base", WALLETS["Base"])


def test_an_entry_older_than_the_policy_can_be_paid_at_once(saver: Actor):
    with after(clock.now(), hours=-25):
        service.add(saver.id, network="Base", address=WALLETS["Base"].lower(), label="Old")
    only_listed(saver)
    assert withdraw(saver).status_code == 200
    with nothing_changes():
        refused(withdraw(saver, network="Polygon"), 403, "address_not_listed")


def test_struck_out_and_written_again_it_waits_again(saver: Actor):
    with after(clock.now(), hours=-25):
        entry = service.add(saver.id, network="Base", address=WALLETS["Base"], label="Old")
    only_listed(saver)
    assert saver.call("DELETE", f"/client/addresses/{entry.id}").status_code == 204
    refused(withdraw(saver), 403, "address_not_listed")
    assert write(saver).status_code == 200
    refused(withdraw(saver), 403, "address_waiting")


def test_switching_off_takes_a_day_and_can_be_taken_back(saver: Actor):
    began = clock.now().replace(microsecond=0)
    with clock.frozen(began):
        only_listed(saver)
        ends = clock.to_text(began + WAIT)
        assert any_listed(saver).get_json()["policy"] == {
            "onlyListed": True,
            "endsAt": ends,
        }
    with after(began, minutes=5), nothing_changes():
        assert any_listed(saver).get_json()["policy"]["endsAt"] == ends
        refused(withdraw(saver), 403, "address_not_listed")
    with after(began, hours=23):
        assert service.policy(saver.id).only_listed
    with after(began, hours=24):
        assert not service.policy(saver.id).only_listed
    with after(began, minutes=6):
        assert only_listed(saver).get_json()["policy"] == {"onlyListed": True, "endsAt": None}
    with after(began, hours=25):
        assert service.policy(saver.id).only_listed


def test_what_holds_already_is_not_written_again(saver: Actor):
    with nothing_changes():
        assert any_listed(saver).status_code == 200
    only_listed(saver)
    with nothing_changes():
        assert only_listed(saver).status_code == 200


def test_the_book_is_its_owners(saver: Actor, bob: Actor):
    first = write(saver).get_json()["address"]
    second = write(saver, "Solana", label="Тёплый").get_json()["address"]
    assert saver.get("/client/addresses").get_json()["addresses"] == [second, first]
    assert saver.get(f"/client/addresses/{first['id']}").get_json()["address"] == first
    with nothing_changes():
        assert bob.get("/client/addresses").get_json()["addresses"] == []
        refused(bob.get(f"/client/addresses/{first['id']}"), 404, "not_found")
        refused(bob.call("DELETE", f"/client/addresses/{first['id']}"), 404, "not_found")


def test_what_cannot_be_written_changes_nothing(saver: Actor, monkeypatch):
    assert MOST_ENTRIES == 200
    write(saver)
    with nothing_changes():
        refused(write(saver, address=WALLETS["Base"].lower()), 409, "duplicate")
        refused(write(saver, "Bitcoin", address="x"), 400, "unsupported_network")
        refused(write(saver, "Solana", address=WALLETS["Base"]), 400, "invalid_address")
        refused(write(saver, "Solana", label=""), 400, "validation_error")
        refused(only_listed(saver, wanted="yes"), 400, "validation_error")
        monkeypatch.setattr(service, "MOST_ENTRIES", 1)
        refused(write(saver, "Solana"), 409, "too_many_addresses")
