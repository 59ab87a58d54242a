"""Which texts are wallets that can be paid."""

import secrets

import pytest
from solders.pubkey import Pubkey
from web3 import Web3

from protonpay.chains.addresses import base58, check_address, checksummed, families_of
from protonpay.chains.registry import BASE, NETWORKS, POLYGON, SOLANA
from protonpay.kernel.errors import Invalid

NOBODY: frozenset[str] = frozenset()
EVM_WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55's first example
SOLANA_WALLET = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"


def refused(network, text, ours=NOBODY):
    with pytest.raises(Invalid) as refusal:
        check_address(network, text, ours)
    assert refusal.value.code == "invalid_address"
    return refusal.value.detail


# EVM


@pytest.mark.parametrize(
    "written",
    [EVM_WALLET, EVM_WALLET.lower(), "0x" + EVM_WALLET[2:].upper()],
)
@pytest.mark.parametrize("network", [BASE, POLYGON])
def test_one_case_or_the_right_checksum_becomes_the_checksummed_form(network, written):
    assert check_address(network, written, NOBODY) == EVM_WALLET


@pytest.mark.parametrize(
    "example",
    [
        # EIP-55's test cases
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_the_standards_examples_are_their_own_canonical_form(example):
    assert check_address(BASE, example, NOBODY) == example


def test_checksums_agree_with_web3():
    for _ in range(100):
        address = secrets.token_bytes(20)
        assert checksummed(address) == Web3.to_checksum_address(address)


@pytest.mark.parametrize("position", [n for n in range(2, 42) if EVM_WALLET[n].isalpha()])
def test_one_letter_in_the_wrong_case_is_a_typing_error(position):
    letter = EVM_WALLET[position]
    wrong = EVM_WALLET[:position] + letter.swapcase() + EVM_WALLET[position + 1 :]
    assert "checksum" in refused(BASE, wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        EVM_WALLET[2:],
        EVM_WALLET[:-1],
        EVM_WALLET + "0",
        "0X" + EVM_WALLET[2:],
        " " + EVM_WALLET,
        EVM_WALLET + " ",
        EVM_WALLET + "\n",
        "\n" + EVM_WALLET,
        EVM_WALLET[:-1] + "\n",
        EVM_WALLET[:-1] + "g",
        EVM_WALLET[:-1] + "\N{ARABIC-INDIC DIGIT THREE}",
        "0x" + "\N{FULLWIDTH DIGIT ONE}" * 40,
        EVM_WALLET[:-1] + "\0",
        "vitalik.eth",
        "ethereum:" + EVM_WALLET,
        "0x" + "0x" + EVM_WALLET[4:],
        "0x-" + EVM_WALLET[3:],
        "0x_" + EVM_WALLET[3:],
        SOLANA_WALLET,
        "0x" + "a" * 64,
    ],
)
def test_what_is_not_an_evm_address_is_refused(text):
    assert "40 hex digits" in refused(BASE, text)


@pytest.mark.parametrize(
    "number",
    [
        *(0, 1, 2, 9, 0x11, 0x100, 0x1010, 0xDEAD, 0xFFFF),
        *((0x4200 << 144) + n for n in (0, 6, 0x0F, 0x800, 0xFFFF)),
    ],
)
def test_addresses_of_the_network_itself_are_refused(number):
    for network in (BASE, POLYGON):
        assert "network itself" in refused(network, f"0x{number:040x}")


@pytest.mark.parametrize("number", [0x10000, (0x4200 << 144) + 0x10000, (0x4200 << 144) - 1])
def test_their_neighbours_are_ordinary(number):
    written = f"0x{number:040x}"
    assert check_address(BASE, written, NOBODY) == Web3.to_checksum_address(written)


@pytest.mark.parametrize("network", [BASE, POLYGON])
def test_token_contracts_are_refused_in_any_case(network):
    for contract in (network.usdc, *network.refused):
        for written in (contract, contract.lower(), "0x" + contract[2:].upper()):
            assert "token" in refused(network, written)


# Solana


def test_a_solana_wallet_is_its_own_canonical_form():
    assert check_address(SOLANA, SOLANA_WALLET, NOBODY) == SOLANA_WALLET


def test_keys_on_the_curve_are_wallets_and_others_belong_to_programs():
    for _ in range(100):
        key = Pubkey(secrets.token_bytes(32))
        assert base58(bytes(key)) == str(key)
        if key.is_on_curve():
            assert check_address(SOLANA, str(key), NOBODY) == str(key)
        else:
            assert "program" in refused(SOLANA, str(key))


def test_an_associated_token_account_is_not_a_wallet():
    token = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
    program = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
    owner, mint = Pubkey.from_string(SOLANA_WALLET), Pubkey.from_string(SOLANA.usdc)
    account, _ = Pubkey.find_program_address([bytes(owner), bytes(token), bytes(mint)], program)
    assert "give the wallet" in refused(SOLANA, str(account))


@pytest.mark.parametrize(
    "text",
    [
        "",
        SOLANA_WALLET[:-1] + "0",
        SOLANA_WALLET[:-1] + "O",
        SOLANA_WALLET[:-1] + "I",
        SOLANA_WALLET[:-1] + "l",
        " " + SOLANA_WALLET,
        SOLANA_WALLET + " ",
        SOLANA_WALLET + "\n",
        SOLANA_WALLET[:-1] + "\n",
        SOLANA_WALLET[:31],
        SOLANA_WALLET + "1",
        "1" + SOLANA_WALLET,
        "z" * 44,  # above 2²⁵⁶
        "1" * 31,
        "1" * 33,  # 33 zero bytes
        "2" * 32,  # 24 bytes
        "toly.sol",
        "solana:" + SOLANA_WALLET,
        EVM_WALLET,
        "é" * 40,
    ],
)
def test_what_is_not_a_solana_address_is_refused(text):
    assert "32 bytes in base58" in refused(SOLANA, text)


@pytest.mark.parametrize(
    "account",
    [
        "11111111111111111111111111111111",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
        "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
        "ComputeBudget111111111111111111111111111111",
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
        "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
        "Stake11111111111111111111111111111111111111",
        "Vote111111111111111111111111111111111111111",
        "BPFLoaderUpgradeab1e11111111111111111111111",
        "AddressLookupTab1e1111111111111111111111111",
        "SysvarC1ock11111111111111111111111111111111",
        "SysvarRent111111111111111111111111111111111",
        "Sysvar1nstructions1111111111111111111111111",
        "1nc1nerator11111111111111111111111111111111",
    ],
)
def test_accounts_of_the_runtime_are_refused(account):
    assert "network itself" in refused(SOLANA, account)


def test_the_usdc_mint_is_refused_though_it_is_on_the_curve():
    assert Pubkey.from_string(SOLANA.usdc).is_on_curve()
    assert "token" in refused(SOLANA, SOLANA.usdc)


# Both


@pytest.mark.parametrize(
    ("network", "wallet"), [(BASE, EVM_WALLET), (POLYGON, EVM_WALLET), (SOLANA, SOLANA_WALLET)]
)
def test_our_own_wallets_are_refused(network, wallet):
    ours = frozenset({EVM_WALLET, SOLANA_WALLET})
    assert "Proton Pay itself" in refused(network, wallet, ours)
    if network.family == "evm":
        assert "Proton Pay itself" in refused(network, wallet.lower(), ours)


def test_a_refusal_never_repeats_what_was_given():
    for network in NETWORKS.values():
        assert "<script>" not in refused(network, "<script>" + EVM_WALLET)


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ("0x52908400098527886E0F7030069857D2E4169EE7", {"evm"}),
        ("0x52908400098527886e0f7030069857d2e4169ee7", {"evm"}),  # which has a typing error
        ("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", {"solana"}),
        ("1" * 32, {"solana"}),
        ("1" * 31, set()),
        ("z" * 44, set()),  # more than 32 bytes hold
        ("0x5290", set()),
        ("", set()),
    ],
)
def test_what_an_address_is_written_like(text: str, families: set[str]):
    assert families_of(text) == families
