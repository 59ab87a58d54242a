"""Payouts to finality: one by one and bundled, beside a bare loop on the same chains.

    python -m benchmarks.payouts

The bare loop signs, hands in and asks for finality through the same adapter, with no database
and no queue, as fast as it can. The product's figure is of its own processes: from the first
signature on disk to the last payout COMPLETED.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

from eth_account import Account
from solders.keypair import Keypair

from benchmarks.run import Table
from benchmarks.stage import Stage, running, set_up
from protonpay.chains.keyring import Keyring
from protonpay.chains.port import (
    MOST_LOOKED_AT,
    Chain,
    SendOrder,
    SendOutcome,
    SendState,
    SignedSend,
)
from protonpay.chains.registry import NETWORKS, Chains, ChainSettings
from protonpay.kernel import ids
from protonpay.kernel.money import Usdc
from protonpay.payouts import service as payouts
from protonpay.sandbox import evm_outside
from protonpay.sandbox.solana import outside as solana_outside

OUTSIDE: dict[str, ModuleType] = {"evm": evm_outside, "solana": solana_outside}
AMOUNT = Usdc(1_000_000)
_MINUTES = 300
_LAST = """
    SELECT count(*) FILTER (WHERE p.state = 'COMPLETED'), count(DISTINCT a.id),
           extract(epoch FROM max(p.ended_at) - min(a.created_at))::float8
    FROM payouts p JOIN attempted_payouts t ON t.payout_id = p.id
    JOIN payout_attempts a ON a.id = t.attempt_id WHERE p.id = ANY(%s)
"""


@contextmanager
def node(name: str) -> Iterator[str]:
    """Run a network's local chain as `make up` does, keeping nothing."""
    of = NETWORKS[name]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    options = ["--listen", listen, "--usdc", of.usdc, "--no-state"]
    options += ["--slot-ms", "200"] if of.chain_id is None else ["--chain-id", str(of.chain_id)]
    words = [sys.executable, "-m", f"protonpay.sandbox.{of.family}", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield f"http://{listen}"
        finally:
            process.terminate()


def wallet(family: str) -> str:
    """Return a wallet that nobody has used."""
    return str(Keypair().pubkey()) if family == "solana" else str(Account.create().address)


def fund(chain: Chain, url: str) -> None:
    """Fill our wallets, and wait until that is final."""
    of = chain.network
    outside = OUTSIDE[of.family]
    outside.send_usdc(url, of.usdc, chain.treasury, 10**12)
    outside.send_native(url, chain.sender, 10**20 if of.family == "evm" else 10**13)
    while chain.balance(chain.treasury) < Usdc(10**12):
        time.sleep(0.05)


def bare(chain: Chain, count: int, most: int) -> float:
    """Pay so many without database or queue; return payments a second."""
    family = chain.network.family
    waiting = [SendOrder(ids.new_id(), wallet(family), AMOUNT) for _ in range(count)]
    sequence, sent = chain.next_sequence(), list[SignedSend]()
    begun = time.perf_counter()
    while waiting:
        prospect = chain.read_terms(waiting[:most])
        for each in (prospect, *prospect.further):
            send = chain.sign(each.payable, each.terms, sequence, None)
            chain.broadcast(send)
            sent.append(send)
            sequence = None if sequence is None else sequence + 1
            left = {order.payout_id for order in each.payable}
            waiting = [order for order in waiting if order.payout_id not in left]
    while sent:
        outcomes = chain.outcomes(*sent[:MOST_LOOKED_AT])
        sent = [send for send in sent if not _landed(send, outcomes)]
        time.sleep(0.02)
    return count / (time.perf_counter() - begun)


def _landed(send: SignedSend, outcomes: Mapping[str, SendOutcome]) -> bool:
    of = [outcomes.get(payout_id) for payout_id in send.payout_ids]
    return all(each is not None and each.state is SendState.LANDED for each in of)


def product(stage: Stage, name: str, count: int, module: str) -> tuple[float, int]:
    """Pay so many by the product's own processes; return payouts a second and transactions."""
    people, family = stage.people(count), NETWORKS[name].family
    with stage.app.app_context():
        ordered = [
            payouts.request_payout(
                person.id, amount=AMOUNT, wallet_address=wallet(family), network=name
            ).id
            for person in people
        ]
    command = (module, "--app", "wsgi", "worker", "chain")
    with running(stage.signing_environ, *command), stage.connect() as connection:
        for _ in range(_MINUTES):
            row = connection.execute(_LAST, (ordered,)).fetchone()
            assert row is not None
            done, transactions, seconds = row
            if done == count:
                return count / float(str(seconds)), int(str(transactions))
            time.sleep(1)
    raise TimeoutError(f"{done} of {count} payouts on {name} after five minutes")


def measure(
    stage: Stage, url: str, keys: Keyring, name: str, table: Table, counts: tuple[int, int]
) -> None:
    """Measure one network: so many one by one, and so many bundled."""
    single, bundled = counts
    chains = Chains()
    chains.bind(ChainSettings({name: url}, stage.addresses, keys))
    chain = chains.get(name)
    fund(chain, url)
    table.head(f"{name}: payouts to finality")
    most = chain.most_together
    bare_one, bare_many = bare(chain, single, 1), bare(chain, bundled, most)
    table.row(f"bare loop, {single} one by one", f"{bare_one:.1f} /s")
    table.row(f"bare loop, {bundled} bundled", f"{bare_many:.1f} /s", "1.00")
    one, _ = product(stage, name, single, "benchmarks.one_by_one")
    table.row(f"product, {single} one by one", f"{one:.1f} /s", f"{one / bare_one:.2f} of its loop")
    many, sends = product(stage, name, bundled, "flask")
    table.row(
        f"product, {bundled} bundled in {sends} transactions",
        f"{many:.1f} /s",
        f"{many / bare_many:.2f} of its loop",
    )
    table.row("bundled / one by one", "", f"{many / one:.1f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every network and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--single", type=int, default=60, help="payouts one by one")
    parser.add_argument(
        "--bundled",
        type=int,
        help="payouts bundled; twenty times as many, so that it takes as long",
    )
    parser.add_argument("--network", action="append", choices=NETWORKS, help="only this one")
    options = parser.parse_args(arguments)
    cores, busy = os.cpu_count(), os.getloadavg()
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {cores} cores, load before: {busy[0]:.2f}")
    table = Table()
    with ExitStack() as stack:
        urls = {name: stack.enter_context(node(name)) for name in options.network or NETWORKS}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stage = stack.enter_context(set_up(folder, urls))
        keys = Keyring.open(folder / "keyring.json", stage.passphrase)
        bundled = options.bundled or 20 * options.single
        for name, url in urls.items():
            measure(stage, url, keys, name, table, (options.single, bundled))
    print(f"\nload after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
