"""EVM_NETWORKS: what a line gives, and what is refused at the start, with a word for each error."""

import json
import re
from typing import Any

import pytest

from config import Config
from protonpay.chains.networks import BASE
from protonpay.kernel.money import Usdc
from tests.conftest import ROOT
from tests.roof.test_config import PRODUCTION, problems

RECIPE = ROOT / "docs" / "adding-a-chain.md"
USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
OTHER = "0xaf88d065e77c8cC2239327C5EDb3A432268e5831"
LEAST = {
    "name": "Sepolia",
    "chainId": 84532,
    "usdc": USDC,
    "rpcUrl": "https://sepolia.example.com/v2/a-secret-key",
}
MOST = LEAST | {
    "domainName": "USDC",
    "domainVersion": "1",
    "tipFloorWei": 5,
    "maxFeeWei": 70,
    "multicall": OTHER,
    "refused": [OTHER],
    "withdrawalFee": "0.03",
}


def written(*entries: Any) -> dict[str, str]:
    return {"EVM_NETWORKS": json.dumps(list(entries))}


def told(*entries: Any, **environment: str) -> str:
    said = problems(**written(*entries), **environment)
    assert "a-secret-key" not in said
    return said


def test_without_it_there_are_three():
    for nothing in ({}, {"EVM_NETWORKS": ""}, {"EVM_NETWORKS": "[]"}):
        config = Config.load(PRODUCTION | nothing)
        assert list(config.rpc_urls) == ["Solana", "Base", "Polygon"]
        assert list(config.evm_networks.networks) == []


def test_one_line_is_a_network_like_base():
    config = Config.load(PRODUCTION | written(LEAST))

    (network,) = config.evm_networks.networks
    assert (network.name, network.family, network.chain_id) == ("Sepolia", "evm", 84532)
    assert (network.usdc, network.by_account) == (USDC, False)
    assert (network.options, network.refused) == (BASE.options, frozenset())
    assert network.withdrawal_fee is None
    assert config.rpc_urls["Sepolia"] == LEAST["rpcUrl"]
    assert list(config.rpc_urls) == ["Solana", "Base", "Polygon", "Sepolia"]


def test_the_line_of_the_documentation_is_one():
    (line,) = re.findall(r"EVM_NETWORKS='(.*)'", RECIPE.read_text())
    (network,) = Config.load(PRODUCTION | {"EVM_NETWORKS": line}).evm_networks.networks
    assert (network.name, network.chain_id) == ("Arbitrum", 42161)


def test_the_documentation_has_every_member():
    table = re.findall(
        r"`([a-zA-Z]+)`", "".join(re.findall(r"(?m)^\| (`.*?) \|", RECIPE.read_text()))
    )
    assert set(table) == set(MOST)


def test_every_member_is_taken():
    (network,) = Config.load(PRODUCTION | written(MOST)).evm_networks.networks

    assert network.options == {
        "multicall": OTHER,
        "domain_name": "USDC",
        "domain_version": "1",
        "tip_floor_wei": 5,
        "max_fee_wei": 70,
    }
    assert network.refused == {OTHER}
    assert network.withdrawal_fee == Usdc(30_000)


def test_it_has_ceilings_of_its_own():
    ceilings = {"SEPOLIA_PAYOUT_CEILINGS": "5/-/-"}
    assert Config.load(PRODUCTION | written(LEAST) | ceilings).payout_ceilings == {
        "Sepolia": "5/-/-"
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sepolia.json", "EVM_NETWORKS is not JSON"),
        ("[", "EVM_NETWORKS is not JSON"),
        ("{}", "EVM_NETWORKS is a list of objects"),
        ("null", "EVM_NETWORKS is a list of objects"),
        ('["Base"]', "EVM_NETWORKS: entry 1 is not an object"),
        ('[{"chainId": 1, "chainId": 2}]', "a member stands twice"),
    ],
)
def test_what_is_no_list_of_objects_is_refused(text: str, said: str):
    assert said in problems(EVM_NETWORKS=text)


@pytest.mark.parametrize("member", ["name", "chainId", "usdc", "rpcUrl"])
def test_what_is_needed_is_named(member: str):
    entry = {name: value for name, value in LEAST.items() if name != member}
    where = "entry 1" if member == "name" else "Sepolia"
    assert f"EVM_NETWORKS: {where} has no {member}" in told(entry)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("name", value) for value in ("", "sepolia", "Se polia", "S" * 33, "Sépolia", 5, None)),
        *(("chainId", value) for value in (0, -1, "84532", 84532.0, True, None, 2**53)),
        ("usdc", USDC.lower()),
        ("usdc", USDC.replace("7e", "7E")),
        ("usdc", USDC[:-1]),
        ("usdc", None),
        *(("rpcUrl", value) for value in ("", "ws://node", "https://", "http://[", 5, None)),
        *(("domainName", value) for value in ("", 2, None, "U" * 65)),
        ("domainVersion", 2),
        *(("tipFloorWei", value) for value in (0, -5, "5", 1.5, None)),
        ("maxFeeWei", False),
        ("multicall", OTHER.upper()),
        *(("refused", value) for value in (OTHER, [OTHER.lower()], [None], None)),
        *(("withdrawalFee", value) for value in (0.03, 1, "", "-1", "0.0000001", "1e3", None)),
    ],
)
def test_a_member_that_is_not_what_it_must_be_is_refused(member: str, value: Any):
    where = "entry 1" if member == "name" else "Sepolia"
    assert f"EVM_NETWORKS: {where}: {member} is" in told(MOST | {member: value})


def test_a_member_nobody_knows_is_refused():
    assert "Sepolia has an unknown member 'rpcURL'" in told(LEAST | {"rpcURL": ""})


def test_a_ceiling_below_the_floor_is_refused():
    assert "maxFeeWei is below tipFloorWei" in told(LEAST | {"tipFloorWei": 6, "maxFeeWei": 5})
    assert "maxFeeWei is below tipFloorWei" in told(LEAST | {"maxFeeWei": 5})


@pytest.mark.parametrize("name", ["Base", "BASE", "Solana", "Sepolia", "SEPOLIA"])
def test_a_name_is_given_once(name: str):
    said = told(LEAST, LEAST | {"name": name, "chainId": 5})
    assert f"there is a network {name} already" in said


@pytest.mark.parametrize("chain_id", [8453, 137, 84532])
def test_a_chain_is_there_once(chain_id: int):
    """One gas wallet under two names would use each nonce twice."""
    said = told(LEAST, LEAST | {"name": "Other", "chainId": chain_id})
    assert f"Other: chain {chain_id} is there already" in said


def test_production_refuses_a_node_on_this_machine():
    near = LEAST | {"rpcUrl": "http://127.0.0.1:8545"}
    assert "EVM_NETWORKS: Sepolia points to this machine" in told(near)
    assert not Config.load(PRODUCTION | written(near) | {"PROTONPAY_ENV": "sandbox"}).production


def test_all_that_is_wrong_is_told_at_once():
    assert told(LEAST | {"usdc": ""}, {"name": "Other"}, SECRET_KEY="").count(";") == 4
