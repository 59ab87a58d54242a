"""The keyring file: made once, opened by its passphrase only, and noticed when changed."""

import json
import os
import stat
import subprocess
import sys
import time

import pytest
from eth_account import Account
from eth_account.hdaccount.deterministic import HDPath
from solders.keypair import Keypair

from protonpay.chains import keyring as module
from protonpay.chains.keyring import Keyring, KeyringError, create, public_addresses

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keyring.json"
    return path, create(path, PASSPHRASE)


def test_the_keys_belong_to_the_public_addresses(made):
    path, addresses = made
    keys = Keyring.open(path, PASSPHRASE)
    for role in ("treasury", "gas", "sweeper"):
        key, address = getattr(keys, role), getattr(addresses, role)
        assert Account.from_key(key["evm"]).address == address["evm"]
        assert str(Keypair.from_seed(key["solana"]).pubkey()) == address["solana"]
    assert public_addresses(path) == addresses
    assert len(addresses.every) == 6


def test_keys_are_derived_as_wallets_do():
    seed = bytes(range(64))
    for number, role in enumerate(("treasury", "gas")):
        keys = module._keys(seed, role)
        path = f"m/44'/501'/{number}'/0'"
        assert keys["solana"] == Keypair.from_seed_and_derivation_path(seed, path).secret()
        assert keys["evm"] == HDPath(f"m/44'/60'/{number}'/0'/0'").derive(seed)


@pytest.mark.parametrize(
    ("family", "key"),
    [
        # SLIP-0010, test vector 1, chain m/0'
        ("evm", "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"),
        ("solana", "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3"),
    ],
)
def test_derivation_meets_the_standards_vectors(family, key):
    seed = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    assert module._derive(family, seed, [0]).hex() == key


def test_two_keyrings_share_nothing(made, tmp_path):
    assert not made[1].every & create(tmp_path / "other.json", PASSPHRASE).every


def test_only_the_owner_may_read_the_file_and_no_draft_is_left(made):
    path, _ = made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_keyring_is_never_overwritten(made):
    path, _ = made
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="never overwritten"):
        create(path, PASSPHRASE)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_without_a_passphrase_nothing_is_made(tmp_path):
    with pytest.raises(KeyringError, match="needs a passphrase"):
        create(tmp_path / "keyring.json", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_another_passphrase_does_not_open_it(made, wrong):
    with pytest.raises(KeyringError, match="wrong passphrase"):
        Keyring.open(made[0], wrong)


def flipped(hexadecimal):
    return ("1" if hexadecimal[0] != "1" else "2") + hexadecimal[1:]


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.update(seed=flipped(file["seed"])),
        lambda file: file.update(nonce=flipped(file["nonce"])),
        lambda file: file["kdf"].update(salt=flipped(file["kdf"]["salt"])),
        lambda file: file["kdf"].update(n=2),
        lambda file: file["addresses"]["gas"].update(evm="0x" + "11" * 20),
        lambda file: file["addresses"].update(gas=file["addresses"]["treasury"]),
        lambda file: file.update(notary=flipped(file["notary"])),
        lambda file: file.update(note="new"),
    ],
)
def test_a_changed_file_is_noticed(made, tmp_path, change):
    file = json.loads(made[0].read_text())
    change(file)
    changed = tmp_path / "keyring.json"
    changed.write_text(json.dumps(file))
    with pytest.raises(KeyringError, match="or the file was changed"):
        Keyring.open(changed, PASSPHRASE)


@pytest.mark.parametrize("member", ["seed", "nonce"])
def test_a_member_that_is_not_hex_makes_it_no_keyring(made, tmp_path, member):
    changed = tmp_path / "keyring.json"
    changed.write_text(json.dumps({**json.loads(made[0].read_text()), member: "no hex"}))
    with pytest.raises(KeyringError, match="not a keyring"):
        Keyring.open(changed, PASSPHRASE)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"version": 2}', '{"version": 1}'])
def test_what_is_no_keyring_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "keyring.json"
    path.write_text(content)
    with pytest.raises(KeyringError, match="not a keyring"):
        Keyring.open(path, PASSPHRASE)
    with pytest.raises(KeyringError, match="not a keyring"):
        public_addresses(path)


@pytest.mark.parametrize("number", [0, 1, 77, module.LAST_DEPOSIT])
def test_deposit_addresses_are_derived_as_wallets_do(number):
    seed = bytes(range(64))
    keys = Keyring({}, {}, seed)
    solana = Keypair.from_seed_and_derivation_path(seed, f"m/44'/501'/{1000 + number}'/0'")
    evm = Account.from_key(HDPath(f"m/44'/60'/{1000 + number}'/0'/0'").derive(seed))
    assert keys.deposit_address("solana", number)[0] == str(solana.pubkey())
    assert keys.deposit_address("evm", number)[0] == evm.address
    assert keys.deposit_key("evm", number) == evm.key


@pytest.mark.parametrize("number", [-1, module.LAST_DEPOSIT + 1])
def test_beyond_the_last_index_there_is_no_address(made, number):
    with pytest.raises(ValueError, match="no deposit address"):
        Keyring.open(made[0], PASSPHRASE).deposit_address("evm", number)


@pytest.mark.parametrize("family", ["evm", "solana"])
def test_who_has_no_key_can_tell_our_addresses_from_others(made, tmp_path, family):
    addresses = made[1]
    address, proof = Keyring.open(made[0], PASSPHRASE).deposit_address(family, 5)
    assert addresses.has_signed(family, 5, address, proof)

    other = "solana" if family == "evm" else "evm"
    stranger = create(tmp_path / "other.json", PASSPHRASE)
    assert not addresses.has_signed(family, 6, address, proof)
    assert not addresses.has_signed(other, 5, address, proof)
    assert not addresses.has_signed(family, 5, address.swapcase(), proof)
    assert not addresses.has_signed(family, 5, address, proof[:-1] + bytes([proof[-1] ^ 1]))
    assert not addresses.has_signed(family, 5, address, b"")
    assert not stranger.has_signed(family, 5, address, proof)


def of_version(version, made, path):
    """Write a keyring as it was before there was a sweeper, or even a notary."""
    seed = module._unseal(path, json.loads(made[0].read_text()), PASSPHRASE)
    document = json.loads(made[0].read_text())
    del document["addresses"]["sweeper"], document["seed"]
    if version == 1:
        del document["notary"]
    document["version"] = version
    sealed = module._cipher(document, PASSPHRASE).encrypt(
        bytes.fromhex(document["nonce"]), seed, module._authenticated(document)
    )
    path.write_text(json.dumps({**document, "seed": sealed.hex()}))


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_keyring_is_renewed_with_the_same_keys(made, tmp_path, version):
    path = tmp_path / "keyring.json"
    of_version(version, made, path)
    assert not module.is_current(path)
    with pytest.raises(KeyringError, match="renew it"):
        public_addresses(path)

    assert module.renew(path, PASSPHRASE) == made[1] == public_addresses(path)

    assert module.is_current(path)
    assert Keyring.open(path, PASSPHRASE) == Keyring.open(made[0], PASSPHRASE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_renewing_takes_the_passphrase(made, tmp_path):
    path = tmp_path / "keyring.json"
    of_version(1, made, path)
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="wrong passphrase"):
        module.renew(path, PASSPHRASE + "!")
    assert path.read_bytes() == before


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(KeyringError, match="No such file"):
        Keyring.open(tmp_path / "keyring.json", PASSPHRASE)
    with pytest.raises(KeyringError, match="No such file"):
        public_addresses(tmp_path / "keyring.json")


def test_keys_are_not_printed(made):
    keys = Keyring.open(made[0], PASSPHRASE)
    assert repr(keys) == "Keyring()"


def test_opening_takes_well_under_a_second(made):
    began = time.process_time()
    Keyring.open(made[0], PASSPHRASE)
    assert time.process_time() - began < 0.5


@pytest.mark.slow
def test_the_command_makes_a_keyring_and_prints_its_addresses(tmp_path):
    path = tmp_path / "keyring.json"
    command = [sys.executable, "-m", "protonpay.chains.keyring", "create", str(path)]
    environment = {**os.environ, "KEYRING_PASSPHRASE": PASSPHRASE}
    first = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    addresses = public_addresses(path)
    assert first.stdout.splitlines() == [
        f"treasury evm {addresses.treasury['evm']}",
        f"treasury solana {addresses.treasury['solana']}",
        f"gas evm {addresses.gas['evm']}",
        f"gas solana {addresses.gas['solana']}",
        f"sweeper evm {addresses.sweeper['evm']}",
        f"sweeper solana {addresses.sweeper['solana']}",
    ]
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (1, "")
    assert "never overwritten" in again.stderr
