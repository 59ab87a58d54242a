"""Deposit addresses: from a pool that others fill, one holder each, proved to be ours."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from protonpay.chains.keyring import Keyring
from protonpay.chains.registry import chains
from protonpay.kernel import ids
from protonpay.kernel.errors import Unavailable
from protonpay.store.db import db, transaction
from protonpay.wallets import pool
from protonpay.wallets import service as wallets
from tests.committed import OpenHouse, open_house
from tests.conftest import PASSPHRASE
from tests.unchanged import nothing_changes
from tests.wallets import pools

__all__ = ["open_house"]


def _assign(kind: str, holder_id: str):
    with transaction():
        return wallets.assign(kind, holder_id)


def test_a_holder_has_one_address_per_family_and_keeps_it(fill):
    fill()

    first = _assign("user", "u1")

    assert list(first) == ["Solana", "Base", "Polygon"]
    assert first["Base"] == first["Polygon"] != first["Solana"]
    assert _assign("user", "u1") == first == wallets.addresses_of("user", "u1")
    assert set(wallets.free_addresses().values()) == {3}


def test_no_two_holders_share_an_address(fill):
    fill()
    found = [_assign("user", "same"), _assign("invoice", "same"), _assign("user", "other")]
    assert len({address for one in found for address in one.values()}) == 6


def test_who_never_asked_has_none(fill):
    fill()
    assert wallets.addresses_of("user", "nobody") == {}


def test_an_empty_pool_refuses_and_claims_nothing(fill):
    fill(1)
    _assign("user", "u1")
    with nothing_changes(), pytest.raises(Unavailable, match="addresses_exhausted"):
        _assign("user", "u2")


def test_a_refusal_further_on_gives_the_addresses_back(fill):
    fill(1)

    def claim_and_fail():
        with transaction():
            wallets.assign("user", "u1")
            raise LookupError

    with nothing_changes(), pytest.raises(LookupError):
        claim_and_fail()


def test_outside_a_transaction_nothing_is_claimed(fill):
    fill()
    with pytest.raises(RuntimeError, match="none is open"):
        wallets.assign("user", "u1")


def test_many_claims_at_once_take_one_address_each(open_house: OpenHouse, keyring_path):
    pools.fill(keyring_path, PASSPHRASE, 24)
    holders = [ids.new_id() for _ in range(8)]

    found = open_house.inside_at_once(
        [lambda h=holder: _assign("user", h) for holder in holders for _ in range(3)]
    )

    by_holder = [found[at : at + 3] for at in range(0, 24, 3)]
    assert all(one == three[0] for three in by_holder for one in three)
    assert len({three[0]["Base"] for three in by_holder}) == 8
    assert set(wallets.free_addresses().values()) == {16}


@pytest.mark.parametrize("family", ["evm", "solana"])
def test_an_address_the_keyring_did_not_make_is_never_handed_out(fill, family):
    fill()
    swap = "UPDATE deposit_addresses SET address = :a WHERE family = :f AND number IN "
    first = "(SELECT min(number) FROM deposit_addresses WHERE family = :f)"
    db.session.execute(text("SET ROLE NONE"))
    db.session.execute(text(swap + first), {"a": "0x" + "11" * 20, "f": family})
    db.session.execute(text("SET ROLE protonpay_app"))
    db.session.commit()
    with nothing_changes(), pytest.raises(Unavailable, match="address_not_ours"):
        _assign("user", "u1")


@pytest.mark.parametrize(
    "change", ["UPDATE deposit_addresses SET address = 'x'", "DELETE FROM deposit_addresses"]
)
def test_the_program_itself_may_not_change_an_address(fill, change):
    fill()
    with pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(text(change))


def test_nothing_is_made_before_every_network_of_a_family_is_watched(house, keyring_path):
    keys = Keyring.open(keyring_path, PASSPHRASE)
    with transaction() as session:
        mark = "INSERT INTO watch_marks VALUES ('Base', 1, 1, 1, now(), NULL, '{1}')"
        session.execute(text(mark))
        session.execute(text(mark.replace("Base", "Solana")))
    bound = chains._bound()
    chains.bind(type(bound)(bound.rpc_urls, bound.addresses, keys))
    try:
        pool.fill(3)
    finally:
        chains.bind(bound)
    assert wallets.free_addresses() == {"solana": 3, "evm": 0}


def test_a_process_without_keys_makes_none(house):
    with nothing_changes(), pytest.raises(RuntimeError, match="keyring"):
        pool.fill()
