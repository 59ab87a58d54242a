"""Wallets of people, which sign what they are shown."""

from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from solders.keypair import Keypair
from werkzeug.test import TestResponse

from tests.actors import Actor


@dataclass(frozen=True)
class EvmWallet:
    """A wallet on Base and Polygon; eth-account signs as MetaMask does."""

    account: Any
    network: str = "Base"

    @property
    def address(self) -> str:
        return str(self.account.address)

    def sign(self, message: str) -> str:
        return "0x" + bytes(self.account.sign_message(encode_defunct(text=message)).signature).hex()


@dataclass(frozen=True)
class SolanaWallet:
    """A wallet on Solana; solders signs as Phantom does."""

    keypair: Keypair
    network: str = "Solana"

    @property
    def address(self) -> str:
        return str(self.keypair.pubkey())

    def sign(self, message: str) -> str:
        return str(self.keypair.sign_message(message.encode()))


Wallet = EvmWallet | SolanaWallet


def evm(network: str = "Base") -> EvmWallet:
    return EvmWallet(Account.create(), network)


def solana() -> SolanaWallet:
    return SolanaWallet(Keypair())


def challenge(actor: Actor, wallet: Wallet, **changes: Any) -> TestResponse:
    asked = {"network": wallet.network, "address": wallet.address}
    return actor.post("/client/wallets/message", asked | changes)


def asked(actor: Actor, wallet: Wallet) -> dict[str, Any]:
    answer = challenge(actor, wallet)
    assert answer.status_code == 200, answer.get_json()
    shown: dict[str, Any] = answer.get_json()["challenge"]
    return shown


def prove(actor: Actor, challenge_id: str, signature: str) -> TestResponse:
    return actor.post("/client/wallets", {"challengeId": challenge_id, "signature": signature})


def link(actor: Actor, wallet: Wallet) -> TestResponse:
    shown = asked(actor, wallet)
    return prove(actor, shown["id"], wallet.sign(shown["message"]))
