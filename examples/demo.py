"""The main job of Proton Pay, done as a client would: over HTTP, with nothing but its documents.

Ada pays by card, sends USDC to Ben and Cleo, and each of the three withdraws to a fresh
wallet on another network. Every number is checked where it can be seen from outside: in
the API's answers, on the chains, and in webhooks whose two signatures are verified.

    make demo          against the stack that `make up` runs

Exit status 0 means that everything came out to the last micro-USDC.
"""

import hashlib
import hmac
import json
import os
import queue
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from eth_account import Account
from solders.keypair import Keypair
from standardwebhooks import Webhook

HOME = Path(os.environ.get("PROTONPAY_HOME") or Path(__file__).parents[1] / ".protonpay")
PASSWORD = "securePassword123"
PATIENCE_SECONDS = 90


class Mismatch(Exception):
    """Something did not come out as documented."""


def expect(name: str, found: Any, wanted: Any) -> None:
    """Stop the demo when a value is not what the documents promise."""
    if found != wanted:
        raise Mismatch(f"{name}: {found!r} instead of {wanted!r}")


def say(text: str) -> None:
    """Print a line that belongs to the step above it."""
    print(f"      {text}", flush=True)


def step(title: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Print what a step does and how long it took."""

    def decorate(act: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            begun = time.perf_counter()
            print(f"\n  {next(numbers):>2}  {title}", flush=True)
            result = act(*args)
            say(f"({time.perf_counter() - begun:.2f} s)")
            return result

        return timed

    return decorate


numbers = iter(range(1, 100))


def until(look: Callable[[], Any], what: str) -> Any:
    """Look again until there is something to see."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise Mismatch(f"{what}: nothing within {PATIENCE_SECONDS} s")
        time.sleep(0.2)
    return seen


def verify_body(secret: str, body: bytes) -> None:
    """Check the signature inside a body: HMAC over the body without its last member."""
    signed, given = body[:-80] + b"}", body[-66:-2].decode()
    made = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(made, given):
        raise Mismatch("the in-body signature does not verify")


class Receiver:
    """The integrator's own server: takes webhooks and verifies both signatures of each."""

    def __init__(self, address: str) -> None:
        self.secrets: dict[str, str] = {}
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.problems: list[str] = []
        host, _, port = address.partition(":")
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self.path.rpartition("/")[2], dict(self.headers), body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.url = f"http://{address}/hooks"
        server = ThreadingHTTPServer((host, int(port)), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def take(self, name: str, headers: dict[str, str], body: bytes) -> None:
        """Verify one delivery; a problem is told at the end, a receiver answers at once."""
        secret = self.secrets[name]
        try:
            Webhook(secret).verify(body, {key.lower(): value for key, value in headers.items()})
            verify_body(secret, body)
        except Exception as error:  # noqa: BLE001 - any failure to verify is the same bad news
            self.problems.append(f"{name}: {error!r}")
        self.events.put({"receiver": name, **json.loads(body)})

    def collect(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many events."""
        try:
            return [self.events.get(timeout=PATIENCE_SECONDS) for _ in range(count)]
        except queue.Empty:
            raise Mismatch(f"fewer than {count} webhooks within {PATIENCE_SECONDS} s") from None


class Client:
    """A user of the API."""

    def __init__(self, api: str, name: str) -> None:
        self.api, self.name = api, name
        self.email = f"{name.lower()}-{secrets.token_hex(4)}@example.com"
        self.http = requests.Session()

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the API; a full rate-limit bucket is waited for, as Retry-After says."""
        while True:
            answer = self.http.request(method, self.api + path, json=body, timeout=30)
            if answer.status_code != requests.codes.too_many_requests:
                break
            wait = int(answer.headers["Retry-After"])
            say(f"the rate limit asks to wait {wait} s")
            time.sleep(wait)
        if answer.status_code != requests.codes.ok:
            raise Mismatch(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def get(self, path: str) -> dict[str, Any]:
        """Read."""
        return self.call("GET", path)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Write."""
        return self.call("POST", path, body)


class Demo:
    """The story, step by step."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self.stack = stack
        self.receiver = Receiver(stack["receiver"])
        self.ada, self.ben, self.cleo = (
            Client(stack["api"], name) for name in ("Ada", "Ben", "Cleo")
        )

    def run(self) -> None:
        """Do the main job."""
        for client in (self.ada, self.ben, self.cleo):
            self.register(client)
        self.pay_by_card()
        self.transfer(self.ben, Decimal("30.00"), Decimal("70.00"))
        self.transfer(self.cleo, Decimal("25.50"), Decimal("44.50"))
        wallets = {
            "Solana": str(Keypair().pubkey()),
            "Base": Account.create().address,
            "Polygon": Account.create().address,
        }
        payouts = self.withdraw(wallets)
        self.wait_final(payouts)
        self.read_chains(wallets)
        self.verify_webhooks()
        self.show_activity()

    @step("Register a user and a webhook")
    def register(self, client: Client) -> None:
        """Open an account and say where its events go."""
        made = client.post(
            "/auth/register", name=client.name, email=client.email, password=PASSWORD
        )
        client.http.headers["Authorization"] = f"Bearer {made['token']}"
        hook = client.post(
            "/client/webhooks",
            url=f"{self.receiver.url}/{client.name}",
            events=[
                "deposit.card.success",
                "transfer.completed",
                "payout.completed",
                "payout.failed",
            ],
        )["webhook"]
        self.receiver.secrets[client.name] = hook["secret"]
        say(f"{client.name}: {made['user']['id']}, webhook {hook['id']}")

    @step("Ada tops up 100 USD by card with Tap")
    def pay_by_card(self) -> None:
        """Open a session, press the button on the hosted page, see the balance."""
        opened = self.ada.post("/client/deposit/card", amount=100, currency="usd", provider="tap")
        say(f"hosted page {opened['url']}")
        page = requests.get(opened["url"], timeout=10)
        form = re.search(r"<form[^>]*>", page.text)
        expect("the form's method", form and "post" in form[0].lower(), wanted=True)
        paid = requests.post(
            opened["url"], data={"outcome": "paid"}, timeout=10, allow_redirects=False
        )
        say(f"paid; the browser is sent to {paid.headers.get('Location')}")
        until(lambda: self.balance(self.ada) == Decimal("100.00"), "the card deposit")
        say(f"deposit {opened['deposit']['id']}, balance {self.balance(self.ada)} USDC")

    @step("Ada sends USDC to another user")
    def transfer(self, to: Client, amount: Decimal, left: Decimal) -> None:
        """Move money at once."""
        done = self.ada.post("/client/transfer", toIdentifier=to.email, amount=str(amount))
        expect("status", done["transfer"]["status"], "COMPLETED")
        expect("Ada's balance", Decimal(done["newBalance"]), left)
        expect(f"{to.name}'s balance", self.balance(to), amount)
        say(f"{amount} USDC to {to.name}: transfer {done['transfer']['id']}, {left} left")

    @step("All three withdraw 20 USDC, each on a network of their own")
    def withdraw(self, wallets: dict[str, str]) -> list[tuple[Client, dict[str, Any]]]:
        """Order the payouts to wallets that never held anything."""
        accepted = []
        for client, (network, wallet) in zip(
            (self.ada, self.ben, self.cleo), wallets.items(), strict=True
        ):
            payout = client.post(
                "/client/withdraw", amount=20, walletAddress=wallet, network=network
            )["payout"]
            expect("status", payout["status"], "PENDING")
            say(f"{network:<8}{payout['id']}  fee {payout['fee']}  to {wallet}")
            accepted.append((client, payout))
        return accepted

    @step("Wait until each is final on its chain")
    def wait_final(self, payouts: list[tuple[Client, dict[str, Any]]]) -> None:
        """Ask until the product says so."""
        begun = time.perf_counter()
        waiting = {payout["id"]: client for client, payout in payouts}

        def look() -> bool:
            for payout_id, client in list(waiting.items()):
                payout = client.get(f"/client/withdraw/{payout_id}")["payout"]
                if payout["status"] != "PENDING":
                    expect("status", payout["status"], "COMPLETED")
                    seconds = time.perf_counter() - begun
                    say(f"{payout['network']:<8}{payout['txHash']}  after {seconds:.1f} s")
                    del waiting[payout_id]
            time.sleep(1)  # each user may read sixty times a minute
            return not waiting

        until(look, "final payouts")

    @step("Read the wallets from the chains themselves")
    def read_chains(self, wallets: dict[str, str]) -> None:
        """Believe the chains, not us."""
        for network, wallet in wallets.items():
            micro = balance_on_chain(network, self.stack["chains"][network], wallet)
            expect(f"USDC of {wallet} on {network}", micro, 20_000_000)
            say(f"{network:<8}{wallet}  20.00 USDC")

    @step("Verify every webhook with the public library and with the in-body scheme")
    def verify_webhooks(self) -> None:
        """Receive them all; both signatures of each were checked on arrival."""
        events = self.receiver.collect(8)
        if self.receiver.problems:
            raise Mismatch("; ".join(self.receiver.problems))
        kinds = sorted((event["receiver"], event["event"]) for event in events)
        expect(
            "the events",
            kinds,
            [
                ("Ada", "deposit.card.success"),
                ("Ada", "payout.completed"),
                ("Ada", "transfer.completed"),
                ("Ada", "transfer.completed"),
                ("Ben", "payout.completed"),
                ("Ben", "transfer.completed"),
                ("Cleo", "payout.completed"),
                ("Cleo", "transfer.completed"),
            ],
        )
        for event in events:
            say(f"{event['receiver']:<5}{event['event']:<22}{event['data']['id']}  both verified")

    @step("Ada's activity and balance")
    def show_activity(self) -> None:
        """See the same story from the inside."""
        for line in self.ada.get("/client/activity")["activity"]:
            sign = "+" if line["direction"] == "IN" else "-"
            amount = f"{sign}{line['amount']}"
            say(f"{line['createdAt']}  {line['type']:<11}{amount:>8}  {line['status']}")
        expect("Ada's balance", self.balance(self.ada), Decimal("24.49"))
        say(f"balance {self.balance(self.ada)} USDC: 100 - 30 - 25.50 - 20 - 0.01")

    def balance(self, client: Client) -> Decimal:
        """Read a balance, exactly."""
        return Decimal(client.get("/client/balance")["balanceUsdc"])


def balance_on_chain(network: str, chain: dict[str, Any], wallet: str) -> int:
    """Ask a node for a wallet's USDC, in micro-USDC, at its newest final block."""
    if network == "Solana":
        options = {"encoding": "jsonParsed", "commitment": "finalized"}
        found = rpc(
            chain["rpc"], "getTokenAccountsByOwner", wallet, {"mint": chain["usdc"]}, options
        )
        accounts = (entry["account"]["data"]["parsed"]["info"] for entry in found["value"])
        return sum(int(account["tokenAmount"]["amount"]) for account in accounts)
    balance_of = "0x70a08231" + wallet[2:].lower().rjust(64, "0")
    found = rpc(chain["rpc"], "eth_call", {"to": chain["usdc"], "data": balance_of}, "latest")
    return int(found, 16)


def rpc(url: str, method: str, *params: Any) -> Any:
    """Call a node."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = requests.post(url, json=request, timeout=10).json()
    if "error" in answer:
        raise Mismatch(f"{method}: {answer['error']}")
    return answer["result"]


def main() -> int:
    """Run the demo against the running stack."""
    try:
        stack = json.loads((HOME / "stack.json").read_text())
    except FileNotFoundError:
        print(
            f"No stack is ready in {HOME}. Start one with `make up`, and wait for its addresses.",
            file=sys.stderr,
        )
        return 2
    print(f"Proton Pay at {stack['web']}")
    begun = time.perf_counter()
    try:
        Demo(stack).run()
    except (Mismatch, requests.RequestException, OSError) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1
    print(f"\nAll of it came out exactly, in {time.perf_counter() - begun:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
