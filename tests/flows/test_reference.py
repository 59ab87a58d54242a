"""docs/api.md: every example is run, in each of its languages, against everything."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pyotp
import pytest
import requests
from solders.keypair import Keypair

from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock
from tests.api import programs, reference
from tests.api.shapes import abbreviated, differences, shortened
from tests.flows.city import OUTSIDE, PATIENCE, City, Resident
from tests.linked_wallets.signers import evm
from tests.passkeys.devices import Device
from tests.patience import until

pytestmark = pytest.mark.slow

# Where a machine has no node, the set-up puts one beside this Python.
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
NODE = shutil.which("node", path=f"{os.environ['PATH']}:{Path(sys.executable).parent}")
RUNNERS = {
    "sh": ["bash", "-euc"],
    "python": [],
    "js": [],
}


# What an example needs of a letter: the name it has, where its link leads, the how many-th it is.
LETTERS = {
    "POST /auth/verify-email": ("VERIFY_TOKEN", "/verify-email", 2),
    "POST /auth/reset-password": ("RESET_TOKEN", "/reset-password", 1),
    "POST /auth/freeze": ("FREEZE_TOKEN", "/freeze", 1),
}


# What has happened to the reader: two months, one of them over; an operator believed somebody.
HAPPENED = {
    "GET /client/statements": (
        "UPDATE users SET created_at = created_at - interval '62 days' WHERE email = %s"
    ),
    "DELETE /client/2fa/reset": """
        INSERT INTO factor_resets
        SELECT 'c' || id, id, now(), now() + interval '48 hours' FROM users WHERE email = %s
    """,
}

_AGAIN_AND_AGAIN = """
const lines = require("readline").createInterface({input: process.stdin});
const AsyncFunction = (async () => {}).constructor;
let printed = "";
console.log = (...words) => { printed += words.join(" ") + "\\n"; };
lines.on("line", async (line) => {
  const {program, environment} = JSON.parse(line);
  Object.assign(process.env, environment);
  printed = "";
  let failed = null;
  try { await new AsyncFunction(program)(); } catch (error) { failed = String(error.stack); }
  process.stdout.write(JSON.stringify({printed, failed}) + "\\n");
});
"""


class Interpreter:
    """One Node for every program of the document: a hundred of them cost half a minute."""

    def __init__(self) -> None:
        words = [NODE or "node", "-e", _AGAIN_AND_AGAIN]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, program: str, environment: dict[str, str]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"program": program, "environment": environment}))
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        assert said["failed"] is None, said
        return str(said["printed"])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Reader:
    """Somebody who follows the document in one language, from registering to signing out."""

    def __init__(self, city: City, language: str) -> None:
        self.city, self.language = city, language
        self._node = Interpreter() if language == "js" else None
        self.email = f"john-{language}-{uuid.uuid4().hex[:6]}@example.com"
        self.payee = city.resident("Payee", funded="60")
        self.wallet, self.device = evm(), Device()
        self.known = {"WALLET": str(Keypair().pubkey()), "EVM_WALLET": self.wallet.address}
        self.hook = f"http://{city.inbox.address}/{self.email}"
        self.known["PAYEE"] = self.payee.public_id
        self.known["YESTERDAY"] = clock.to_text(clock.now() - timedelta(days=1))
        self.known["IN_A_MONTH"] = clock.to_text(clock.now() + timedelta(days=30))

    def run(self, program: str) -> str:
        """Run a program of the document against this city; return what it prints."""
        program = program.replace(programs.BASE, self.city.api)
        program = program.replace("john@example.com", self.email)
        program = program.replace("user@example.com", self.payee.email)
        environment = {**os.environ, **self.known, "ORDER_NUMBER": uuid.uuid4().hex}
        printed = self._printed(program, environment).replace(
            self.hook, "https://yourapp.com/webhooks/nova"
        )
        printed = printed.replace(self.email, "john@example.com")
        return printed.replace(self.payee.email, "user@example.com")

    def _printed(self, program: str, environment: dict[str, str]) -> str:
        if self.language == "python":
            # As it stands, without an interpreter of its own: a hundred of them cost half a minute.
            out = io.StringIO()
            with patch.dict(os.environ, environment), contextlib.redirect_stdout(out):
                exec(compile(program, "docs/api.md", "exec"), {"__name__": "__main__"})
            return out.getvalue()
        if self._node is not None:
            return self._node.run(program, environment)
        command = [*RUNNERS[self.language], program]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        if self._node is not None:
            self._node.close()

    def prepare(self, name: str) -> None:
        """Let exist what the next example takes for granted."""
        if name == "GET /client/balance":
            self.city.pay(self._me(), "1250")
        if name in HAPPENED:
            self._have(HAPPENED[name])
        if name == "GET /client/ledger/proof":
            self.city.flask("ops", "ledger-head", "--unknown")
        if name.endswith(("{PAYOUT}", "{TEST_PAYMENT}")):
            self._wait_for_the_chain(name)
        if "INVOICE" in name:
            self._prepare_invoice(name)
        elif "/team/" in name or "/memberships" in name:
            self._prepare_team(name)
        elif "{WEBHOOK}/" in name:
            self._prepare_webhook(name)
        else:
            self._prepare_account(name)

    def _wait_for_the_chain(self, name: str) -> None:
        if name.endswith("{PAYOUT}"):
            assert self._me().wait_for_end(self.known["PAYOUT"])["status"] == "COMPLETED"
            return
        path = f"/client/test/payments/{self.known['TEST_PAYMENT']}"
        until(lambda: self._me().get(path)["payment"]["status"] == "SENT", PATIENCE)

    def _ask_too_much_with_a_key(self) -> None:
        mine = self._me()
        key = mine.post("/client/api-keys", name="Shop", permissions=["transfers:write"])["key"]
        with requests.Session() as shop:
            shop.headers.update(
                {"Authorization": f"Bearer {key['rawKey']}", "User-Agent": "shop/1.0"}
            )
            order = {"toIdentifier": self.payee.email, "amount": 5000}
            sent = {"Idempotency-Key": "order-1042", "X-Request-Id": "shop-order-1042"}
            shop.post(f"{self.city.api}/client/transfer", json=order, headers=sent, timeout=10)
        until(lambda: mine.get("/client/requests?outcome=refused")["requests"], PATIENCE)

    def _prepare_account(self, name: str) -> None:
        if name == "GET /client/requests":
            self._ask_too_much_with_a_key()
        if name == "POST /client/wallets":
            self.known["SIGNATURE"] = self.wallet.sign(self.known["MESSAGE"])
        if name in LETTERS:
            known, page, count = LETTERS[name]
            self.known[known] = self._token(page, count)
        if name == "POST /client/2fa/enable":
            self.known["CODE"] = pyotp.TOTP(self.known["APP_SECRET"]).now()
        if name == "POST /auth/2fa":
            who = {"email": self.email, "password": "evenMoreSecure456"}
            asked = requests.post(f"{self.city.api}/auth/login", json=who, timeout=10).json()
            self.known["MFA_TOKEN"] = asked["mfaToken"]
        if name in {"POST /client/passkeys", "POST /auth/passkey"}:
            self._answer_with_passkey(name)
        if name.endswith("{SESSION}"):
            self.known["SESSION"] = self._another_session()

    def _answer_with_passkey(self, name: str) -> None:
        self.device.origin = self.city.api.replace("127.0.0.1", "localhost").removesuffix("/api")
        user = {"id": self.known["USER_HANDLE"]}
        options = {"challenge": self.known["CHALLENGE"], "user": user}
        act = self.device.make if name.startswith("POST /client") else self.device.sign
        credential = act(options)
        told = {"id": credential["id"], **credential["response"]}
        names = {
            "CREDENTIAL_ID": "id",
            "CLIENT_DATA": "clientDataJSON",
            "ATTESTATION": "attestationObject",
            "AUTHENTICATOR_DATA": "authenticatorData",
            "SIGNATURE_OF_PASSKEY": "signature",
        }
        self.known |= {known: told[of] for known, of in names.items() if of in told}

    def _prepare_team(self, name: str) -> None:
        mine = self._me()
        if name == "GET /client/team/members":
            self._prove_address_of_payee()
            token = self._token("/app/join", 2, self.payee.email)
            joined = self.payee.post("/client/memberships", token=token)["membership"]
            acting = {"X-Account": joined["publicId"]}
            order = {"toIdentifier": self.payee.email, "amount": 1}
            sent = self.payee.http.post(
                f"{self.city.api}/client/transfer", json=order, headers=acting, timeout=10
            )
            assert sent.status_code == 200, sent.text
        if name == "DELETE /client/team/invitations/{INVITATION}":
            made = mine.post("/client/team/invitations", email="anna@example.com", role="viewer")
            self.known["INVITATION"] = made["invitation"]["id"]
        if name == "POST /client/memberships":
            self.payee.post("/client/team/invitations", email=self.email, role="accountant")
            self.known["JOIN_TOKEN"] = self._token("/app/join", 1)

    def _prove_address_of_payee(self) -> None:
        token = self._token("/verify-email", 1, self.payee.email)
        proved = {"token": token}
        answer = requests.post(f"{self.city.api}/auth/verify-email", json=proved, timeout=10)
        answer.raise_for_status()

    def _prepare_webhook(self, name: str) -> None:
        mine, path = self._me(), f"/client/webhooks/{self.known['WEBHOOK']}"
        if name.endswith("/test"):
            assert mine.call("PATCH", path, {"url": self.hook}).ok
        if name.endswith("/deliveries"):
            until(lambda: mine.get(f"{path}/deliveries?status=DELIVERED")["deliveries"], PATIENCE)

    def _prepare_invoice(self, name: str) -> None:
        if name.endswith("{INVOICE}/send"):
            self._have_an_address(proved=True)
        if name.endswith("{INVOICE}/cancel"):
            # Proved further on, by a letter.
            self._have_an_address(proved=False)
        if name.endswith("{INVOICE_OF_ANOTHER}/pay"):
            self.known["INVOICE_OF_ANOTHER"] = self._invoice(self.payee)
        if name.endswith("{PAID_INVOICE}/refund"):
            self.known["PAID_INVOICE"] = self._invoice(self._me())
            self.payee.post(f"/client/invoices/{self.known['PAID_INVOICE']}/pay")
        if "{EXPIRING_INVOICE}" in name:
            self.known["EXPIRING_INVOICE"] = self._invoice(self._me())
        if name.endswith("{PART_PAID_INVOICE}/decline"):
            self._part_is_paid_and_asked_back()

    def _part_is_paid_and_asked_back(self) -> None:
        mine, base = self._me(), NETWORKS["Base"]
        made = mine.post("/client/invoices", amount=5, currency="USDC")["invoice"]
        at = self.city.place_to_pay(made, "Base")
        OUTSIDE[base.family].send_usdc(self.city.parts.nodes["Base"], base.usdc, at, 2_000_000)
        path = f"/client/invoices/{made['id']}"
        until(lambda: mine.get(path)["invoice"]["amountPaid"] == "2.00", PATIENCE)
        form = {"address": WALLET, "network": "Base", "sure": "yes"}
        requests.post(f"{made['payUrl']}/claim", data=form, timeout=10).raise_for_status()
        self.known["PART_PAID_INVOICE"] = made["id"]
        self.known["CLAIM"] = mine.get(path)["claims"][0]["id"]

    def remember(self, example: programs.Example, answer: Any) -> None:
        for name, path in example.keeps.items():
            value = answer
            for member in path.split("."):
                value = value[int(member) if isinstance(value, list) else member]
            self.known[name] = value

    def _me(self) -> Resident:
        http = requests.Session()
        http.headers["Authorization"] = f"Bearer {self.known['TOKEN']}"
        return Resident(self.city.api, http, "", self.email, "")

    def _another_session(self) -> str:
        who = {"email": self.email, "password": reference.ACCOUNT["password"]}
        requests.post(f"{self.city.api}/auth/login", json=who, timeout=10).raise_for_status()
        found = self._me().get("/client/sessions")["sessions"]
        return str(next(each["id"] for each in found if not each["current"]))

    def _token(self, page: str, count: int, to: str | None = None) -> str:
        """Return what the newest of so many letters with a link to a page proves it with."""

        def arrived() -> str | None:
            texts = [letter["text"] for letter in self.city.parts.post.letters(to or self.email)]
            found = re.findall(rf"{page}\?token=(\S+)", "\n".join(texts))
            return found[0] if len(found) >= count else None

        return until(arrived, PATIENCE)  # type: ignore[return-value] # until it is one

    def _have(self, sql: str) -> None:
        with psycopg.connect(self.city.environ["DATABASE_URL"]) as connection:
            connection.execute(sql, [self.email])

    def _have_an_address(self, *, proved: bool) -> None:
        """Have proved one's own address, or not."""
        sql = "UPDATE users SET email_verified_at = CASE WHEN %s THEN now() END WHERE email = %s"
        with psycopg.connect(self.city.environ["DATABASE_URL"]) as connection:
            connection.execute(sql, [proved, self.email])

    def _invoice(self, owner: Resident) -> str:
        made = owner.post("/client/invoices", amount=5, currency="USDC")
        return str(made["invoice"]["id"])


def _answers(reader: Reader) -> Iterator[tuple[str, Any]]:
    for example in reference.EXAMPLES:
        reader.prepare(example.name)
        printed = reader.run(reference.LANGUAGES[reader.language](example))
        answer = None if example.status == programs.NOTHING else json.loads(printed)
        if answer is not None:
            reader.remember(example, answer)
        yield example.name, answer


@pytest.mark.parametrize("language", RUNNERS)
def test_every_example_does_what_the_document_says(city: City, language: str):
    if os.environ.get("UPDATE_DOCS") and language == "sh":
        shown = {
            name: abbreviated(shortened(answer))
            for name, answer in _answers(Reader(city, language))  # of a shell: nothing to close
        }
        reference.PATH.write_text(reference.document(shown))
    reader = Reader(city, language)
    try:
        answers = dict(_answers(reader))
    finally:
        reader.close()
    examples = {example.name: example for example in reference.EXAMPLES}
    for name, written, answer in reference.written():
        assert written[language] == reference.LANGUAGES[language](examples[name]), name
        if answer is not None:
            assert differences(answer, shortened(answers[name])) == [], name


def test_every_example_stands_in_the_document_once_and_in_order():
    assert reference.marked() == [example.name for example in reference.EXAMPLES]


def test_every_route_of_clients_has_an_example(city: City):
    document = requests.get(f"{city.api}/openapi.json", timeout=10).json()
    described = {
        f"{method.upper()} {re.sub('{[^}]*}', '{}', path.removeprefix('/api'))}"
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters" and path.startswith(("/api/client", "/api/auth"))
    }
    shown = {re.sub("{[^}]*}", "{}", name) for name in reference.marked()}
    # Says who somebody is, and decides it: not a thing to show with invented data. And takes back
    # what nothing is signed for: a signer that has nothing else to do is faster than an example.
    untold = {"POST /client/kyc", "POST /client/test/kyc", "POST /client/withdraw/{}/cancel"}
    assert described - shown == untold
