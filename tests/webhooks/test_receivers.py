"""What others verify deliveries with: the official JavaScript library, our example."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from protonpay.webhooks import delivery, history
from tests.actors import Actor
from tests.webhooks.test_delivery import happen, receiver, sent, subscribe
from tests.webhooks.test_documented import NODE
from tests.webhooks.test_managing import rotate
from tests.wire.posting import listed

__all__ = ["receiver"]

ROOT = Path(__file__).parents[2]
OFFICIAL = """
    import {Webhook} from "standardwebhooks";
    const {SECRET, BODY, HEADERS} = process.env;
    try {
        console.log(JSON.stringify(new Webhook(SECRET).verify(BODY, JSON.parse(HEADERS))));
    } catch (error) {
        console.log(JSON.stringify(error.message));
    }
"""


def official(secret: str, headers: dict[str, str], body: bytes) -> object:
    """Return what the library of npm makes of a delivery: the event, or why it is none."""
    request = {"SECRET": secret, "BODY": body.decode(), "HEADERS": json.dumps(headers)}
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", OFFICIAL],
        env={**os.environ, **request},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_official_javascript_library_verifies_a_delivery(alice: Actor, receiver):
    hook = subscribe(alice, receiver)
    happen(alice)
    delivery.deliver_due()

    ((headers, body),) = sent(receiver)
    assert official(hook["secret"], headers, body) == json.loads(body)
    assert official(hook["secret"], headers, body.replace(b"25.00", b"95.00")) == (
        "No matching signature found"
    )


def test_it_takes_either_secret_while_they_overlap_and_no_older_one_afterwards(
    alice: Actor, receiver
):
    hook = subscribe(alice, receiver)
    old, new = hook["secret"], rotate(alice, hook, overlapSeconds=3600)
    happen(alice)
    delivery.deliver_due()
    # The library goes by its own clock, so what comes after the overlap is sent at once.
    newest = rotate(alice, hook, overlapSeconds=0)
    happen(alice)
    delivery.deliver_due()

    (headers, body), (later, after) = sent(receiver)
    assert [official(each, headers, body) for each in (old, new)] == [json.loads(body)] * 2
    assert official(newest, later, after) == json.loads(after)
    assert {official(each, later, after) for each in (old, new)} == {"No matching signature found"}


def test_the_example_takes_what_is_delivered_and_nothing_else(house: Flask, alice: Actor):
    order = {"url": "https://example.com/", "events": ["transfer.completed"]}
    hook = alice.post("/client/webhooks", order).get_json()["webhook"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "receiver.py"), "0"],
        env={**os.environ, "PROTONPAY_SECRET": hook["secret"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        (url,) = re.findall(r"http://\S+", process.stdout.readline())
        with listed(url):
            path = f"/client/webhooks/{hook['id']}"
            assert alice.call("PATCH", path, json={"url": url}).status_code == 200
            happen(alice)
            assert delivery.deliver_due() == 1
            assert process.stdout.readline() == "transfer.completed c1\n"
            (event,) = alice.get(f"{path}/deliveries").get_json()["deliveries"]
            assert event["status"] == "DELIVERED"
            history.resend(alice.id, hook["id"], event["id"])
            assert delivery.deliver_due() == 1
            assert process.stdout.readline() == "transfer.completed c1 (again)\n"
            alice.post(f"{path}/rotate-secret", {"overlapSeconds": 0})
            history.resend(alice.id, hook["id"], event["id"])
            assert delivery.deliver_due() == 1
            assert process.stdout.readline().startswith("refused: ")
    finally:
        process.terminate()
        process.communicate(timeout=30)
    shown = alice.get(f"{path}/deliveries/{event['id']}").get_json()["delivery"]
    assert (shown["status"], shown["tries"][-1]["outcome"]) == ("DELIVERED", "http_error")


@pytest.mark.parametrize("secret", ["", None])
def test_the_example_says_what_it_lacks(secret: str | None):
    environment = {name: value for name, value in os.environ.items() if name != "PROTONPAY_SECRET"}
    if secret is not None:
        environment["PROTONPAY_SECRET"] = secret
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "receiver.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Set PROTONPAY_SECRET" in done.stderr
