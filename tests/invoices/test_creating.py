"""POST and GET /client/invoices."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.kernel import clock
from protonpay.store.db import db, transaction
from protonpay.users import service as users
from tests.actors import Actor
from tests.invoices.asking import ask, pay_on_chain
from tests.nasty import NASTY
from tests.refusals import refused
from tests.unchanged import nothing_changes

SEED = {"amount": 50, "currency": "USDC", "description": "Monthly subscription"}
NOT_AMOUNTS = [
    *(0, -1, "-0", "0", "1e2", "NaN", True, None, [], {}, "１００", "1_000", " 1", "+1", ""),  # noqa: RUF001
    *(10**18, 10**13, "0.0000001", "100.00000000000000001", 0.0000001, "9223372036854.775808"),
]


def test_as_the_api_document_has_it(alice: Actor):
    answer = alice.post("/client/invoices", SEED)

    assert answer.status_code == 200
    invoice = answer.get_json()["invoice"]
    assert list(invoice)[:5] == ["id", "amount", "currency", "status", "payUrl"]
    assert [invoice[name] for name in ("amount", "currency", "status", "description")] == [
        "50.00",
        "USDC",
        "PENDING",
        "Monthly subscription",
    ]
    assert invoice["payUrl"] == f"http://127.0.0.1:8000/pay/{invoice['id']}"
    assert (invoice["amountPaid"], invoice["amountDue"]) == ("0.00", "50.00")


def test_it_can_be_paid_for_a_day_and_is_watched_over(alice: Actor):
    made = ask(alice)

    invoice = made.shown
    assert invoice["expiresAt"][:10] > invoice["createdAt"][:10]
    ((due, created),) = db.session.execute(
        text("SELECT due_at, created_at FROM outbox WHERE job = 'invoices.expire'")
    ).all()
    assert abs(due - created - timedelta(days=1)) < timedelta(seconds=1)


def test_what_may_be_chosen(alice: Actor):
    made = ask(alice, "10", expiresInSeconds=60, tolerance="0.5", acceptLate=True)

    invoice = made.shown
    assert (invoice["tolerance"], invoice["acceptLate"]) == ("0.50", True)
    assert invoice["description"] is None


@pytest.mark.parametrize("none", ["0", 0, "0.00"], ids=repr)
def test_no_tolerance_can_be_said(alice: Actor, none: Any):
    assert ask(alice, tolerance=none).shown["tolerance"] == "0.00"


@pytest.mark.checklist(110)
@pytest.mark.parametrize("amount", NOT_AMOUNTS, ids=repr)
def test_what_is_no_amount_is_refused(alice: Actor, amount: Any):
    with nothing_changes():
        refused(alice.post("/client/invoices", {**SEED, "amount": amount}), 400, "validation_error")


@pytest.mark.checklist(110)
@pytest.mark.parametrize("currency", ["USD", "usdc", "EUR", "USDT", "USDC ", "BTC"])
def test_another_currency_is_refused(alice: Actor, currency: str):
    """Currency not ``USDC``."""
    with nothing_changes():
        answer = alice.post("/client/invoices", {**SEED, "currency": currency})
        refused(answer, 400, "unsupported_currency")


@pytest.mark.checklist(110)
def test_a_description_has_500_characters_at_most(alice: Actor):
    """501 characters are refused, 500 are kept."""
    with nothing_changes():
        answer = alice.post("/client/invoices", {**SEED, "description": "д" * 501})
        refused(answer, 400, "validation_error")
    assert ask(alice, description="д" * 500).shown["description"] == "д" * 500


def test_a_description_comes_back_as_it_was_sent(alice: Actor):
    for said in NASTY:
        assert ask(alice, description=said).shown["description"] == said


@pytest.mark.parametrize(
    "more",
    [
        {"expiresInSeconds": 59},
        {"expiresInSeconds": 90 * 86_400 + 1},
        {"expiresInSeconds": True},
        {"expiresInSeconds": "3600"},
        {"expiresInSeconds": 3600.5},
        {"tolerance": "50"},
        {"tolerance": "-1"},
        {"acceptLate": "yes"},
        {"acceptLate": 1},
        {"status": "PAID"},
        {"userId": "cm" + "a" * 23},
        {"amountPaid": "50"},
        {"description": "a\u0000b"},
    ],
    ids=str,
)
def test_what_may_not_be_chosen(alice: Actor, more: dict):
    with nothing_changes():
        refused(alice.post("/client/invoices", {**SEED, **more}), 400, "validation_error")


def test_a_suspended_account_asks_for_nothing(alice: Actor):
    with transaction():
        users.set_standing(alice.id, "SUSPENDED")
    with nothing_changes():
        refused(alice.post("/client/invoices", SEED), 403, "account_suspended")


@pytest.mark.checklist(113)
def test_an_invoice_of_somebody_else_is_not_there(alice: Actor, mallory: Actor):
    """It is in no list of hers, and nothing of it can be done."""
    made = ask(alice)

    with nothing_changes():
        path = f"/client/invoices/{made.id}"
        refused(mallory.get(path), 404, "not_found")
        refused(mallory.post(f"{path}/cancel"), 404, "not_found")
        refused(mallory.post(f"{path}/refund", {}), 404, "not_found")
        assert mallory.get("/client/invoices").get_json()["invoices"] == []


def test_an_id_of_nobody(alice: Actor):
    for verb in ("cancel", "pay"):
        refused(alice.post(f"/client/invoices/cm{'a' * 23}/{verb}"), 404, "not_found")


def test_a_list_goes_through_all_newest_first(alice: Actor):
    made = [ask(alice, str(number)).id for number in range(1, 6)]

    first = alice.get("/client/invoices?limit=3").get_json()
    rest = alice.get(f"/client/invoices?limit=3&cursor={first['nextCursor']}").get_json()

    assert [one["id"] for one in first["invoices"] + rest["invoices"]] == made[::-1]
    assert (first["hasMore"], rest["hasMore"], rest["nextCursor"]) == (True, False, None)


def test_a_list_of_one_status(alice: Actor):
    cancelled, paid, open_one = ask(alice), ask(alice), ask(alice)
    cancelled.cancel()
    pay_on_chain(paid.id, "50")

    def of(status: str) -> list[str]:
        page = alice.get(f"/client/invoices?status={status}").get_json()
        return [one["id"] for one in page["invoices"]]

    assert (of("CANCELLED"), of("PAID"), of("PENDING")) == (
        [cancelled.id],
        [paid.id],
        [open_one.id],
    )
    refused(alice.get("/client/invoices?status=paid"), 400, "validation_error")


def test_a_list_of_a_span(alice: Actor):
    now = clock.now()
    with clock.frozen(now - timedelta(hours=2)):
        old = ask(alice)
    new = ask(alice)

    hour = clock.to_text(now - timedelta(hours=1))
    since = alice.get(f"/client/invoices?from={hour}").get_json()["invoices"]
    until = alice.get(f"/client/invoices?to={hour}").get_json()["invoices"]

    assert ([one["id"] for one in since], [one["id"] for one in until]) == ([new.id], [old.id])


def test_a_list_knows_what_has_ended_before_any_job_did(alice: Actor):
    made = ask(alice, expiresInSeconds=60)
    with clock.frozen(clock.now() + timedelta(seconds=61)):
        assert alice.get("/client/invoices?status=PENDING").get_json()["invoices"] == []
        (line,) = alice.get("/client/invoices?status=EXPIRED").get_json()["invoices"]
    assert line["id"] == made.id


def test_they_are_counted_by_status(alice: Actor, bob: Actor):
    ask(bob, "5")
    ask(bob, "5").cancel()
    assert ask(bob, "5").paid_by(alice).status_code == 200

    def counted(actor: Actor) -> dict[str, int]:
        rows = actor.get("/client/invoices/counts").json["counts"]
        return {each["status"]: each["count"] for each in rows if each["count"]}

    assert counted(bob) == {"PENDING": 1, "CANCELLED": 1, "PAID": 1}
    assert counted(alice) == {}
