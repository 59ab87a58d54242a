"""Everything as it runs for real: chains, a card provider, web, workers, scheduler, a receiver."""

import itertools
import json
import os
import random
import signal
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import requests

from protonpay.chains import further, keyring
from protonpay.chains.registry import BUILT_IN, NETWORKS
from protonpay.sandbox import evm_outside
from protonpay.sandbox.evm.rpc import Rpc
from protonpay.sandbox.evm.store import Store
from protonpay.sandbox.solana import outside as solana_outside
from protonpay.stack import ports
from tests.flows import desk
from tests.flows.inbox import Inbox
from tests.flows.tollgate import Tollgate
from tests.mail.sink import SENDER, Sink, serving
from tests.patience import until
from tests.simulators import Simulator
from tests.simulators import running as running_simulator

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"
BOT, BOT_NAME = "100500:a-token-of-the-flows", "flows_bot"
OUTSIDE: Mapping[str, ModuleType] = {"evm": evm_outside, "solana": solana_outside}
PATIENCE = 120
LISTED = 8
"""Among the accounts of an EVM node: the wallet that is on the screening list."""
_count = itertools.count(1)


@dataclass
class Resident:
    """A user who speaks to the running web."""

    api: str
    http: requests.Session
    id: str
    email: str
    public_id: str

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.http.request(method, self.api + path, json=body, timeout=30)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.call("POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def balance(self) -> str:
        return str(self.get("/client/balance")["balanceUsdc"])

    def payout(self, payout_id: str) -> Any:
        return self.get(f"/client/withdraw/{payout_id}")["payout"]

    def wait_for_end(self, payout_id: str) -> Any:
        """Return the payout once it is no longer pending."""
        until(lambda: self.payout(payout_id)["status"] != "PENDING", PATIENCE)
        return self.payout(payout_id)


class City:
    """The running whole."""

    def __init__(self, environ: dict[str, str], log: Path, parts: "Parts") -> None:
        self.environ, self.log, self.parts = environ, log, parts
        self.web = f"http://127.0.0.1:{environ['PORT']}"
        self.api = f"{self.web}/api"
        self.tap, self.inbox, self.gates = parts.tap, parts.inbox, parts.gates
        self.groups: dict[str, BaseProcess] = {}
        addresses = keyring.public_addresses(Path(environ["KEYRING_PATH"]))
        self.treasury = addresses.treasury

    def resident(self, name: str = "Resident", *, funded: str | None = None) -> Resident:
        """Register somebody, perhaps with a paid card deposit behind them."""
        http = requests.Session()
        email = f"{name.lower()}{next(_count)}@example.com"
        body = {"name": name, "email": email, "password": PASSWORD}
        answer = http.post(f"{self.api}/auth/register", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        made = answer.json()
        http.headers["Authorization"] = f"Bearer {made['token']}"
        user = made["user"]
        resident = Resident(self.api, http, user["id"], email, user["publicId"])
        if funded is not None:
            self.pay(resident, funded)
        return resident

    def pay(self, resident: Resident, dollars: str) -> str:
        """Top up by card and wait for the credit; return the deposit's id."""
        before = resident.balance
        opened = resident.post(
            "/client/deposit/card", amount=dollars, currency="usd", provider="tap"
        )
        self.press(opened["url"], "paid")
        until(lambda: resident.balance != before, PATIENCE)
        return str(opened["deposit"]["id"])

    def press(self, page: str, outcome: str) -> None:
        """Press a button of the hosted page."""
        data = {"outcome": outcome}
        answer = requests.post(page, data=data, timeout=10, allow_redirects=False)
        assert answer.status_code == 303, answer.text

    def subscribe(self, resident: Resident, *events: str) -> str:
        """Register a webhook and return its secret."""
        url = f"http://{self.inbox.address}/{resident.id}"
        hook = resident.post("/client/webhooks", url=url, events=list(events))["webhook"]
        return str(hook["secret"])

    def on_chain(self, network: str, address: str) -> int:
        """Return a wallet's micro-USDC."""
        of = NETWORKS[network]
        return int(OUTSIDE[of.family].usdc_balance(self.parts.nodes[network], of.usdc, address))

    def flask(self, *arguments: str) -> str:
        """Run a flask command and return what it prints."""
        done = desk.typed(self.environ, *arguments)
        assert done.code == 0, done.out + done.err
        return done.out

    def arm(self, point: str, *wheres: str) -> None:
        """Let the next process that comes to a fault point die there, once for each place."""
        for where in wheres:
            (self.log / f"{point}@{where}").touch()

    def armed(self, point: str) -> list[str]:
        """Return where a point has killed nobody yet."""
        return [path.name.partition("@")[2] for path in self.log.glob(f"{point}@*")]

    def kill_chain_worker(self) -> None:
        """Kill the process that signs and sends, not its parent."""
        for child in self._children_of("chain"):
            os.kill(child, signal.SIGKILL)

    def kill_watchers(self) -> None:
        """Kill the processes that look for deposits and credit them, not their parent."""
        for child in self._children_of("watchers"):
            os.kill(child, signal.SIGKILL)

    def kill_one_of(self, group: str, chance: random.Random) -> int:
        """Kill one process of a group, not their parent; return how many died, one or none."""
        children = self._children_of(group)
        if not children:
            return 0
        with suppress(ProcessLookupError):
            os.kill(chance.choice(children), signal.SIGKILL)
        return 1

    def kill_node(self, network: str) -> None:
        """Kill a chain's node and start it again: what it had not kept yet is gone."""
        self.parts.keepers[network].kill()
        self.parts.keepers[network].start()

    def blocks_by_hand(self, network: str) -> AbstractContextManager[None]:
        """Let nobody else make blocks of an EVM network meanwhile; its node goes on answering."""
        return Store(self.log / network).alone()

    def take_back_a_block(self, network: str) -> None:
        """Replace the newest block of an EVM network by an empty one, also where it is kept."""
        node, store = Rpc(self.parts.nodes[network]), Store(self.log / network)
        with store.alone():
            # Above what is final; what was in it comes back only if somebody sends it again.
            node("anvil_reorg", 1, [])
            store.save(node("anvil_dumpState"))

    def _children_of(self, group: str) -> list[int]:
        parent = self.groups[group].pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        return [int(child) for child in children.split()]

    def place_to_pay(self, invoice: Mapping[str, Any], network: str) -> str:
        """Return an invoice's address, once its page shows it: it waits for a free one."""

        def shown() -> str | None:
            try:
                page = requests.get(invoice["payUrl"], timeout=10).text
            except requests.RequestException:
                return None
            with psycopg.connect(self.environ["DATABASE_URL"]) as connection:
                row = connection.execute(
                    "SELECT address FROM deposit_addresses WHERE holder_id = %s AND family = %s",
                    (invoice["id"], NETWORKS[network].family),
                ).fetchone()
            return str(row[0]) if row is not None and row[0] in page else None

        return until(shown, PATIENCE)  # type: ignore[return-value] # until it is one

    def let_a_day_pass(self, invoice: Mapping[str, Any]) -> None:
        """Have the time of an invoice passed, and the job that ends it come."""
        with psycopg.connect(self.environ["DATABASE_URL"]) as connection:
            for statement in (
                "UPDATE invoices SET expires_at = created_at - interval '1 s' WHERE id = %s",
                "UPDATE outbox SET due_at = created_at WHERE args->>'invoice_id' = %s",
            ):
                connection.execute(statement, (invoice["id"],))

    def stopped(self) -> list[str]:
        """Return the rails that are paused."""
        with psycopg.connect(self.environ["DATABASE_URL"]) as connection:
            paused = connection.execute("SELECT rail FROM rail_switches WHERE paused ORDER BY 1")
            return [str(rail) for (rail,) in paused]

    def books_are_sound(self) -> bool:
        """Whether every invariant holds, and custody is what is ours on chain."""
        assert "BROKEN" not in self.flask("ops", "audit")
        with psycopg.connect(self.environ["DATABASE_URL"]) as connection:
            for network in NETWORKS:
                account = f"custody:{network}"
                (booked,) = connection.execute("SELECT ledger_balance(%s)", (account,)).fetchone()
                assert booked == -self._held(connection, network), network
        return True

    def _held(self, connection: "psycopg.Connection[Any]", network: str) -> int:
        """Return the micro-USDC in our treasury and on every deposit address of a network."""
        paid = "SELECT DISTINCT address FROM incoming WHERE network = %s"
        addresses = [address for (address,) in connection.execute(paid, (network,))]
        treasury = self.treasury[NETWORKS[network].family]
        return sum(self.on_chain(network, address) for address in [treasury, *addresses])


@dataclass
class Parts:
    """What the city stands on."""

    nodes: dict[str, str]
    keepers: dict[str, Simulator]
    gates: dict[str, Tollgate]
    tap: Simulator
    yookassa: Simulator
    freedompay: Simulator
    rates: Simulator
    telegram: Simulator
    inbox: Inbox
    post: Sink


@contextmanager
def founded(
    services: Any,
    settings: Mapping[str, str],
    template: str,
    folder: Path,
    *,
    number: int = 1,
    added: Mapping[str, Any] | None = None,
) -> Iterator[City]:
    """Run a whole city on a database of its own.

    Args:
        number: of this city; of those in one process no two have the same.
        added: an entry of ``EVM_NETWORKS`` without its node; a chain is run for it.
    """
    with ExitStack() as stack:
        # This process knows what the city knows, as long as it stands.
        stack.callback(NETWORKS.bind, list(NETWORKS.values())[len(BUILT_IN) :])
        NETWORKS.bind(further.read(_setting(added, "http://127.0.0.1:9")).networks)
        parts = _parts(stack, folder)
        keys = folder / "keyring.json"
        keyring.create(keys, PASSWORD)
        port = ports.free()
        environ = {
            **settings,
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "DATABASE_URL": services.postgres.create_database(f"city_{number}", template=template),
            "REDIS_URL": services.valkey.url(number),
            "KEYRING_PATH": str(keys),
            "FAULTS": str(folder),
            **{f"{name.upper()}_RPC_URL": parts.gates[name].url for name in BUILT_IN},
            **({further.SETTING: _setting(added, parts.gates[added["name"]].url)} if added else {}),
            "TAP_BASE_URL": f"{parts.tap.url}/v2",
            "TAP_SECRET_KEY": "sk_test_of_the_flows",
            "YOOKASSA_BASE_URL": f"{parts.yookassa.url}/v3",
            "YOOKASSA_SHOP_ID": "100500",
            "YOOKASSA_SECRET_KEY": "test_of_the_flows",
            "YOOKASSA_NETWORKS": "127.0.0.1/32",
            "FREEDOMPAY_BASE_URL": parts.freedompay.url,
            "FREEDOMPAY_MERCHANT_ID": "500001",
            "FREEDOMPAY_SECRET_KEY": "secret_of_the_flows",
            "SMTP_URL": parts.post.url,
            "MAIL_FROM": SENDER,
            "FX_RATES_URL": f"{parts.rates.url}/latest.json",
            "TELEGRAM_BOT_TOKEN": BOT,
            "TELEGRAM_BOT_NAME": BOT_NAME,
            "TELEGRAM_BASE_URL": parts.telegram.url,
            "TELEGRAM_PAGE_URL": parts.telegram.url,
            "WEBHOOK_ALLOW_INSECURE_TARGETS": parts.inbox.address,
            # Nothing is swept by itself: other tests count what lies on an address.
            "SWEEP_THRESHOLD_USDC": "1000000",
            "SCREENING_LIST": str(_listed(folder, parts)),
            # Tests look again many times a second; the limits have tests of their own.
            "RATE_LIMIT_READ": "1000000 per minute",
        }
        city = City(environ, folder, parts)
        parts.yookassa.pull("notifications", url=f"{city.api}/callbacks/yookassa")
        seeding = ("sandbox", "seed", "--demo-email", "demo@example.com")
        city.flask(*seeding, "--demo-password", PASSWORD)
        worker = ("mortal", "--app", "wsgi", "worker")
        groups = {
            "web": ("gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"),
            "workers": (*worker, "cards", "webhooks", "maintenance", "mail", "telegram"),
            "watchers": (*worker, "watch", "watch"),
        }
        for name, command in groups.items():
            city.groups[name] = _run(stack, city, name, *command)
        environ["KEYRING_PASSPHRASE"] = PASSWORD
        city.groups["chain"] = _run(stack, city, "chain", *worker, "chain")
        _run(stack, city, "scheduler", "flask", "--app", "wsgi", "scheduler")
        until(lambda: _ready(city), PATIENCE)
        yield city


def _listed(folder: Path, parts: Parts) -> Path:
    """List one wallet, whose payments are held; nothing else pays from it."""
    path = folder / "listed.txt"
    path.write_text(f"{Rpc(parts.nodes['Base'])('eth_accounts')[LISTED]} of the flows\n")
    return path


def _setting(added: Mapping[str, Any] | None, rpc_url: str) -> str:
    return "" if added is None else json.dumps([{**added, "rpcUrl": rpc_url}])


def _parts(stack: ExitStack, folder: Path) -> Parts:
    keepers = {name: _node(stack, name, folder / name) for name in NETWORKS}
    nodes = {name: keeper.url for name, keeper in keepers.items()}
    gates = {name: Tollgate(url) for name, url in nodes.items()}
    for gate in gates.values():
        stack.callback(gate.close)
    tap = running_simulator("protonpay.sandbox.tap", "--secret-key", "sk_test_of_the_flows")
    yookassa = running_simulator("protonpay.sandbox.yookassa", "--secret-key", "test_of_the_flows")
    shop = ("protonpay.sandbox.freedompay", "--secret-key", "secret_of_the_flows")
    rates = running_simulator("protonpay.sandbox.rates")
    telegram = running_simulator("protonpay.sandbox.telegram", "--token", BOT, "--name", BOT_NAME)
    inbox = Inbox()
    stack.callback(inbox.close)
    simulators = [
        stack.enter_context(each)
        for each in (tap, yookassa, running_simulator(*shop), rates, telegram)
    ]
    return Parts(nodes, keepers, gates, *simulators, inbox, stack.enter_context(serving()))


def _node(stack: ExitStack, name: str, state: Path) -> Simulator:
    of = NETWORKS[name]
    module = f"protonpay.sandbox.{of.family}"
    options = ["--usdc", of.usdc, "--state", str(state)]
    if of.chain_id is None:
        options += ["--slot-ms", "50"]
    else:
        options += ["--chain-id", str(of.chain_id), "--interval", "0.1"]
    return stack.enter_context(running_simulator(module, *options))


def _run(stack: ExitStack, city: City, name: str, *command: str) -> BaseProcess:
    process = desk.started(city.environ, *command, log=city.log / f"{name}.log")
    stack.callback(_end, process)
    return process


def _end(process: BaseProcess) -> None:
    process.terminate()
    process.join(10)
    process.kill()
    process.join()


def _ready(city: City) -> bool:
    try:
        answer = requests.get(f"{city.api}/ready", timeout=5)
    except requests.RequestException:
        return False
    return answer.status_code == 200 and json.loads(answer.text)["ready"]
