"""The metrics page: what processes counted, and what the database and Redis say now."""

import os
from collections import Counter
from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from typing_extensions import override

from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock
from protonpay.ledger import seals
from protonpay.payouts import waits
from protonpay.payouts.ceilings import signer
from protonpay.rails import service as rails
from protonpay.reconciliation import service as reconciliation
from protonpay.screening.service import screening
from protonpay.store import beats, outbox
from protonpay.store.jobs import QUEUES
from protonpay.store.queue import named
from protonpay.treasury import service as treasury
from protonpay.wallets import service as wallets
from protonpay.webhooks import standing


class _Now(Collector):
    """Gauges read when they are asked for."""

    @override
    def collect(self) -> Iterator[Metric]:
        yield from _outbox()
        yield _queues()
        yield from _signs_of_life()
        yield from _wallets()
        yield from _sweeps()
        yield from _payouts()
        yield from _webhooks()
        yield from _reconciliation()
        yield from _seals()


def exposition() -> bytes:
    """Return every metric in Prometheus' text form."""
    registry = CollectorRegistry()
    registry.register(_Now())
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # untyped upstream
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)


def _outbox() -> Iterator[Metric]:
    waiting = GaugeMetricFamily("protonpay_outbox_waiting", "Rows not done.", labels=["job"])
    oldest = GaugeMetricFamily(
        "protonpay_outbox_oldest_due_seconds", "How late the oldest due row is.", labels=["job"]
    )
    dead = GaugeMetricFamily("protonpay_outbox_dead", "Rows an operator must see.", labels=["job"])
    for line in outbox.backlog():
        waiting.add_metric([line.job], line.waiting)
        oldest.add_metric([line.job], line.oldest_due_seconds)
        dead.add_metric([line.job], line.dead)
    yield from (waiting, oldest, dead)


def _queues() -> Metric:
    length = GaugeMetricFamily("protonpay_queue_length", "Entries in the queue.", labels=["queue"])
    for name in QUEUES:
        length.add_metric([name], len(named(name)))
    return length


def _wallets() -> Iterator[Metric]:
    free = GaugeMetricFamily(
        "protonpay_addresses_free", "Deposit addresses without a holder.", labels=["family"]
    )
    for family, count in wallets.free_addresses().items():
        free.add_metric([family], count)
    looked = GaugeMetricFamily(
        "protonpay_watch_silent_seconds",
        "Since a network was last looked through for deposits.",
        labels=["network"],
    )
    for network, age in wallets.watch_ages().items():
        looked.add_metric([network], age)
    waiting = GaugeMetricFamily(
        "protonpay_deposits_oldest_open_seconds",
        "Since the oldest transfer that is not final was seen.",
        labels=["network"],
    )
    for network, age in wallets.oldest_open().items():
        waiting.add_metric([network], age)
    yield from (free, looked, waiting)


def _sweeps() -> Iterator[Metric]:
    unswept = GaugeMetricFamily(
        "protonpay_unswept_micro_usdc",
        "On deposit addresses, by how it stands: lying, moving or held; 10⁻⁶ USDC.",
        labels=["network", "state"],
    )
    held = GaugeMetricFamily(
        "protonpay_sweeps_held", "Addresses nothing can leave now.", labels=["network"]
    )
    for network, now in treasury.standing().items():
        for state in ("lying", "moving", "held"):
            unswept.add_metric([network, state], getattr(now, state).micro)
        held.add_metric([network], now.held_count)
    yield from (unswept, held)


def _payouts() -> Iterator[Metric]:
    paused = GaugeMetricFamily("protonpay_rail_paused", "1 while it is paused.", labels=["rail"])
    for switch in rails.switches():
        paused.add_metric([switch.rail], int(switch.paused))
    waiting = GaugeMetricFamily(
        "protonpay_payouts_waiting",
        "Payouts that cannot be signed now.",
        labels=["network", "reason"],
    )
    amount = GaugeMetricFamily(
        "protonpay_payouts_waiting_micro_usdc",
        "Their amounts; 10⁻⁶ USDC.",
        labels=["network", "reason"],
    )
    oldest = GaugeMetricFamily(
        "protonpay_payouts_waiting_seconds",
        "How long the oldest of them waits for that.",
        labels=["network", "reason"],
    )
    for line in waits.lines():
        waiting.add_metric([line.network, line.reason], line.count)
        amount.add_metric([line.network, line.reason], line.total.micro)
        oldest.add_metric([line.network, line.reason], line.seconds)
    alarm = GaugeMetricFamily(
        "protonpay_payouts_short_of_liquidity",
        "1 while payouts wait too long for USDC or native coin of ours.",
        labels=["network"],
    )
    short = {line.network for line in waits.alarm.ringing()}
    for network in NETWORKS:
        alarm.add_metric([network], int(network in short))
    left = GaugeMetricFamily(
        "protonpay_signer_room_micro_usdc",
        "What the signer's ceiling leaves.",
        labels=["network", "period"],
    )
    for room in signer.rooms():
        left.add_metric([room.where, room.period], (room.ceiling - room.signed).micro)
    stale = GaugeMetricFamily(
        "protonpay_screening_list_stale", "1 while a newer list cannot be read."
    )
    stale.add_metric([], int(screening.is_stale()))
    yield from (paused, waiting, amount, oldest, alarm, left, stale)


def _webhooks() -> Iterator[Metric]:
    now = standing.standing()
    waiting = GaugeMetricFamily(
        "protonpay_webhook_deliveries_waiting",
        "Deliveries that are due, come later, or are held: their endpoint is disabled.",
        labels=["when"],
    )
    lanes = GaugeMetricFamily(
        "protonpay_webhook_lanes",
        "Enabled endpoints that are due, in a worker's hand, slow, or broken.",
        labels=["state"],
    )
    endpoints = GaugeMetricFamily(
        "protonpay_webhook_endpoints", "Enabled, or disabled for which reason.", labels=["state"]
    )
    shown = ((waiting, now.waiting), (lanes, now.lanes), (endpoints, now.endpoints))
    for family, counts in shown:
        for label, count in counts.items():
            family.add_metric([label], count)
    oldest = GaugeMetricFamily(
        "protonpay_webhook_oldest_due_seconds", "How late the oldest is that could be delivered."
    )
    oldest.add_metric([], now.oldest_due_seconds)
    yield from (waiting, lanes, endpoints, oldest)


def _reconciliation() -> Iterator[Metric]:
    cases = GaugeMetricFamily(
        "protonpay_reconciliation_cases", "Confirmed mismatches.", labels=["rail", "kind"]
    )
    standing = [case for case in reconciliation.open_cases() if case.state == "OPEN"]
    for (rail, kind), count in Counter((case.rail, case.kind) for case in standing).items():
        cases.add_metric([rail, kind], count)
    silent = GaugeMetricFamily(
        "protonpay_reconciliation_silent_seconds",
        "Since a rail was last compared to the end.",
        labels=["rail"],
    )
    now = clock.now()
    for line in reconciliation.table():
        if line.ended_at is not None:
            silent.add_metric([line.rail], int((now - line.ended_at).total_seconds()))
    yield from (cases, silent)


def _seals() -> Iterator[Metric]:
    now = seals.lag()
    unsealed = GaugeMetricFamily(
        "protonpay_ledger_unsealed_entries", "Committed entries without a place in the chain."
    )
    unsealed.add_metric([], now.entries)
    lag = GaugeMetricFamily(
        "protonpay_ledger_seal_lag_seconds", "Since the oldest of them was posted."
    )
    lag.add_metric([], now.seconds)
    yield from (unsealed, lag)


def _signs_of_life() -> Iterator[Metric]:
    served = GaugeMetricFamily(
        "protonpay_queue_silent_seconds", "Since a queue was last served.", labels=["queue"]
    )
    for name, age in beats.queue_ages().items():
        served.add_metric([name], age)
    seen = GaugeMetricFamily(
        "protonpay_chain_silent_seconds", "Since a node last answered.", labels=["network"]
    )
    lag = GaugeMetricFamily(
        "protonpay_chain_finalized_lag_seconds",
        "Age of the newest final block.",
        labels=["network"],
    )
    for name, head in beats.chain_heads().items():
        seen.add_metric([name], head["age"])
        lag.add_metric([name], head["seenAt"] - head["finalizedAt"])
    yield from (served, seen, lag)
