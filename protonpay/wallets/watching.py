"""One round of watching one network, by one worker at a time."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.registry import network as named_network
from protonpay.kernel import clock
from protonpay.store.db import db, release, transaction
from protonpay.wallets import polling, scanning
from protonpay.wallets.models import WatchMark
from protonpay.wire.http import NoAnswer, Throttled

log = structlog.get_logger(__name__)

_BUSY = timedelta(seconds=15)
"""How long a dead worker's round holds up the next. Two at once would only do it twice."""


def watch(network: str) -> None:
    """Read what is new on a network; a node that does not answer costs this round, no more.

    Raises:
        Invalid: there is no such network.
    """
    mark = None
    try:
        mark = _take(network)
        if mark is not None:
            _read(network, mark)
    except NoAnswer as unknown:
        log.warning("watch_unknown", network=network, error=repr(unknown))
        pause = unknown.seconds if isinstance(unknown, Throttled) else 0
        _leave(network, mark, pause=pause)
    except BaseException:
        _leave(network, mark)
        raise
    else:
        _leave(network, mark, looked=True)


def _take(network: str) -> WatchMark | None:
    """Return how far the network was read, or None while another worker is at it."""
    if db.session.get(WatchMark, network) is None:
        _begin(network)
    release()
    now = clock.now()
    with transaction() as session:
        mark: WatchMark | None = session.scalar(
            update(WatchMark)
            .where(
                WatchMark.network == network,
                WatchMark.busy_until.is_(None) | (WatchMark.busy_until < now),
            )
            .values(busy_until=now + _BUSY)
            .returning(WatchMark),
            execution_options={"populate_existing": True},
        )
    release()
    return mark


def _begin(network: str) -> None:
    release()
    start = polling.begin if named_network(network).by_account else scanning.begin
    at = start(network)
    row = {
        "network": network,
        "height": at,
        "seen_height": at,
        "overlap_heights": [at],
        "again_height": at,
        "looked_at": clock.now(),
    }
    with transaction() as session:
        session.execute(insert(WatchMark).values(row).on_conflict_do_nothing())


def _read(network: str, mark: WatchMark) -> None:
    if named_network(network).by_account:
        polling.read(network)
    else:
        scanning.read(network, mark)


def _leave(network: str, mark: WatchMark | None, *, looked: bool = False, pause: int = 0) -> None:
    """Let others take the network, at once or after the pause that its node asks for."""
    release()
    if mark is None:
        return
    told: dict[str, datetime] = {"looked_at": clock.now()} if looked else {}
    until = clock.now() + timedelta(seconds=pause) if pause else None
    with transaction() as session:
        session.execute(
            update(WatchMark)
            .where(WatchMark.network == network, WatchMark.busy_until == mark.busy_until)
            .values(busy_until=until, **told)
        )
