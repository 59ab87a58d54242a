"""One key, many hands: one effect, and one answer for everybody (API reference §5.2)."""

from collections import Counter
from functools import partial

import pytest
from werkzeug.test import TestResponse

from protonpay.kernel.money import Usdc
from protonpay.ledger import audit
from protonpay.payouts.models import Payout
from protonpay.store.db import db
from protonpay.transfers.models import Transfer
from protonpay.webhooks.service import WebhookEndpoint
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse

pytestmark = pytest.mark.slow

CROWD = 40
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"  # EIP-55's own example


@pytest.fixture
def payer(open_house: OpenHouse) -> Actor:
    return make_actor(open_house.app, "Payer", funded="1000")


def _orders(friend: Actor) -> dict[str, tuple[str, dict[str, object], type]]:
    transfer = {"toIdentifier": friend.public_id, "amount": 25}
    payout = {"amount": 25, "walletAddress": WALLET, "network": "Base"}
    hook = {"url": "https://receiver.example.com/", "events": ["payout.completed"]}
    return {
        "transfer": ("/client/transfer", transfer, Transfer),
        "payout": ("/client/withdraw", payout, Payout),
        "webhook": ("/client/webhooks", hook, WebhookEndpoint),
    }


def _ask(actor: Actor, path: str, body: object, key: str = "one") -> TestResponse:
    return actor.post(path, body, headers={"Idempotency-Key": key})


def _kind(answer: TestResponse) -> str:
    assert not isinstance(answer, Exception), answer
    if answer.status_code == 409:
        code = str(answer.get_json()["code"])
        wait = answer.headers.get("Retry-After")
        assert wait == ("1" if code == "idempotency_in_progress" else None)
        return code
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return "replayed" if "Idempotent-Replayed" in answer.headers else "first"


@pytest.mark.checklist(74)
@pytest.mark.parametrize("what", ["transfer", "payout", "webhook"])
def test_of_forty_at_once_one_acts_and_the_rest_hear_of_it(
    open_house: OpenHouse, payer: Actor, what: str
):
    path, body, model = _orders(make_actor(open_house.app, "Friend"))[what]

    answers = open_house.at_once([partial(_ask, payer, path, body)] * CROWD)
    answers += open_house.at_once([partial(_ask, payer, path, body)] * 5)

    kinds = Counter(map(_kind, answers))
    assert kinds["first"] == 1
    assert set(kinds) <= {"first", "replayed", "idempotency_in_progress"}
    assert kinds["replayed"] >= 1
    told = {answer.get_data() for answer in answers if answer.status_code == 200}
    assert len(told) == 1
    assert db.session.query(model).count() == 1
    spent = {"transfer": "25", "payout": "25.05", "webhook": "0"}[what]
    assert payer.available == Usdc.parse("1000") - Usdc.parse(spent)
    assert audit.findings() == []


def test_asked_until_each_has_an_answer_there_is_one(open_house: OpenHouse, payer: Actor):
    path, body, model = _orders(make_actor(open_house.app, "Friend"))["transfer"]

    def patient() -> bytes:
        while (answer := _ask(payer, path, body)).status_code == 409:
            assert answer.get_json()["code"] == "idempotency_in_progress"
        assert answer.status_code == 200
        return answer.get_data()

    told = open_house.at_once([patient] * 16)

    assert len(set(told)) == 1
    assert db.session.query(model).count() == 1


def test_two_orders_under_one_key_at_once_and_one_is_done(open_house: OpenHouse, payer: Actor):
    path, body, model = _orders(make_actor(open_house.app, "Friend"))["transfer"]
    other = {**body, "amount": 26}

    answers = open_house.at_once(
        [partial(_ask, payer, path, each) for each in (body, other) * (CROWD // 2)]
    )

    kinds = Counter(map(_kind, answers))
    assert kinds["first"] == 1
    assert set(kinds) <= {
        *("first", "replayed", "idempotency_in_progress", "idempotency_key_reused")
    }
    (row,) = db.session.query(model).all()
    refused = other if row.amount_micro == Usdc.parse("25") else body
    assert _kind(_ask(payer, path, refused)) == "idempotency_key_reused"


def test_forty_keys_at_once_are_forty(open_house: OpenHouse, payer: Actor):
    path, body, model = _orders(make_actor(open_house.app, "Friend"))["transfer"]

    works = [partial(_ask, payer, path, body, f"key-{n}") for n in range(CROWD)]
    answers = open_house.at_once(works)

    assert Counter(map(_kind, answers)) == {"first": CROWD}
    assert db.session.query(model).count() == CROWD
    assert payer.available == Usdc.parse("0")
