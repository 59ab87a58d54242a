"""Whether a payment can be made now: the payee's accounts and our own, as they were read."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.hash import Hash
from solders.pubkey import Pubkey

from protonpay.chains.port import PayeeRefused, SendOrder
from protonpay.chains.solana_answers import (
    TOKEN_ACCOUNT_SIZE,
    Call,
    HeldAccount,
    ask,
    read_account,
    read_holding,
    reading,
)
from protonpay.chains.solana_payment import (
    TOKEN_PROGRAM,
    Wallets,
    marker_address,
    usdc_account,
)
from protonpay.wire.jsonrpc import JsonRpc

_CONFIRMED = {"commitment": "confirmed"}
# Of one getMultipleAccounts.
_MOST_ACCOUNTS = 100


@dataclass(frozen=True, slots=True)
class Found:
    """The accounts of a payment.

    Attributes:
        payee: what is at the address to be paid.
        account: that address's associated USDC account.
    """

    marker: HeldAccount | None
    payee: HeldAccount | None
    account: HeldAccount | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one look at the node told about some payments.

    Attributes:
        gas: our gas wallet; ``purse``: the treasury's USDC account.
        found: of each order, in their order.
        recent_prices: micro-lamports per compute unit paid lately around our accounts, ascending.
        empty_rent: the lamports an account without data must hold.
        token_rent: the lamports a token account must hold.
    """

    blockhash: str
    last_valid_block_height: int
    gas: HeldAccount | None
    purse: HeldAccount | None
    found: Sequence[Found]
    recent_prices: list[int]
    empty_rent: int
    token_rent: int

    def terms(self, price_cap: int) -> dict[str, str | int]:
        """Return the terms of payments made now, but for what each payee is.

        The price is what three quarters of the recent blocks would have taken, capped.
        """
        prices = self.recent_prices
        return {
            "blockhash": self.blockhash,
            "last_valid_block_height": self.last_valid_block_height,
            "cu_price_micro_lamports": min(
                prices[len(prices) * 3 // 4] if prices else 0, price_cap
            ),
            "marker_lamports": self.empty_rent,
        }

    def rent(self, *, new_account: bool) -> int:
        """Return the lamports that stay in the accounts a payment makes."""
        return self.empty_rent + (self.token_rent if new_account else 0)


def read_facts(rpc: JsonRpc, orders: Sequence[SendOrder], wallets: Wallets) -> Facts:
    """Ask the node once for everything the payments depend on, as of ``confirmed``.

    Raises:
        NoAnswer: unknown; ask again.
    """
    payees = [Pubkey.from_string(order.to) for order in orders]
    accounts = [usdc_account(payee, wallets.mint) for payee in payees]
    markers = [marker_address(wallets.gas, order.payout_id) for order in orders]
    keys = [str(key) for key in (wallets.gas, wallets.purse, *markers, *payees, *accounts)]
    parts = [keys[at : at + _MOST_ACCOUNTS] for at in range(0, len(keys), _MOST_ACCOUNTS)]
    priced = [str(wallets.purse), *(str(account) for account in accounts)]
    held = _CONFIRMED | {"encoding": "base64"}
    calls: list[Call] = [
        ("getLatestBlockhash", [_CONFIRMED]),
        ("getRecentPrioritizationFees", [priced]),
        ("getMinimumBalanceForRentExemption", [0]),
        ("getMinimumBalanceForRentExemption", [TOKEN_ACCOUNT_SIZE]),
        *(("getMultipleAccounts", [part, held]) for part in parts),
    ]
    latest, paid, empty_rent, token_rent, *told = ask(rpc, calls)
    count = len(orders)
    with reading():
        gas, purse, *each = [
            read_account(account)
            for part, answer in zip(parts, told, strict=True)
            for _, account in zip(part, answer["value"], strict=True)
        ]
        return Facts(
            blockhash=str(Hash.from_string(latest["value"]["blockhash"])),
            last_valid_block_height=int(latest["value"]["lastValidBlockHeight"]),
            gas=gas,
            purse=purse,
            found=[
                Found(*of)
                for of in zip(each[:count], each[count : 2 * count], each[2 * count :], strict=True)
            ],
            recent_prices=sorted(int(slot["prioritizationFee"]) for slot in paid),
            empty_rent=int(empty_rent),
            token_rent=int(token_rent),
        )


def check_payee(payee: Pubkey, found: Found, ours: Wallets) -> bool:
    """Tell whether the payee is a wallet (True) or itself a USDC account (False).

    A missing account is a wallet that nobody has used yet, but only on the curve: off it
    there is no key, so an address without an account is a typing error or somebody's
    token account of tomorrow, and a token account made for it would be lost.

    Raises:
        PayeeRefused: it can never be paid.
    """
    if payee in (ours.gas, ours.treasury, ours.purse):
        raise PayeeRefused("payee_is_ours", "The address belongs to Proton Pay.")
    held = found.payee
    if held is None:
        if not payee.is_on_curve():
            raise _not_a_wallet("No wallet can have this address, and nothing is there.")
    elif not held.is_plain:
        _check_token_account(held, ours)
        return False
    _check_wallet_account(payee, found.account, ours)
    return True


def _check_token_account(held: HeldAccount, ours: Wallets) -> None:
    holding = read_holding(held)
    if holding is None:
        raise _not_a_wallet("The address is a program or something else that is not a wallet.")
    if holding.mint != ours.mint:
        raise _not_a_wallet("The address is an account of another token.")
    if holding.owner in (ours.gas, ours.treasury):
        raise PayeeRefused("payee_is_ours", "The address belongs to Proton Pay.")
    if holding.frozen:
        raise _frozen()


def _check_wallet_account(payee: Pubkey, held: HeldAccount | None, ours: Wallets) -> None:
    if held is None or held.owner != TOKEN_PROGRAM:
        # Lamports sent ahead to its address do not hinder the account's creation.
        return
    holding = read_holding(held)
    if holding is None or holding.mint != ours.mint or holding.owner != payee:
        raise PayeeRefused(
            "payee_account_given_away", "The wallet's USDC account has another owner."
        )
    if holding.frozen:
        raise _frozen()


def _frozen() -> PayeeRefused:
    return PayeeRefused("payee_frozen", "Circle has frozen the address.")


def _not_a_wallet(detail: str) -> PayeeRefused:
    return PayeeRefused("payee_not_a_wallet", detail)
