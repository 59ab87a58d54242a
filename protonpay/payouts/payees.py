"""What stands at an address that somebody means to pay: a wallet or a program of the chain.

A web process asks no chain (ADR 11): it writes down that it wants to know, a worker looks, and what
was found is told for a while to whoever asks. What nobody has found out is unknown, never fine.
"""

from datetime import timedelta

import structlog
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.addresses import check_address
from protonpay.chains.registry import chains
from protonpay.chains.registry import network as named_network
from protonpay.kernel import clock
from protonpay.payouts.models import PayeeLook
from protonpay.payouts.states import PAYEE_LOOK
from protonpay.store import outbox
from protonpay.store.db import LOCK, current, release, transaction
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_TOLD_FOR = timedelta(minutes=10)
"""How long what was found is told: code comes to an address by a transaction."""
_PATIENCE = timedelta(seconds=10)
"""How long a look may take before it counts as unknown, and an unknown one before it is new."""
_KEPT_FOR = timedelta(days=1)


def look(*, wallet_address: str, network: str) -> PayeeLook:
    """Return what is known of an address, and have it looked at if that is nothing, or old.

    Raises:
        Invalid: no such network, or no payout may go there (``unsupported_network``,
            ``invalid_address``).
    """
    of = named_network(network)
    to = check_address(of, wallet_address, chains.own_wallets(of))
    now = clock.now()
    first = insert(PayeeLook).values(
        network=network, address=to, state=PAYEE_LOOK.initial, asked_at=now
    )
    with transaction() as session:
        new = session.scalar(first.on_conflict_do_nothing().returning(PayeeLook.address))
        row = session.get_one(
            PayeeLook, (network, to), with_for_update=LOCK, populate_existing=True
        )
        if new is None and _is_old(row):
            PAYEE_LOOK.check(row.state, PAYEE_LOOK.initial)
            row.state, row.asked_at, row.told_at = PAYEE_LOOK.initial, now, None
        elif new is None:
            return row
        outbox.add("payouts.look_at_payee", network=network, address=to)
    return row


def told(row: PayeeLook) -> str:
    """Return the state that a client sees: a look that takes too long is unknown."""
    late = row.state == PAYEE_LOOK.initial and clock.now() - row.asked_at > _PATIENCE
    return "UNKNOWN" if late else row.state


def find_out(network: str, address: str) -> None:
    """Ask the network what is at an address, and write it down; a silent node leaves it unknown."""
    release()
    try:
        state = "CONTRACT" if chains.inspector(network).is_contract(address) else "WALLET"
    except NoAnswer as unknown:
        log.warning("payee_unknown", network=network, error=repr(unknown))
        state = "UNKNOWN"
    with transaction():
        row = current().get(
            PayeeLook, (network, address), with_for_update=LOCK, populate_existing=True
        )
        if row is not None and row.state == PAYEE_LOOK.initial:
            PAYEE_LOOK.check(row.state, state)
            row.state, row.told_at = state, clock.now()


def forget() -> None:
    """Drop looks that nobody has asked for lately."""
    with transaction() as session:
        session.execute(delete(PayeeLook).where(PayeeLook.asked_at < clock.now() - _KEPT_FOR))


def _is_old(row: PayeeLook) -> bool:
    # One that is under way is a row of the outbox: it will be done.
    kept = _PATIENCE if row.state == "UNKNOWN" else _TOLD_FOR
    return row.told_at is not None and clock.now() - row.told_at > kept
