"""Multicall3 on the local EVM chains: the networks' own contract, on old chains too."""

from pathlib import Path

from protonpay.sandbox import evm_outside as outside
from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.multicall import ADDRESS
from protonpay.sandbox.evm.rpc import Rpc
from tests.sandbox.test_evm_chain import PAYEE, USDC, final_receipt, running

ON_MAINNET = "d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891"


def test_the_code_is_what_other_networks_have():
    with running("--no-state") as url:
        code = Rpc(url)("eth_getCode", ADDRESS, "latest")

    assert abi.keccak256(bytes.fromhex(code[2:])).hex() == ON_MAINNET


def test_a_chain_saved_without_it_gets_it(tmp_path: Path):
    with running("--state", str(tmp_path), "--interval", "0.02") as url:
        Rpc(url)("anvil_setCode", ADDRESS, "0x")
        final_receipt(url, outside.send_usdc(url, USDC, PAYEE, 5))

    with running("--state", str(tmp_path), "--interval", "0.02") as url:
        assert Rpc(url)("eth_getCode", ADDRESS, "latest") != "0x"
        assert outside.usdc_balance(url, USDC, PAYEE) == 5
