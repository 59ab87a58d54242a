"""A Solana node's answers, read with distrust: another form than expected says nothing."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from solders.hash import ParseHashError
from solders.pubkey import Pubkey

from protonpay.chains.solana_payment import SYSTEM_PROGRAM, TOKEN_PROGRAM
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc, RpcError

log = structlog.get_logger(__name__)

TOKEN_ACCOUNT_SIZE = 165
_FROZEN = 2
_STATE_AT = 108
# A bad block hash is no ValueError, unlike a bad address or signature.
_OTHER_FORM = (LookupError, TypeError, ValueError, AttributeError, ParseHashError)

Call = tuple[str, Sequence[Any]]
FINAL_TRANSACTION = {
    "commitment": "finalized",
    "encoding": "json",
    # Without it a node refuses every transaction of a newer version (-32015).
    "maxSupportedTransactionVersion": 1,
}


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """An account as ``getMultipleAccounts`` shows it."""

    lamports: int
    owner: Pubkey
    executable: bool
    data: bytes

    @property
    def is_plain(self) -> bool:
        """A wallet: of the System program, no data, no program."""
        return self.owner == SYSTEM_PROGRAM and not self.data and not self.executable


@dataclass(frozen=True, slots=True)
class TokenHolding:
    """A token account of the classic Token program."""

    mint: Pubkey
    owner: Pubkey
    micro: int
    frozen: bool


@dataclass(frozen=True, slots=True)
class FinalPoint:
    """How far the node's final state reaches."""

    slot: int
    height: int


def ask(rpc: JsonRpc, calls: Sequence[Call]) -> list[Any]:
    """Ask one node several questions; a refusal to answer a question is no answer.

    Raises:
        NoAnswer: unknown; ask again.
    """
    try:
        return rpc.batch(calls)
    except RpcError as error:
        raise NoAnswer(f"the node would not say: {error}") from error


@contextmanager
def reading() -> Iterator[None]:
    """Turn an answer of another form than documented into not knowing."""
    try:
        yield
    except _OTHER_FORM as error:
        raise NoAnswer(f"the node's answer has another form: {error!r}") from error


def read_account(told: Any) -> HeldAccount | None:
    """Read an account in base64; None where there is none."""
    if told is None:
        return None
    data = base64.b64decode(told["data"][0], validate=True)
    owner = Pubkey.from_string(told["owner"])
    return HeldAccount(int(told["lamports"]), owner, bool(told["executable"]), data)


def read_holding(held: HeldAccount | None) -> TokenHolding | None:
    """Read an initialized token account; None when it is something else."""
    if held is None or held.owner != TOKEN_PROGRAM or len(held.data) != TOKEN_ACCOUNT_SIZE:
        return None
    data = held.data
    if data[_STATE_AT] == 0:
        return None
    micro = int.from_bytes(data[64:72], "little")
    return TokenHolding(
        Pubkey(data[:32]), Pubkey(data[32:64]), micro, frozen=data[_STATE_AT] == _FROZEN
    )


def read_final_point(told: Any) -> FinalPoint:
    """Read ``getEpochInfo`` at ``finalized``."""
    return FinalPoint(slot=_whole(told["absoluteSlot"]), height=_whole(told["blockHeight"]))


def token_change(transaction: Any, account: Pubkey, mint: str) -> int:
    """Return by how many smallest units a transaction changed a token account.

    From the balances that the node recorded, not from instructions or logs: those can hide
    transfers (p-token's ``batch``) or name others. An account that is missing on one side
    held nothing then.
    """
    meta = transaction["meta"]
    place = place_of(transaction, account)
    before = _token_balance(meta["preTokenBalances"], place, mint)
    return _token_balance(meta["postTokenBalances"], place, mint) - before


def was_created(transaction: Any, account: Pubkey) -> bool:
    """Tell whether a transaction brought an account into being."""
    meta, place = transaction["meta"], place_of(transaction, account)
    return bool(meta["preBalances"][place] == 0 and meta["postBalances"][place] > 0)


def place_of(transaction: Any, account: Pubkey) -> int:
    """Return which of a transaction's accounts this is."""
    return account_keys(transaction).index(str(account))


def token_owners(transaction: Any, mint: str) -> dict[Pubkey, str]:
    """Return the token accounts of a mint that a transaction names, with their owners."""
    keys, meta = account_keys(transaction), transaction["meta"]
    return {
        Pubkey.from_string(keys[balance["accountIndex"]]): str(balance["owner"])
        for balance in (*meta["preTokenBalances"], *meta["postTokenBalances"])
        if balance["mint"] == mint and balance.get("owner")
    }


def account_keys(transaction: Any) -> list[str]:
    """Return a transaction's accounts in the order in which balances are counted."""
    # Counted as balances are: the message's own keys, then those of lookup tables.
    loaded = transaction["meta"].get("loadedAddresses") or {"writable": [], "readonly": []}
    own = transaction["transaction"]["message"]["accountKeys"]
    return [*own, *loaded["writable"], *loaded["readonly"]]


def _token_balance(balances: Any, place: int, mint: str) -> int:
    for balance in balances:
        if balance["accountIndex"] == place and balance["mint"] == mint:
            return int(balance["uiTokenAmount"]["amount"])
    return 0


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a whole number")
    return value


def broadcast(rpc: JsonRpc, raw: bytes, tx_hash: str) -> None:
    """Hand bytes to the node, which tries them first and then passes them on.

    A refusal proves nothing: bytes that landed are refused too, and a node that lags
    does not know the block hash yet.

    Raises:
        NoAnswer: it may or may not have taken them.
    """
    options = {"encoding": "base64", "preflightCommitment": "confirmed"}
    try:
        rpc.call("sendTransaction", base64.b64encode(raw).decode(), options)
    except RpcError as error:
        log.warning("solana_send_refused", tx_hash=tx_hash, error=str(error))
