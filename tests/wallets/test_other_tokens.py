"""A contract that is not the USDC of a network's entry: nothing of it is taken, nor shown ready."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from protonpay.chains.evm_snapshot import EvmSnapshot
from protonpay.chains.evm_watch import EvmWatch
from protonpay.chains.port import Network
from protonpay.chains.registry import BASE, chains
from protonpay.sandbox import evm_outside
from protonpay.store.db import db
from protonpay.wallets import watching
from protonpay.wallets.models import WatchMark
from protonpay.wire.http import NoAnswer
from tests.chains.conftest import EvmWorld
from tests.wallets.pools import Careful, states

pytestmark = pytest.mark.slow

WRONG = {
    "name": replace(BASE, options={**BASE.options, "domain_name": "USDC"}),
    "version": replace(BASE, options={**BASE.options, "domain_version": "1"}),
    "no token": replace(BASE, usdc="0x4444444444444444444444444444444444444444"),
    "chain": replace(BASE, chain_id=84532),
}


@pytest.mark.parametrize("of", WRONG.values(), ids=WRONG)
def test_what_it_transfers_is_no_deposit(
    base: SimpleNamespace, payee: SimpleNamespace, of: Network
):
    chains._watches["Base"] = Careful(EvmWatch(of, base.rpc))  # type: ignore[assignment, arg-type]
    before = _height()
    base.world.outside(evm_outside.send_usdc, base.world.usdc, payee.base, 5_000_000)
    base.mine(3)

    watching.watch("Base")

    assert (states(), _height()) == ([], before)


@pytest.mark.parametrize("of", WRONG.values(), ids=WRONG)
def test_a_network_with_such_an_entry_has_neither_head_nor_reserves(evm: EvmWorld, of: Network):
    assert evm.chain.head().finalized > 0
    with pytest.raises(NoAnswer):
        evm.adapter(evm.json_rpc, of).head()
    with pytest.raises(NoAnswer):
        EvmSnapshot(of, evm.json_rpc, evm.addresses).block(None)


def _height() -> int:
    height: int = db.session.get_one(WatchMark, "Base", populate_existing=True).height
    return height
