"""A pool of addresses as the chain worker would fill it, and what a watch found."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.keyring import Keyring
from protonpay.chains.registry import NETWORKS, chains
from protonpay.deposits import crypto
from protonpay.kernel import clock
from protonpay.store.db import db, transaction
from protonpay.wallets import pool
from protonpay.wallets.models import Incoming, WatchMark
from protonpay.wire.jsonrpc import JsonRpc


def begin_watches(height: int = 0) -> None:
    """Let every network's watch have a beginning."""
    row = {
        "height": height,
        "seen_height": height,
        "overlap_heights": [height],
        "again_height": height,
        "looked_at": clock.now(),
    }
    with transaction() as session:
        rows = [{"network": name, **row} for name in NETWORKS]
        session.execute(insert(WatchMark).values(rows).on_conflict_do_nothing())


def fill(keyring_path: Path, passphrase: str, count: int = 4) -> None:
    """Make addresses of each family in this process, which then forgets the keys again."""
    bound = chains._bound()
    begin_watches()
    chains._settings = replace(bound, keyring=_opened(keyring_path, passphrase))
    try:
        pool.fill(count)
    finally:
        chains._settings = bound


@functools.cache
def _opened(path: Path, passphrase: str) -> Keyring:
    """Open a keyring once: a passphrase is slow to try, and hundreds of tests want the same."""
    return Keyring.open(path, passphrase)


def transfers() -> list[Incoming]:
    """Return every transfer, oldest first."""
    query = select(Incoming).order_by(Incoming.seen_at, Incoming.ordinal)
    return list(db.session.scalars(query, execution_options={"populate_existing": True}))


def states() -> list[str]:
    """Return the state of every transfer, oldest first."""
    return [row.state for row in transfers()]


def told() -> list[str]:
    """Return the transfers that somebody was asked to follow, each time."""
    rows = db.session.execute(
        text("SELECT args->>'incoming_id' FROM outbox WHERE job = 'wallets.incoming_changed'")
    )
    return [incoming_id for (incoming_id,) in rows]


def follow_all() -> None:
    """Do every job there ever was, the old ones again: a job may come twice."""
    for incoming_id in told():
        crypto.follow(incoming_id)


class Careful:
    """Stands before a watch: a node is never asked while rows are held."""

    def __init__(self, watch: object) -> None:
        self._watch = watch

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        assert not db.session().in_transaction(), f"{verb} inside a transaction"
        return getattr(self._watch, verb)


class Meddler:
    """A node's answers, spoiled by a test.

    Attributes:
        spoil: gets method, parameters and true result, and answers in its place; may raise.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self.spoil: Callable[[str, list[Any], Any], Any] = lambda _method, _params, told: told
        self.asked: list[str] = []

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        told = self._rpc.batch(calls)
        self.asked += [method for method, _ in calls]
        pairs = zip(calls, told, strict=True)
        return [self.spoil(method, list(params), one) for (method, params), one in pairs]

    def honest(self) -> None:
        """Leave the answers alone again."""
        self.spoil = lambda _method, _params, told: told
