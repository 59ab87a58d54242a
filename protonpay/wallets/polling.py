"""Watch a network by its accounts: a changed balance has its transactions read.

A balance only rings the bell. What is credited are transactions, read one after the other;
what they make of the balance is kept, and as long as it is not the balance that the node
tells, the account is read again: a node whose lists lag behind its balances loses nothing.
One that goes on like this kept a transaction back until later ones were read, so all that
the account ever did is read from its beginning.
"""

import itertools
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import case, select, update

from protonpay.chains.registry import chains
from protonpay.chains.watch import AccountWatch, Movement
from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.store.db import LOCK, db, release, transaction
from protonpay.wallets import recording
from protonpay.wallets.models import Incoming, WatchedAccount
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
_TIMES = 5
"""Five thousand a second are three million in ten minutes, if the node keeps up."""
_SOON = timedelta(seconds=1)
_AFTER_SILENCE = timedelta(seconds=5)
# Who was shown an address pays within the hour; who has one from long ago may pay, too.
_TIERS = (
    (timedelta(hours=1), timedelta(seconds=2)),
    (timedelta(hours=24), timedelta(seconds=10)),
)
_RARELY = timedelta(minutes=10)
_LAG = timedelta(seconds=30)
"""How long a node's lists may be behind its balances before everything is read anew."""
_UNEXPLAINED = timedelta(minutes=1)
_MOST_READS = 50


def begin(network: str) -> int:
    """Return where the watch of a network begins: nobody has an address of ours before."""
    return chains.account_watch(network).final_slot()


def read(network: str) -> None:
    """Look at the accounts that are due, at some thousands of them.

    Raises:
        NoAnswer: unknown, or unknown of each that had something to tell; they stay due.
    """
    watch = chains.account_watch(network)
    for _ in range(_TIMES):
        due = _due(network)
        if due:
            _look(network, watch, due)
        if len(due) < _AT_ONCE:
            return


def _look(network: str, watch: AccountWatch, due: Sequence[WatchedAccount]) -> None:
    open_rows = recording.open_rows(network)
    release()
    balances = watch.balances([account.address for account in due])
    moving = {row.address for row in open_rows}
    quiet, read_well = [], []
    for account in due:
        at = account.address
        if balances[at] == account.balance_micro.micro and at not in moving:
            quiet.append(at)
        else:
            seen = [row for row in open_rows if row.address == at]
            read_well.append(_read_one(watch, account, balances[at], seen))
    _look_later(network, quiet)
    if read_well and not any(read_well):
        raise NoAnswer(f"the node tells of none of {len(read_well)} accounts")


def _due(network: str) -> Sequence[WatchedAccount]:
    due = select(WatchedAccount).where(
        WatchedAccount.network == network, WatchedAccount.due_at <= clock.now()
    )
    return db.session.scalars(
        due.order_by(WatchedAccount.due_at).limit(_AT_ONCE),
        execution_options={"populate_existing": True},
    ).all()


def _read_one(
    watch: AccountWatch, account: WatchedAccount, balance: int, seen: Sequence[Incoming]
) -> bool:
    """Read an account's transactions; one that the node will not tell of holds up no other.

    Returns:
        Whether it told.
    """
    anew = False
    try:
        movements = watch.movements(account.address, account.cursor)
        gone = [row for row in seen if _is_gone(watch, row, movements)]
        if not movements and _is_odd(account, balance):
            movements, anew = _all_movements(watch, account.address), True
    except NoAnswer as unknown:
        log.warning("account_unknown", network=account.network, error=repr(unknown))
        _put_off(account)
        return False
    _write(account, balance, movements, gone, anew=anew)
    return True


def _write(
    account: WatchedAccount,
    balance: int,
    movements: Sequence[Movement],
    gone: Sequence[Incoming],
    *,
    anew: bool,
) -> None:
    """Write down what an account's transactions did: those after its mark, or ``anew`` all."""
    # The mark stays before the first that is not final, whatever a node says of later ones.
    settled = list(itertools.takewhile(lambda movement: movement.final, movements))
    unsettled = movements[len(settled) :]
    held = recording.holders(account.network, [account.address])
    with transaction() as session:
        row = session.get_one(
            WatchedAccount,
            (account.network, account.address),
            with_for_update=LOCK,
            populate_existing=True,
        )
        if row.cursor != account.cursor:
            return  # another worker was faster
        for part, is_final in ((settled, True), (unsettled, False)):
            arrivals = [one.arrival for one in part if one.arrival]
            recording.record(account.network, arrivals, held, final=is_final)
        for gone_row in gone:
            recording.vanish(account.network, gone_row.tx_hash, gone_row.ordinal)
        before = ZERO if anew else row.balance_micro
        explained = before.micro + sum(one.change for one in movements) == balance
        if explained or not anew:
            row.balance_micro = before
            _advance(row, settled)
        now = clock.now()
        if movements and not anew:
            row.active_at = now
        row.due_at = now + (_SOON if unsettled or not explained else _TIERS[0][1])
        if anew and not explained:
            log.error("balance_unexplained", network=account.network, address=account.address)
            row.due_at = now + _UNEXPLAINED


def _is_odd(account: WatchedAccount, balance: int) -> bool:
    """Tell whether a balance is unexplained for longer than a node's lists may lag."""
    return account.balance_micro.micro != balance and account.active_at < clock.now() - _LAG


def _all_movements(watch: AccountWatch, address: str) -> list[Movement]:
    """Return what happened to an account since its beginning.

    Raises:
        NoAnswer: unknown, or it does not end.
    """
    found: list[Movement] = []
    after: str | None = None
    for _ in range(_MOST_READS):
        more = watch.movements(address, after)
        found += more
        if not more or not more[-1].final:
            return found
        after = more[-1].name
    raise NoAnswer("the list of movements does not end")


def _is_gone(watch: AccountWatch, row: Incoming, movements: Sequence[Movement]) -> bool:
    there = {movement.name: movement for movement in movements}
    found = there.get(row.tx_hash)
    if found is None:
        return watch.is_gone(row.tx_hash, row.block)
    # In another block than before it did something else: it failed, or paid nothing.
    return found.final and found.arrival is None


def _advance(row: WatchedAccount, settled: Sequence[Movement]) -> None:
    if settled:
        changed = sum(movement.change for movement in settled)
        row.balance_micro = Usdc(row.balance_micro.micro + changed)
        row.cursor = settled[-1].name


def _put_off(account: WatchedAccount) -> None:
    with transaction() as session:
        session.execute(
            update(WatchedAccount)
            .filter_by(network=account.network, address=account.address)
            .values(due_at=clock.now() + _AFTER_SILENCE)
        )


def _look_later(network: str, addresses: Sequence[str]) -> None:
    if not addresses:
        return
    now = clock.now()
    tiers = [(WatchedAccount.active_at > now - age, now + wait) for age, wait in _TIERS]
    # In one order, as reconciliation has some of them looked at soon in the same.
    quiet = (
        select(WatchedAccount.address)
        .where(WatchedAccount.network == network, WatchedAccount.address.in_(addresses))
        .order_by(WatchedAccount.address)
        .with_for_update(**LOCK)
        .cte("quiet")
    )
    with transaction() as session:
        session.execute(
            update(WatchedAccount)
            .where(
                WatchedAccount.network == network,
                WatchedAccount.address.in_(select(quiet.c.address)),
            )
            .values(due_at=case(*tiers, else_=now + _RARELY))
        )
