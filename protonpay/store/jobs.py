"""The job table: every job's name, its function in ``workers/``, its queue and its patience."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

CHAIN = "chain"
CARDS = "cards"
WEBHOOKS = "webhooks"
WATCH = "watch"
MAINTENANCE = "maintenance"
MAIL = "mail"
TELEGRAM = "telegram"
SETTLE = "settle"
QUEUES = (CHAIN, SETTLE, CARDS, WEBHOOKS, WATCH, MAINTENANCE, MAIL, TELEGRAM)
"""One queue per purpose: a slow webhook receiver never delays a payout.

Whoever serves ``CHAIN`` serves ``SETTLE``, too, by another process: while one signs, the other asks
what became of what is sent, and settles it. The one that serves ``CHAIN`` alone can sign.
"""

_SOON = (1, 2, 5, 10, 30, 60, 300, 900, 1800, 3600, 3600, 3600)


@dataclass(frozen=True, slots=True)
class Later:
    """What a job answers when it is not finished and did not fail: ask again after a while."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work.

    Attributes:
        path: dotted path below ``workers``; this package never imports it.
        timeout_seconds: after which RQ interrupts it.
        retry_seconds: the wait after each failure (an exception: a bug or the unforeseen);
            after the last one the row is dead and an operator is asked.
        urgent: goes before what waits in its queue: what is under way before what has not begun.
    """

    path: str
    queue: str
    timeout_seconds: int = 60
    retry_seconds: tuple[int, ...] = _SOON
    urgent: bool = False


JOBS: Mapping[str, Job] = {
    "payouts.sign": Job("workers.payouts.sign", CHAIN),
    "payouts.broadcast": Job("workers.payouts.broadcast", CHAIN, urgent=True),
    "payouts.outbid": Job("workers.payouts.outbid", CHAIN, urgent=True),
    "payouts.confirm": Job("workers.payouts.confirm", SETTLE, urgent=True),
    "payouts.look_at_payee": Job("workers.payouts.look_at_payee", WATCH),
    "deposits.card_callback": Job("workers.card_callbacks.take", CARDS, 90),
    "deposits.card_check": Job("workers.card_callbacks.check", CARDS, 90),
    "wallets.incoming_changed": Job("workers.wallets.incoming_changed", WATCH),
    "invoices.expire": Job("workers.invoices.expire", MAINTENANCE),
    "invoices.follow_card": Job("workers.invoices.follow_card", MAINTENANCE),
    "invoices.look_up": Job("workers.invoices.look_up", WATCH),
    "invoices.follow_refund": Job("workers.invoices.follow_refund", MAINTENANCE),
    "treasury.sign": Job("workers.treasury.sign", CHAIN, 120),
    "treasury.broadcast": Job("workers.treasury.broadcast", CHAIN),
    "treasury.confirm": Job("workers.treasury.confirm", CHAIN),
    "holds.follow_return": Job("workers.holds.follow_return", MAINTENANCE),
    "kyc.check": Job("workers.kyc.check", MAINTENANCE, 120),
    "test_mode.pay": Job("workers.test_mode.pay", WATCH, 120),
    "test_mode.take_away": Job("workers.test_mode.take_away", WATCH),
    "mail.send": Job("workers.mail.send", MAIL),
    "telegram.send": Job("workers.telegram.send", TELEGRAM),
    "auth.write_reset": Job("workers.auth.write_reset", MAIL),
    "auth.reset_factors": Job("workers.auth.reset_factors", MAINTENANCE),
    "auth.announce_revocation": Job("workers.auth.announce_revocation", MAINTENANCE),
}
"""Jobs that an outbox row asks for. A row is due until its job acknowledges it."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that comes round: it looks for what is due, so a missed round costs a delay only.

    Attributes:
        by_account: if not None, each network whose deposits are found in this way, or in the
            other one, has a round of its own.
        args: what the function is called with: the network of such a round.
    """

    path: str
    queue: str
    every_seconds: int
    timeout_seconds: int = 60
    by_account: bool | None = None
    args: tuple[str, ...] = ()


PERIODIC: Mapping[str, Periodic] = {
    "outbox.sweep": Periodic("workers.outbox.sweep", MAINTENANCE, 1),
    "ledger.fold": Periodic("workers.maintenance.fold_balances", MAINTENANCE, 1),
    "ledger.seal": Periodic("workers.maintenance.seal_entries", MAINTENANCE, 1),
    "auth.load_revocations": Periodic("workers.auth.load_revocations", MAINTENANCE, 2),
    "ledger.audit": Periodic("workers.maintenance.audit", MAINTENANCE, 300),
    "store.prune": Periodic("workers.maintenance.prune", MAINTENANCE, 3600),
    "store.months": Periodic("workers.maintenance.keep_months", MAINTENANCE, 3600),
    "kyc.drop_documents": Periodic("workers.kyc.drop_documents", MAINTENANCE, 3600),
    "idempotency.reap": Periodic("workers.maintenance.reap_keys", MAINTENANCE, 60),
    "requests.collect": Periodic("workers.maintenance.collect_requests", MAINTENANCE, 1),
    "events.dispatch": Periodic("workers.webhooks.dispatch", WEBHOOKS, 1),
    "webhooks.deliver": Periodic("workers.webhooks.deliver", WEBHOOKS, 1),
    "webhooks.give_up": Periodic("workers.webhooks.give_up", MAINTENANCE, 3600),
    "payouts.waits": Periodic("workers.payouts.look_at_waits", MAINTENANCE, 30),
    "chains.heads": Periodic("workers.payouts.look_at_heads", SETTLE, 5),
    "wallets.fill_pool": Periodic("workers.wallets.fill_pool", CHAIN, 1),
    "wallets.watch_accounts": Periodic("workers.wallets.watch_accounts", WATCH, 1, by_account=True),
    "wallets.watch_blocks": Periodic("workers.wallets.watch_blocks", WATCH, 2, by_account=False),
    "proofs.heads": Periodic("workers.proofs.heads", MAINTENANCE, 60, 600),
    "proofs.reserves": Periodic("workers.proofs.reserves", WATCH, 15, 120),
    "treasury.look": Periodic("workers.treasury.look", MAINTENANCE, 30),
    "reconciliation.networks": Periodic("workers.reconciliation.networks", WATCH, 15, 120),
    "reconciliation.providers": Periodic("workers.reconciliation.providers", CARDS, 15, 120),
    "reconciliation.ledger": Periodic("workers.reconciliation.ledger", MAINTENANCE, 60, 120),
    "cards.beat": Periodic("workers.card_callbacks.beat", CARDS, 5),
    "notifications.write": Periodic("workers.notifications.write", MAIL, 2),
    "mail.beat": Periodic("workers.mail.beat", MAIL, 5),
    "telegram.beat": Periodic("workers.telegram.beat", TELEGRAM, 5),
}
"""Run by RQ's own cron scheduler; ``flask ops run NAME`` asks for a round by hand."""


def rounds(networks: Mapping[str, bool]) -> Mapping[str, Periodic]:
    """Return every round by its name, those of the networks one by one.

    Args:
        networks: name → whether its deposits are found by asking about each account.
    """
    found: dict[str, Periodic] = {}
    for name, work in PERIODIC.items():
        if work.by_account is None:
            found[name] = work
            continue
        for network, by_account in networks.items():
            if by_account is work.by_account:
                found[round_name(name, network)] = replace(work, args=(network,))
    return found


def round_name(name: str, *args: str) -> str:
    """Return the name of a round: ``wallets.watch_blocks:Base``."""
    return ":".join((name, *args))
