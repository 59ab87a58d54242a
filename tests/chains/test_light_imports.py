"""What web processes use of the chains room costs them no chain library."""

import json
import subprocess
import sys

import pytest

from protonpay.chains.keyring import create

HEAVY = {"web3", "solders", "solana", "spl", "eth_account", "eth_abi", "eth_keyfile", "coincurve"}


@pytest.mark.slow
def test_addresses_registry_and_public_addresses_import_no_chain_library(tmp_path):
    path = tmp_path / "keyring.json"
    create(path, "passphrase")
    program = f"""
import json, pathlib, sys
from protonpay.chains import addresses, keyring, registry
public = keyring.public_addresses(pathlib.Path({str(path)!r}))
for name in registry.NETWORKS:
    network = registry.network(name)
    wallet = public.gas[network.family]
    addresses.check_address(network, wallet, frozenset())
registry.chains.bind(registry.ChainSettings({{}}, public))
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(json.loads(printed))
