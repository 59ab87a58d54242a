"""Find a thing of one's own by what a person has of it: an id, a hash, an address, a sum.

What a text may be is told by its form, and each form is looked up where an index has it: whole
or from its beginning, never in the middle. So a search costs a few pages of indexes, however
much there is. What does not begin with the account in its index is an id, which is long enough
to be nearly alone.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.chains.addresses import checksummed
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import Usdc
from protonpay.request_log.service import KEPT
from protonpay.store import db

MOST = 5
"""Of each kind; all that moved is in the activity, by the same text."""
LONGEST = 128

_SHORTEST_WORD = 4
_WORD = re.compile(rf"[!-~]{{{_SHORTEST_WORD},{LONGEST}}}", re.ASCII)
# Of an id the moment comes first: with fewer characters the ids of everybody's last second begin.
_ID = re.compile(r"c[a-z0-9]{7,32}", re.ASCII)
_EVENT_ID = re.compile(r"evt_c[a-z0-9]{7,32}", re.ASCII)
_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_EVM_HASH = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
_NO_AMOUNT = "NULL::bigint"
_KEY_SHOWN = 12  # characters of a key that are no secret


@dataclass(frozen=True, slots=True)
class Hit:
    """A thing that was found.

    Attributes:
        kind: one of ``KINDS``.
        title: who is on the other side, or how its owner named it.
        amount: for what is one.
        link: its page in the portal.
        exact: the text is all of what it was found by.
    """

    kind: str
    id: str
    title: str | None
    amount: Usdc | None
    created_at: datetime
    link: str
    exact: bool


@dataclass(frozen=True, slots=True)
class _Source:
    """A table, and whose rows of it are whose.

    Attributes:
        opens: the route that shows one: who may not call it finds none.
        link: the page of one, by its ``{id}`` or what ``thing`` is.
    """

    kind: str
    opens: str
    table: str
    mine: str
    link: str
    title: str = "NULL"
    amount: str = _NO_AMOUNT
    at: str = "created_at"
    thing: str = "id"
    id: str = "id"


_NAME = "(SELECT public_id FROM users WHERE users.id = {})"
_PAYOUT = _Source(
    *("PAYOUT", "payouts.payout", "payouts", "user_id = %(user)s", "/app/withdrawals/{}"),
    *("wallet_address", "amount_micro"),
)
_DEPOSIT = _Source(
    *("DEPOSIT", "deposits.deposit", "deposits", "user_id = %(user)s AND state <> 'VANISHED'"),
    *("/app/deposits/{}", "coalesce(provider, sender)", "amount_micro - commission_micro"),
)
_SENT = _Source(
    *("TRANSFER", "transfers.one", "transfers", "sender_id = %(user)s", "/app/transfers/{}"),
    *("to_identifier", "amount_micro"),
)
_RECEIVED = _Source(
    *("TRANSFER", "transfers.one", "transfers", "recipient_id = %(user)s", "/app/transfers/{}"),
    *(_NAME.format("sender_id"), "amount_micro"),
)
_INVOICE = _Source(
    *("INVOICE", "invoices.invoice", "invoices", "user_id = %(user)s", "/app/invoices/{}"),
    *("description", "amount_micro"),
)
# What an invoice's money is, its own page tells: to the owner one, to who paid the other.
_TAKEN = _Source(
    *("PAYMENT", "invoices.invoice", "invoice_payments", "owner_id = %(user)s"),
    *("/app/invoices/{}", f"coalesce(sender, {_NAME.format('payer_id')})"),
    *("amount_micro - commission_micro", "created_at", "invoice_id"),
)
_PAID = _Source(
    *("PAYMENT", "invoices.invoice", "invoice_payments", "payer_id = %(user)s", "/pay/{}"),
    *(_NAME.format("owner_id"), "amount_micro", "created_at", "invoice_id"),
)
_REFUND = _Source(
    *("REFUND", "invoices.invoice", "invoice_refunds", "owner_id = %(user)s"),
    *("/app/invoices/{}", "NULL", "amount_micro", "created_at", "invoice_id"),
)
_EVENT = _Source(
    *("EVENT", "events.event", "events", "user_id = %(user)s AND sequence IS NOT NULL"),
    *("/app/events/{}", "name", _NO_AMOUNT, "happened_at"),
)
_WEBHOOK = _Source(
    *("WEBHOOK", "webhooks.webhook", "webhook_endpoints"),
    *("user_id = %(user)s AND deleted_at IS NULL", "/app/webhooks/{}", "url"),
)
_KEY = _Source(
    *("API_KEY", "api-keys.key", "api_keys", "user_id = %(user)s AND revoked_at IS NULL"),
    *("/app/keys", "name"),
)
_REQUEST = _Source(
    *("REQUEST", "requests.one", "request_log"),
    *("user_id = %(user)s AND created_at >= %(kept)s", "/app/requests/{}", "method || ' ' || path"),
)
_BOOKED = _Source(
    *("ADDRESS", "addresses.entry", "address_book", "user_id = %(user)s AND removed_at IS NULL"),
    *("/app/addresses", "label"),
)
_LINKED = _Source(
    *("ADDRESS", "wallets.wallet", "linked_wallets", "user_id = %(user)s AND unlinked_at IS NULL"),
    *("/app/addresses", "network"),
)
_OWN = _Source(
    *("ADDRESS", "deposits.crypto", "deposit_addresses"),
    *("holder_kind = 'user' AND holder_id = %(user)s", "/app/deposit", "family", _NO_AMOUNT),
    *("claimed_at", "address", "address"),
)
KINDS = (
    *("PAYOUT", "DEPOSIT", "TRANSFER", "INVOICE", "PAYMENT", "REFUND"),
    *("EVENT", "WEBHOOK", "API_KEY", "REQUEST", "ADDRESS"),
)

_WITH_IDS = (
    *(_PAYOUT, _DEPOSIT, _SENT, _RECEIVED, _INVOICE, _TAKEN, _PAID, _REFUND),
    *(_WEBHOOK, _KEY, _REQUEST, _BOOKED, _LINKED),
)
_BY_AMOUNT = (_PAYOUT, _DEPOSIT, _SENT, _RECEIVED, _INVOICE)
# What is written on a chain, or what a person typed: the column and whose.
_BY_WORD = (
    *((_PAYOUT, "tx_hash"), (_DEPOSIT, "tx_hash"), (_TAKEN, "tx_hash")),
    *((_PAYOUT, "wallet_address"), (_DEPOSIT, "sender"), (_TAKEN, "sender")),
    (_SENT, "lower(to_identifier)"),
)
_AFTER_IDS = "z" * 33
_AFTER_WORDS = "\x7f"


@dataclass(frozen=True, slots=True)
class _Look:
    """Where a form of text is looked up.

    Attributes:
        meets: the condition; an index begins with it.
        exact: whether a row that meets it is all of what was asked for, in SQL.
        first: the order in which the index has them.
    """

    source: _Source
    meets: str
    exact: str = "true"
    first: str = "created_at DESC, id DESC"

    @property
    def sql(self) -> str:
        """Return the query of the first few."""
        of = self.source
        return f"""
            (SELECT '{of.kind}' AS kind, {of.id} AS id, {of.title} AS title, {of.amount} AS amount,
                    {of.at} AS at, {of.thing} AS thing, '{of.link}' AS link, {self.exact} AS exact
             FROM {of.table} WHERE {of.mine} AND {self.meets}
             ORDER BY {self.first} LIMIT {MOST})
        """  # noqa: S608 - of constants of this file alone


def search(user_id: str, text: str, may: Callable[[str], bool]) -> list[Hit]:
    """Return what of an account's own has a text, the exact first, then the newest.

    Args:
        user_id: whose.
        text: an id, a hash, an address, an e-mail, the beginning of one; or an amount.
        may: whether the caller may call a route, by its endpoint.

    Raises:
        Invalid: it is nothing of these (``invalid_search``).
    """
    looks = list(_looks(text))
    if not looks:
        said = "Search for an id, a transaction, an address, an e-mail or an amount."
        raise Invalid("invalid_search", said)
    looks = [look for look in looks if may(look.source.opens)]
    if not looks:
        return []
    asked = {"user": user_id, "kept": clock.now() - KEPT, **_forms(text)}
    found: dict[tuple[str, str], Hit] = {}
    for row in db.execute(" UNION ALL ".join(look.sql for look in looks), asked):
        hit = _hit(row)
        known = found.get((hit.kind, hit.id))
        if known is None or hit.exact > known.exact:
            found[hit.kind, hit.id] = hit
    ranked = sorted(found.values(), key=lambda hit: (hit.exact, hit.created_at), reverse=True)
    return [hit for hit in ranked if _place(hit, ranked) < MOST]


def _place(hit: Hit, ranked: Sequence[Hit]) -> int:
    return [one.id for one in ranked if one.kind == hit.kind].index(hit.id)


def _hit(row: Sequence[Any]) -> Hit:
    kind, thing_id, title, amount, at, thing, link, exact = row
    money = None if amount is None else Usdc(int(amount))
    return Hit(kind, thing_id, title, money, at, link.format(thing), exact)


def _looks(text: str) -> Iterator[_Look]:
    if _amount(text) is not None:
        yield from (_Look(of, f"{of.amount} = %(micro)s") for of in _BY_AMOUNT)
        taken = "method = 'CRYPTO' AND amount_micro - commission_micro = %(micro)s"
        yield _Look(_TAKEN, taken)
    if _ID.fullmatch(text):
        whole = "id >= %(text)s AND id <= %(last_id)s"
        yield from (_Look(of, whole, "id = %(text)s", "id DESC") for of in _WITH_IDS)
    if _EVENT_ID.fullmatch(text):
        whole = "id >= %(text)s AND id <= %(last_id)s"
        yield _Look(_EVENT, whole, "id = %(text)s", "id DESC")
    if ids.REQUEST_ID_PATTERN.fullmatch(text):
        yield _Look(_REQUEST, "request_id = %(text)s")
    if text.startswith(ids.API_KEY_PREFIX):
        yield _Look(_KEY, "starts_with(prefix, %(key)s)", "prefix = %(key)s")
    elif ids.PUBLIC_ID_PATTERN.fullmatch(text.upper()):
        yield _Look(_SENT, "lower(to_identifier) = lower(%(text)s)")
        sender = "sender_id = (SELECT id FROM users WHERE public_id = upper(%(text)s))"
        yield _Look(_RECEIVED, sender)
    elif _WORD.fullmatch(text):
        yield from (_beginning(of, column) for of, column in _BY_WORD)
        few = "(starts_with(address, %(text)s) OR address = %(address)s)"
        whole = "address IN (%(text)s, %(address)s)"
        yield from (_Look(of, few, whole) for of in (_BOOKED, _LINKED))
        yield _Look(_OWN, f"family IN ('evm', 'solana') AND {whole}", "true", "address")


def _beginning(of: _Source, column: str) -> _Look:
    name = {"tx_hash": "hash", "lower(to_identifier)": "small"}.get(column, "address")
    meets = f"{column} ~>=~ %({name})s AND {column} ~<~ %({name}_end)s"
    if column in ("tx_hash", "sender"):
        meets = f"method = 'CRYPTO' AND {meets}" if of is not _PAYOUT else meets
    order = f"{column} USING ~>~, created_at DESC, id DESC"
    return _Look(of, meets, f"{column} = %({name})s", order)


def _forms(text: str) -> dict[str, Any]:
    """Return a text as each of its readings has it."""
    amount = _amount(text)
    on_chain = text.lower() if _EVM_HASH.fullmatch(text) else text
    address = checksummed(bytes.fromhex(text[2:])) if _EVM_ADDRESS.fullmatch(text) else text
    return {
        "text": text,
        "last_id": text + _AFTER_IDS,
        "micro": amount and amount.micro,
        "key": text[:_KEY_SHOWN],
        **{
            name: value
            for reading, word in (("hash", on_chain), ("address", address), ("small", text.lower()))
            for name, value in ((reading, word), (f"{reading}_end", word + _AFTER_WORDS))
        },
    }


def _amount(text: str) -> Usdc | None:
    try:
        return Usdc.parse(text) or None
    except ValueError:
        return None
