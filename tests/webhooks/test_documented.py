"""docs/webhooks.md: every payload is what is sent, every program verifies it."""

import hmac
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from protonpay import verify
from protonpay.chains.watch import Arrival
from protonpay.invoices import claims, receiving
from protonpay.kernel import clock, ids
from protonpay.kernel.events import NAMES, core_bytes, signed_body, standard_signature
from protonpay.kernel.money import Usdc
from protonpay.payouts import ending
from protonpay.store.db import transaction
from protonpay.wallets import recording
from protonpay.webhooks import delivery
from protonpay.webhooks.samples import sample
from tests.actors import Actor
from tests.api.shapes import abbreviated, differences
from tests.deposits.conftest import fill, market, played, till
from tests.deposits.till import Till
from tests.events import events_of
from tests.invoices.asking import ask, pay_on_chain
from tests.kyc.test_kyc import run, submit
from tests.payouts.conftest import base
from tests.payouts.fake_chain import LANDED, FakeChain
from tests.payouts.orders import accepted, confirm
from tests.payouts.orders import sent as sent_payout
from tests.raw_server import answering, http
from tests.wallets import pools
from tests.webhooks import catalogue
from tests.webhooks.test_delivery import happen, subscribe
from tests.wire.posting import listed

__all__ = ["base", "fill", "market", "played", "till"]

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
HASH = "0x" + "ab" * 32
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
UNREADABLE = "document_unreadable"
NODE = shutil.which("node", path=f"{os.environ['PATH']}:{Path(sys.executable).parent}") or "node"
RUN = {"python": ([sys.executable], "py"), "js": ([NODE], "mjs")}
# Where they are installed; where they are not, the places they cut at are looked at.
RUN |= {
    name: ([found, *words], name)
    for name, words in (("php", ()), ("go", ("run",)))
    if (found := shutil.which(name))
}
PROGRAMS = [
    (language, which)
    for language in RUN
    for which in ("header", "body")
    if which == "body" or language in {"python", "js"}
]
CORE = '{"event":"deposit.confirmed","data":{"note":"Жанна ☕"},"timestamp":"2026-11-26T12:00:00Z"}'


def _money_moves(house: Flask, alice: Actor, bob: Actor, base: FakeChain) -> None:
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": "25"})
    payout_id = accepted(alice)
    sent_payout(payout_id)
    base.plan("outcome", LANDED)
    confirm(payout_id)
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        ending.fail_unsigned(accepted(alice), "payee_blacklisted")
    arrival = Arrival("0xours", WALLET, Usdc.parse("100"), HASH, 0, 7, "0xblock")
    with transaction():
        recording.record("Base", [arrival], {"0xours": ("user", bob.id)}, final=True)
    pools.follow_all()
    for person, decision in ((bob, ("approve",)), (alice, ("reject", "--reason", UNREADABLE))):
        submit(person)
        assert run(house, *decision, person.email).exit_code == 0


def _invoices(alice: Actor, bob: Actor) -> None:
    on_chain = ask(bob, "50")
    for amount in ("20", "30", "5"):
        pay_on_chain(on_chain.id, amount)
    claims.ask_back(on_chain.id, wallet_address=WALLET, network="Base")
    paid = ask(bob, "10")
    assert paid.paid_by(alice).status_code == 200
    assert paid.refund().status_code == 200
    ask(bob, "5").cancel()
    late = ask(bob, "5", expiresInSeconds=60)
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        receiving.expire(late.id)
        pay_on_chain(late.id, "5")


def _card(till: Till, bob: Actor) -> None:
    deposit = till.credited(bob)
    till.pull(deposit, "refund", amount="20.50")
    till.ask(deposit)


def _endpoint_is_gone(bob: Actor) -> None:
    with answering(http(b"", status="410 Gone")) as gone, listed(gone.url):
        subscribe(bob, gone)
        happen(bob)
        delivery.deliver_due()


@pytest.mark.parametrize("played", ["tap"], indirect=True)
def test_every_payload_is_what_is_sent(
    house: Flask, alice: Actor, bob: Actor, base: FakeChain, fill, till: Till
):
    fill(20)
    _money_moves(house, alice, bob, base)
    _invoices(alice, bob)
    _card(till, bob)
    _endpoint_is_gone(bob)

    sent: dict[str, Any] = {}
    for person in (alice, bob):
        for name, data in events_of(person.id):
            sent.setdefault(name, data)
    assert sent.keys() == set(NAMES)
    sent["webhook.disabled"]["url"] = "https://yourapp.com/webhooks/nova"
    if os.environ.get("UPDATE_DOCS"):
        shown = {
            name: {
                "event": name,
                "data": abbreviated(data),
                "timestamp": "2026-03-14T12:00:00Z",
                "signature": "...",
            }
            for name, data in sent.items()
        }
        catalogue.PATH.write_text(catalogue.document(shown))
    documented = catalogue.written()
    assert list(documented) == list(NAMES)
    for name, shown in documented.items():
        assert (shown["event"], list(shown)) == (name, list(documented[NAMES[0]]))
        assert list(shown["data"]) == list(sent[name]), name
        assert differences(shown["data"], sent[name]) == [], name


def verdict(language: str, which: str, folder: Path, **request: str) -> bool:
    """Run one of the document's programs on a request."""
    command, suffix = RUN[language]
    source = folder / f"verify.{suffix}"
    source.write_text(catalogue.program(language, which))
    done = subprocess.run(
        [*command, str(source)],
        env={**os.environ, **request},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: bool = json.loads(done.stdout)
    return said


@pytest.mark.parametrize(("language", "which"), PROGRAMS)
def test_every_program_verifies_what_is_sent_and_nothing_else(
    language: str, which: str, tmp_path: Path
):
    secret = ids.new_webhook_secret()
    body = signed_body(CORE.encode(), secret)
    stamp = clock.to_epoch_ms(clock.now()) // 1000
    signature = standard_signature("evt_1", stamp, body, secret)

    def verifies(sent: bytes) -> bool:
        request = {
            "SECRET": secret,
            "BODY": sent.decode(),
            "WEBHOOK_ID": "evt_1",
            "WEBHOOK_TIMESTAMP": str(stamp),
            "WEBHOOK_SIGNATURE": f"v1,{'A' * 43}= {signature}",
        }
        return verdict(language, which, tmp_path, **request)

    assert verifies(body) is True
    assert verifies(body.replace(b"confirmed", b"confirmeD")) is False
    assert verifies(body[:-3] + b'f"}') is (body.endswith(b'f"}'))


@pytest.mark.parametrize("name", NAMES)
def test_a_test_event_says_what_the_real_one_says(name: str):
    """Member by member, in the same order and of the same types, for this account, and marked."""
    real, test = catalogue.written()[name]["data"], dict(sample(name, "cmowner"))
    assert test.pop("test") is True
    assert [(member, type(value)) for member, value in test.items()] == [
        (member, type(value)) for member, value in real.items()
    ]
    assert test["userId"] == "cmowner"
    assert "..." not in str(test)


def test_the_values_to_try_are_true_and_every_program_takes_them(tmp_path: Path):
    given = catalogue.vector()
    body, secret, stamp = given["body"].encode(), given["secret"], given["webhook-timestamp"]
    core = json.loads(body)
    assert signed_body(core_bytes(core["event"], core["data"], AT), secret) == body
    signature = standard_signature(given["webhook-id"], int(stamp), body, secret)
    assert signature == given["webhook-signature"]
    headers = {name: value for name, value in given.items() if name.startswith("webhook-")}
    moment = datetime.fromtimestamp(int(stamp), UTC)
    assert verify.verify(body, headers, secret, now=moment.timestamp()) == core
    for language in RUN:
        assert verdict(language, "body", tmp_path, BODY=given["body"], SECRET=secret) is True


@pytest.mark.parametrize(
    ("language", "expected"),
    [("php", ["0, -80", "-66, 64"]), ("go", [":len(body)-80", "len(body)-66:len(body)-2"])],
)
def test_programs_that_may_not_be_run_here_cut_where_the_signature_is(
    language: str, expected: list[str]
):
    """What their offsets say, said in Python, gives core and signature of the values to try."""
    program, given = catalogue.program(language, "body"), catalogue.vector()
    assert all(each in program for each in expected)
    body = given["body"]
    core, signature = body[: len(body) - 80] + "}", body[len(body) - 66 : len(body) - 2]
    assert signature == body[-66:][:64] == json.loads(body)["signature"]
    assert hmac.new(given["secret"].encode(), core.encode(), "sha256").hexdigest() == signature
