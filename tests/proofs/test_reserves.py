"""What we hold is read from final blocks; what a node does not say is unknown and never zero."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert

from protonpay.chains.evm_snapshot import EvmSnapshot
from protonpay.chains.registry import BASE, SOLANA, chains
from protonpay.chains.solana_snapshot import SolanaSnapshot
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.proofs import reserves, service
from protonpay.proofs.digests import Reserve
from protonpay.sandbox import evm_outside
from protonpay.sandbox.solana import outside as solana_outside
from protonpay.store.db import transaction
from protonpay.wallets.models import Incoming
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc
from tests.actors import Actor
from tests.proofs.conftest import EvmWorld, LocalNode, Told, proof_of

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def _paid(network: str, *addresses: str) -> None:
    """Let deposit addresses have had something once."""
    with transaction() as session:
        for number, address in enumerate(addresses):
            session.execute(
                insert(Incoming).values(
                    id=f"c{network}{number}",
                    network=network,
                    address=address,
                    holder_kind="user",
                    holder_id="nobody",
                    amount_micro=Usdc(1),
                    tx_hash=f"{network}{address}",
                    ordinal=number,
                    block=1,
                    state="FINAL",
                    seen_at=NOW,
                    final_at=NOW,
                )
            )


def _on(network: str, number: int) -> list[Reserve]:
    return [reserve for reserve in reserves.of_head(number) if reserve.network == network]


def _shown(actor: Actor, network: str) -> dict[str, object]:
    (found,) = (of for of in proof_of(actor)["head"]["reserves"] if of["network"] == network)
    return found


def test_deposit_addresses_are_read_after_the_treasury_in_parts_at_one_block(
    networks: Mapping[str, Told], alice: Actor
):
    deposits = [f"0x{number:040}" for number in range(5)]
    _paid("Base", *deposits)
    networks["Base"].held.update({deposits[0]: 7, deposits[4]: 1_000_000})
    number = service.take()
    assert reserves.read() == 3 + 5
    networks["Base"].height = 200
    treasury = chains.addresses().treasury["evm"]
    asked = networks["Base"].asked
    assert [addresses for _, addresses in asked] == [
        [treasury, deposits[0]],
        deposits[1:3],
        deposits[3:5],
    ]
    assert {height for height, _ in asked} == {100}
    assert service.publish() == [number]
    shown = _shown(alice, "Base")
    assert (shown["addresses"], shown["addressesUnknown"]) == (6, 0)
    assert shown["amount"] == "1001.000007"


def test_what_was_read_is_kept_and_the_rest_read_at_the_same_block(
    networks: Mapping[str, Told], alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    deposits = [f"0x{number:040}" for number in range(3)]
    _paid("Polygon", *deposits)
    monkeypatch.setattr(reserves, "_QUESTIONS", 1)
    number = service.take()
    reserves.read()
    networks["Polygon"].height, networks["Polygon"].silent = 150, True
    assert reserves.read() == 0
    assert [reserve.block for reserve in _on("Polygon", number)].count(None) == 2
    networks["Polygon"].silent = False
    reserves.read()
    assert {reserve.block for reserve in _on("Polygon", number)} == {100}


def test_a_silent_network_is_unknown_and_the_head_says_so(
    networks: Mapping[str, Told], alice: Actor
):
    networks["Solana"].silent = True
    with clock.frozen(NOW):
        number = service.take()
        reserves.read()
        assert service.publish() == []
    with clock.frozen(NOW + service.PATIENCE - timedelta(seconds=1)):
        assert service.publish() == []
    with clock.frozen(NOW + service.PATIENCE):
        assert service.publish() == [number]
    assert _shown(alice, "Solana") == {
        "network": "Solana",
        "addresses": 1,
        "addressesUnknown": 1,
        "firstBlock": None,
        "lastBlock": None,
        "amount": "0.00",
    }
    assert _on("Solana", number)[0].amount is None
    # Published is published: an answer that comes too late changes nothing.
    networks["Solana"].silent = False
    assert reserves.read() == 0


def test_a_head_waits_for_the_one_before_it(networks: Mapping[str, Told], alice: Actor):
    networks["Base"].silent = True
    with clock.frozen(NOW):
        first = service.take()
    networks["Base"].silent = False
    with clock.frozen(NOW + timedelta(minutes=1)):
        second = service.take()
        reserves.read()
        assert service.publish() == [first, second]


@pytest.mark.slow
def test_base_says_what_is_there_at_a_final_block(house: Flask, evm: EvmWorld, alice: Actor):
    chains._snapshots["Base"] = EvmSnapshot(BASE, evm.json_rpc, evm.addresses)
    deposit = evm.order().to
    _paid("Base", deposit)
    try:
        evm.outside(evm_outside.send_usdc, evm.usdc, deposit, 12_345_678)
        evm.mine(70)
        number = service.take()
        reserves.read()
        evm.outside(evm_outside.send_usdc, evm.usdc, deposit, 5)
        found = {one.address: one for one in _on("Base", number)}
        assert found[deposit].amount == Usdc(12_345_678)
        final = int(evm.block("finalized")["number"], 16)
        assert {one.block for one in found.values()} <= set(range(final - 70, final + 1))
        assert len(found) == 2
    finally:
        chains._snapshots.clear()


@pytest.mark.slow
def test_solana_says_what_is_there_at_a_final_slot(
    house: Flask, node: LocalNode, keyring_path: Path, alice: Actor
):
    addresses = chains.addresses()
    rpc = JsonRpc(Wire(node.url, read_seconds=5))
    chains._snapshots["Solana"] = SolanaSnapshot(SOLANA, rpc, addresses)
    try:
        solana_outside.send_usdc(node.url, SOLANA.usdc, addresses.treasury["solana"], 777)
        node.finalize()
        number = service.take()
        reserves.read()
        (treasury,) = _on("Solana", number)
        assert (treasury.amount, treasury.role) == (Usdc(777), "treasury")
        assert treasury.block is not None
    finally:
        chains._snapshots.clear()
