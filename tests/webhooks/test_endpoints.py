"""The life of a webhook endpoint (API reference §4)."""

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from protonpay.kernel import clock, events, ids
from protonpay.store import db
from protonpay.webhooks import delivery, lanes, service
from protonpay.webhooks.lanes import Parcel
from protonpay.webhooks.models import WebhookDelivery, WebhookEndpoint
from protonpay.webhooks.recording import Met, record
from protonpay.wire.outbound import Outcome
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

URL = "https://yourapp.com/webhooks/nova"
GONE = Outcome(delivered=False, status=410, code="http_error", head="", milliseconds=1)
EVENTS = ["deposit.confirmed", "transfer.completed"]
NO_HTTPS = [
    *("http://h.example.com/", "ftp://h.example.com/", "file:///etc/passwd", "javascript:alert(1)"),
    *("//h", "https:h", "https:///x", ""),
]
INNER = [
    f"https://{host}/hook"
    for host in (
        *("localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]"),
        *("[::ffff:169.254.169.254]", "169.254.169.254", "metadata.google.internal", "x.local"),
        *("example.com.", "127。0。0。1", "①②⑦.⓪.⓪.①"),
    )
]
ODD = [
    *("https://u:p@h.example.com/", "https://a.com\\@169.254.169.254/", "https://a.com#@h"),
    *("https://a.com/\t", "https://a.com\n/", "https://a.com/ x"),
    *(f"https://example.com:{port}/" for port in (22, 25, 6379, 0, 65536)),
]


def register(actor: Actor, url: str = URL, **more: Any) -> dict[str, Any]:
    answer = actor.post("/client/webhooks", {"url": url, "events": EVENTS, **more})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    webhook: dict[str, Any] = answer.get_json()["webhook"]
    return webhook


def change(actor: Actor, webhook_id: str, **body: Any) -> TestResponse:
    return actor.call("PATCH", f"/client/webhooks/{webhook_id}", json=body)


def remove(actor: Actor, webhook_id: str) -> TestResponse:
    return actor.call("DELETE", f"/client/webhooks/{webhook_id}")


def happen(alice: Actor, bob: Actor) -> None:
    """Let something happen to Alice, and have it written down whom it concerns."""
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 1})
    service.dispatch()


def taken() -> list[Parcel]:
    """Take what is due, as a courier does before it posts."""
    return lanes.take(dict.fromkeys(lanes.claim(10, slow=False), 10))


def deliveries() -> list[str]:
    return list(db.db.session.scalars(select(WebhookDelivery.state).order_by(WebhookDelivery.id)))


def test_the_answer_is_the_documented_one_and_more(alice: Actor):
    moment = clock.now()
    with clock.frozen(moment), only_changes("webhook_endpoints"):
        webhook = register(alice, description="orders")

    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert webhook == {
        "id": webhook["id"],
        "url": URL,
        "events": EVENTS,
        "enabled": True,
        "disabledReason": None,
        "description": "orders",
        "throttlePerSecond": None,
        "createdAt": clock.to_text(moment),
    }
    assert alice.get(f"/client/webhooks/{webhook['id']}").get_json() == {"webhook": webhook}


@pytest.mark.checklist(107)
def test_the_secret_is_never_shown_again(alice: Actor):
    webhook = register(alice)
    secret = webhook["secret"]
    path = f"/client/webhooks/{webhook['id']}"

    shown = [alice.get(path), alice.get("/client/webhooks"), change(alice, webhook["id"])]
    for answer in shown:
        assert answer.status_code == 200
        assert secret not in answer.get_data(as_text=True)
        assert "secret" not in answer.get_data(as_text=True)
    stored = db.db.session.get_one(WebhookEndpoint, webhook["id"]).secret
    assert secret.encode() not in stored


@pytest.mark.checklist(107)
def test_an_endpoint_of_others_is_not_there(alice: Actor, mallory: Actor):
    webhook_id = register(alice)["id"]

    with nothing_changes():
        for of in (webhook_id, ids.new_id()):
            refused(mallory.get(f"/client/webhooks/{of}"), 404, "not_found")
            refused(change(mallory, of, enabled=False), 404, "not_found")
            refused(remove(mallory, of), 404, "not_found")
        assert mallory.get("/client/webhooks").get_json()["webhooks"] == []


@pytest.mark.checklist(107)
def test_the_21st_is_one_too_many_until_one_is_removed(alice: Actor):
    made = [register(alice, f"{URL}/{number}")["id"] for number in range(20)]

    with nothing_changes():
        answer = alice.post("/client/webhooks", {"url": f"{URL}/20", "events": EVENTS})
        refused(answer, 409, "too_many_webhooks")
    assert remove(alice, made[0]).status_code == 204
    made = [*made[1:], register(alice, f"{URL}/20")["id"]]
    pages = alice.get("/client/webhooks?limit=15").get_json()
    assert [webhook["id"] for webhook in pages["webhooks"]] == made[:4:-1]
    rest = alice.get(f"/client/webhooks?limit=15&cursor={pages['nextCursor']}").get_json()
    assert [webhook["id"] for webhook in rest["webhooks"]] == made[4::-1]


def test_an_address_is_registered_once(alice: Actor, bob: Actor):
    first, second = register(alice), register(alice, f"{URL}/2")

    with nothing_changes():
        answer = alice.post(
            "/client/webhooks",
            {"url": URL.upper().replace("/WEBHOOKS/NOVA", "/webhooks/nova"), "events": EVENTS},
        )
        refused(answer, 409, "duplicate")
        refused(change(alice, second["id"], url=URL), 409, "duplicate")
        assert change(alice, first["id"], url=URL).status_code == 200
    assert register(bob)["url"] == URL
    remove(alice, first["id"])
    assert change(alice, second["id"], url=URL).get_json()["webhook"]["url"] == URL


@pytest.mark.checklist(106)
@pytest.mark.parametrize(
    "named",
    [
        [],
        None,
        "deposit.confirmed",
        ["deposit.confirmed", "deposit.confirmed"],
        ["deposit.confirmed", "deposit.unheard"],
        ["deposit.confirmed\n"],
        ["*"],
        [1],
        ["deposit.confirmed"] * 1000,
    ],
)
def test_events_are_known_and_named_once(alice: Actor, named: Any):
    webhook_id = register(alice)["id"]

    with nothing_changes():
        order = {"url": f"{URL}/2", "events": named}
        refused(alice.post("/client/webhooks", order), 400, "validation_error")
        refused(change(alice, webhook_id, events=named), 400, "validation_error")


def test_every_event_there_is_can_be_named(alice: Actor):
    webhook = register(alice, events=list(events.NAMES))

    assert webhook["events"] == list(events.NAMES)
    assert set(events.DOCUMENTED) <= set(events.NAMES)


def test_what_is_not_named_stays_as_it_is(alice: Actor):
    before = register(alice, description="orders")
    del before["secret"]

    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"url": f"{URL}/new"}, {"url": f"{URL}/new"}),
        ({"events": ["kyc.approved"]}, {"events": ["kyc.approved"]}),
        ({"description": None}, {"description": None}),
        ({"enabled": False}, {"enabled": False, "disabledReason": "by_owner"}),
        ({"enabled": True}, {"enabled": True, "disabledReason": None}),
    ]
    for asked, different in changes:
        before |= different
        assert change(alice, before["id"], **asked).get_json() == {"webhook": before}
        assert alice.get(f"/client/webhooks/{before['id']}").get_json() == {"webhook": before}


@pytest.mark.parametrize(
    "body",
    [
        {"url": None},
        {"url": ""},
        {"enabled": "true"},
        {"enabled": 1},
        {"enabled": None},
        {"description": "x" * 201},
        {"description": "a\0b"},
        {"secret": "whsec_mine"},
        {"id": "cmmine0000"},
    ],
)
def test_what_cannot_be_changed_so_is_400(alice: Actor, body: dict[str, Any]):
    webhook_id = register(alice)["id"]

    with nothing_changes():
        refused(change(alice, webhook_id, **body), 400, "validation_error")


@pytest.mark.checklist(99, 100, 101)
@pytest.mark.parametrize("url", [*NO_HTTPS, *INNER, *ODD], ids=ascii)
def test_an_address_that_could_lead_elsewhere_is_not_registered(alice: Actor, url: str):
    with nothing_changes():
        order = {"url": url, "events": EVENTS}
        answer = alice.post("/client/webhooks", order)
        refused(answer, 400, "invalid_url" if url else "validation_error")


def test_a_new_address_is_judged_like_the_first(alice: Actor):
    webhook_id = register(alice)["id"]

    with nothing_changes():
        for url in ("http://a.example.com/", "https://169.254.169.254/", "https://u:p@a.com/"):
            refused(change(alice, webhook_id, url=url), 400, "invalid_url")


def test_who_is_disabled_hears_nothing_new_and_keeps_what_was_coming(alice: Actor, bob: Actor):
    webhook_id = register(alice)["id"]
    happen(alice, bob)
    change(alice, webhook_id, enabled=False)
    happen(alice, bob)

    assert deliveries() == ["PENDING"]
    assert delivery.deliver_due() == 0
    change(alice, webhook_id, enabled=True)
    happen(alice, bob)
    assert deliveries() == ["PENDING", "PENDING"]
    assert len(taken()) == 2


def test_a_removed_endpoint_is_told_nothing_and_forgotten(alice: Actor, bob: Actor):
    webhook_id = register(alice)["id"]
    happen(alice, bob)

    with only_changes("webhook_endpoints", "webhook_deliveries"):
        answer = remove(alice, webhook_id)
    assert (answer.status_code, answer.data) == (204, b"")

    assert deliveries() == ["CANCELLED"]
    happen(alice, bob)
    assert deliveries() == ["CANCELLED"]
    with nothing_changes():
        refused(alice.get(f"/client/webhooks/{webhook_id}"), 404, "not_found")
        refused(change(alice, webhook_id, enabled=True), 404, "not_found")
        refused(remove(alice, webhook_id), 404, "not_found")
    assert alice.get("/client/webhooks").get_json()["webhooks"] == []
    assert db.db.session.get_one(WebhookEndpoint, webhook_id).secret == b""
    assert register(alice)["url"] == URL


def test_an_attempt_under_way_ends_well_after_the_removal(alice: Actor, bob: Actor):
    webhook_id = register(alice)["id"]
    happen(alice, bob)
    [parcel] = taken()

    remove(alice, webhook_id)
    for outcome in (
        Outcome(delivered=True, status=200, code="delivered", head="", milliseconds=1),
        GONE,
    ):
        record([Met(parcel, clock.now(), outcome)])

    assert deliveries() == ["CANCELLED"]
    assert db.db.session.get_one(WebhookEndpoint, webhook_id).disabled_reason == "removed"


def test_gone_disables_at_once_and_cancels_what_was_coming(alice: Actor, bob: Actor):
    webhook = register(alice)
    happen(alice, bob)
    happen(alice, bob)
    parcel = taken()[0]

    record([Met(parcel, clock.now(), GONE)])

    assert deliveries() == ["CANCELLED", "CANCELLED"]
    shown = alice.get(f"/client/webhooks/{webhook['id']}").get_json()["webhook"]
    assert (shown["enabled"], shown["disabledReason"]) == (False, "gone")


def test_a_throttle_is_set_changed_and_taken_away(alice: Actor):
    webhook = register(alice, throttlePerSecond=5)
    assert webhook["throttlePerSecond"] == 5
    assert (
        change(alice, webhook["id"], throttlePerSecond=100).get_json()["webhook"][
            "throttlePerSecond"
        ]
        == 100
    )
    kept = change(alice, webhook["id"], description="orders").get_json()["webhook"]
    assert kept["throttlePerSecond"] == 100
    gone = change(alice, webhook["id"], throttlePerSecond=None).get_json()["webhook"]
    assert gone["throttlePerSecond"] is None


@pytest.mark.parametrize("wrong", [0, 101, -1, 1.5, "5", True, []])
def test_a_throttle_that_is_none_is_refused(alice: Actor, wrong: Any):
    webhook = register(alice)
    with nothing_changes():
        refused(change(alice, webhook["id"], throttlePerSecond=wrong), 400, "validation_error")
