"""Tap's simulator by itself: as strict, as forgetful and as stubborn as the real one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from protonpay.sandbox.cards.store import Store
from tests.patience import until
from tests.simulators import PATIENCE, Receiver, Simulator, running

KEY = "sk_test_simulated"
MODULE, OPTIONS = "protonpay.sandbox.tap", ("--secret-key", KEY)


@pytest.fixture(scope="module")
def tap() -> Iterator[Simulator]:
    with running(MODULE, *OPTIONS) as simulator:
        yield simulator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def order(**changes: Any) -> dict[str, Any]:
    return {
        "amount": 12.5,
        "currency": "KWD",
        "threeDSecure": True,
        "description": "A deposit",
        "reference": {"order": "dep_1", "transaction": "dep_1"},
        "metadata": {"deposit_id": "dep_1"},
        "customer": {"first_name": "Ann", "email": "ann@example.com"},
        "source": {"id": "src_card"},
        "redirect": {"url": "http://127.0.0.1:1/back?lang=en"},
        "post": {"url": "http://127.0.0.1:1/callbacks/tap"},
        **changes,
    }


def call(tap: Simulator, path: str, body: Any = None, key: str | None = KEY) -> requests.Response:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    url = f"{tap.url}/v2/{path}"
    if body is None:
        return requests.get(url, headers=headers, timeout=PATIENCE)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(url, data=data, headers=headers, timeout=PATIENCE)


def created(tap: Simulator, **changes: Any) -> dict[str, Any]:
    answer = call(tap, "charges/", order(**changes))
    assert answer.status_code == 200, answer.text
    charge: dict[str, Any] = answer.json()
    return charge


def code(answer: requests.Response) -> str:
    (error,) = answer.json()["errors"]
    assert error["description"]
    return str(error["code"])


def press(charge: dict[str, Any], outcome: str) -> requests.Response:
    url = charge["transaction"]["url"]
    return requests.post(url, data={"outcome": outcome}, allow_redirects=False, timeout=PATIENCE)


def fetched(tap: Simulator, charge: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = call(tap, f"charges/{charge['id']}").json()
    return found


# The API


def test_a_charge_is_printed_as_tap_prints_it(tap):
    answer = call(tap, "charges", order())
    charge = answer.json()
    assert re.fullmatch(r"chg_TS[A-Za-z0-9]+", charge["id"])
    assert '"amount":12.5,' in answer.text
    assert charge["live_mode"] is False
    assert charge["status"] == "INITIATED"
    assert charge["response"] == {"code": "100", "message": "Initiated"}
    assert charge["reference"]["order"] == "dep_1"
    assert charge["metadata"] == {"deposit_id": "dep_1"}
    assert charge["transaction"]["url"] == f"{tap.url}/pay/{charge['id']}"
    assert charge["transaction"]["expiry"] == {"period": 30, "type": "MINUTE"}
    assert re.fullmatch(r"[0-9]{13}", charge["transaction"]["created"])


def test_whole_amounts_are_doubles_too(tap):
    answer = call(tap, "charges", order(amount=100, currency="AED"))
    assert '"amount":100.0,' in answer.text


@pytest.mark.parametrize(
    ("key", "expected"),
    [(None, "2105"), ("", "2105"), ("sk_test_other", "2104"), ("pk_test_x", "2106")],
)
def test_without_the_right_key_nothing_is_said(tap, key, expected):
    for answer in (call(tap, "charges", order(), key), call(tap, "charges/chg_1", None, key)):
        assert (answer.status_code, code(answer)) == (401, expected)


def test_basic_authentication_is_refused(tap):
    answer = requests.get(f"{tap.url}/v2/charges/chg_1", auth=(KEY, ""), timeout=PATIENCE)
    assert (answer.status_code, code(answer)) == (401, "2105")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": None}, "1117"),
        ({"amount": 0}, "1117"),
        ({"amount": 0.099}, "1117"),
        ({"amount": -5}, "1117"),
        ({"amount": 12.5005}, "1117"),
        ({"amount": 12.345, "currency": "AED"}, "1117"),
        ({"amount": "twelve"}, "1117"),
        ({"amount": [12.5]}, "1117"),
        ({"currency": None}, "1118"),
        ({"currency": "kwd"}, "1118"),
        ({"currency": "RUB"}, "1119"),
        ({"source": {}}, "1124"),
        ({"source": {"id": "tok_1"}}, "1125"),
        ({"redirect": {}}, "1110"),
        ({"redirect": {"url": "ftp://x"}}, "1111"),
        ({"redirect": {"url": "http://[::1"}}, "1111"),
        ({"post": {"url": "nowhere"}}, "1103"),
        ({"post": "nowhere"}, "1103"),
        ({"reference": "dep_1"}, "1103"),
        ({"customer": {}}, "1129"),
        ({"customer": {"email": "a@b.co"}}, "1130"),
        ({"customer": {"first_name": "x" * 150, "email": "a@b.co"}}, "1131"),
        ({"customer": {"first_name": "Ann"}}, "1139"),
        ({"customer": {"first_name": "Ann", "email": "nobody"}}, "1138"),
        ({"description": "x" * 1000}, "1121"),
        ({"reference": {"order": "x" * 100}}, "1122"),
        ({"reference": {"transaction": "x" * 100}}, "1123"),
        ({"metadata": {"k" * 250: "v"}}, "1127"),
        ({"metadata": {"k": "v" * 1000}}, "1128"),
        ({"transaction": {"expiry": {"period": 4}}}, "1103"),
        ({"transaction": {"expiry": {"period": 61}}}, "1103"),
    ],
)
def test_a_bad_order_is_refused_with_tap_s_own_code(tap, changes, expected):
    answer = call(tap, "charges", order(**changes))
    assert (answer.status_code, code(answer)) == (400, expected)


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'"x"', b"\xff"])
def test_what_is_not_json_is_refused(tap, body):
    answer = call(tap, "charges", body)
    assert (answer.status_code, code(answer)) == (400, "2100")


def test_the_smallest_amount_is_a_tenth(tap):
    assert created(tap, amount=0.1)["amount"] == 0.1


def test_an_idempotent_repeat_creates_nothing_for_a_day(tap):
    reference = {"order": "dep_2", "idempotent": "dep_2-1"}
    first = created(tap, reference=reference)
    press(first, "paid")
    assert created(tap, reference=reference) == first
    tap.pull("clock", advance_seconds=24 * 3600 + 1)
    assert created(tap, reference=reference)["id"] != first["id"]


def test_without_an_idempotent_value_every_order_is_a_charge(tap):
    assert created(tap)["id"] != created(tap)["id"]


def test_an_unknown_charge_is_not_found(tap):
    answer = call(tap, "charges/chg_TS0")
    assert (answer.status_code, code(answer)) == (404, "1144")


def test_charges_are_listed_by_our_reference(tap):
    wanted = created(tap, reference={"order": "dep_listed"})
    created(tap)
    listed = call(tap, "charges/list", {"reference": {"order": "dep_listed"}}).json()
    assert [charge["id"] for charge in listed["charges"]] == [wanted["id"]]


# Refunds


def test_refunds_add_up_to_the_charge_and_no_further(tap):
    charge = created(tap)
    refund = {"charge_id": charge["id"], "amount": 10.5, "currency": "KWD", "reason": "asked"}
    assert code(call(tap, "refunds/", refund)) == "1161"
    press(charge, "paid")
    assert code(call(tap, "refunds/", {**refund, "currency": "USD"})) == "1149"
    assert code(call(tap, "refunds/", {**refund, "reason": ""})) == "1156"
    assert code(call(tap, "refunds/", {**refund, "amount": 12.501})) == "1161"
    assert call(tap, "refunds/list", {"charges": [charge["id"]]}).status_code == 400
    assert call(tap, "refunds/", refund).json()["status"] == "REFUNDED"
    assert code(call(tap, "refunds/", refund)) == "1161"
    assert call(tap, "refunds/", {**refund, "amount": 2}).status_code == 200
    listed = call(tap, "refunds/list", {"charges": [charge["id"]]}).json()["refunds"]
    assert [(r["amount"], r["charge_id"]) for r in listed] == [
        (10.5, charge["id"]),
        (2.0, charge["id"]),
    ]
    assert fetched(tap, charge)["status"] == "CAPTURED"


# The page


def test_the_page_needs_no_script_and_allows_none(tap):
    charge = created(tap)
    page = requests.get(charge["transaction"]["url"], timeout=PATIENCE)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text
    assert "12.500 <small>KWD</small>" in page.text
    buttons = re.findall(r'<button[^>]*name="outcome" value="([a-z]+)"', page.text)
    assert buttons == ["paid", "declined", "cancelled"]


def test_the_browser_goes_back_with_the_charge_s_id(tap):
    charge = created(tap)
    answer = press(charge, "paid")
    assert answer.status_code == 303
    back = f"http://127.0.0.1:1/back?lang=en&tap_id={charge['id']}"
    assert answer.headers["Location"] == back


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("paid", "Paid"), ("declined", "Declined"), ("cancelled", "Cancelled")],
)
def test_a_page_that_was_used_shows_how_it_ended_and_has_no_button(tap, outcome, words):
    charge = created(tap)
    press(charge, outcome)
    page = requests.get(charge["transaction"]["url"], timeout=PATIENCE).text
    assert f"<h2>{words}" in page
    assert "<button" not in page


def test_an_expired_page_says_so_and_takes_nothing(tap):
    charge = created(tap)
    tap.pull("clock", advance_seconds=30 * 60)
    page = requests.get(charge["transaction"]["url"], timeout=PATIENCE).text
    assert "expired" in page
    assert press(charge, "paid").status_code == 303
    assert fetched(tap, charge)["status"] == "ABANDONED"


@pytest.mark.parametrize("outcome", ["", "PAID", "refunded", None])
def test_other_buttons_do_not_exist(tap, outcome):
    charge = created(tap)
    assert press(charge, outcome).status_code == 400
    assert fetched(tap, charge)["status"] == "INITIATED"


def test_there_is_no_page_without_a_charge(tap):
    assert requests.get(f"{tap.url}/pay/chg_1", timeout=PATIENCE).status_code == 404
    posted = requests.post(f"{tap.url}/pay/chg_1", data={"outcome": "paid"}, timeout=PATIENCE)
    assert posted.status_code == 404


# Callbacks


def test_a_callback_is_tried_three_times_and_then_given_up(tap, receiver):
    receiver.refuse("/cb", 500, 302, 404)
    tap.pull("script", delay_ms=0)
    charge = created(tap, post={"url": f"{receiver.url}/cb"})
    press(charge, "paid")
    for attempt in (1, 2, 3):
        receiver.wait_for(attempt, "/cb")
        until(lambda tried=attempt: fetched(tap, charge)["post"]["attempt"] == tried)
        tap.pull("clock", advance_seconds=60)
    assert fetched(tap, charge)["post"]["status"] == "ERROR"
    (callback,) = tap.look("callbacks", payment=charge["id"])
    assert [attempt["status"] for attempt in callback["attempts"]] == [500, 302, 404]
    assert [attempt["answer"] for attempt in callback["attempts"]] == ["ok"] * 3
    assert len({callback.body for callback in receiver.received}) == 1


def test_a_callback_that_is_taken_is_not_sent_again(tap, receiver):
    tap.pull("script", delay_ms=0)
    charge = created(tap, post={"url": f"{receiver.url}/cb"})
    press(charge, "declined")
    until(lambda: fetched(tap, charge)["post"]["status"] == "SUCCESS")
    tap.pull("clock", advance_seconds=3600)
    assert len(tap.look("callbacks", payment=charge["id"])[0]["attempts"]) == 1


def test_nothing_is_sent_for_a_page_that_expired(tap):
    charge = created(tap)
    tap.pull("clock", advance_seconds=3600)
    assert fetched(tap, charge)["status"] == "ABANDONED"
    assert tap.look("callbacks", payment=charge["id"]) == []


def test_a_callback_can_be_sent_again_with_a_script(tap, receiver):
    charge = created(tap, post={"url": f"{receiver.url}/cb"})
    tap.pull(f"payments/{charge['id']}/callback", copies=2, say={"status": "CAPTURED"})
    said = [json.loads(callback.body)["status"] for callback in receiver.wait_for(2, "/cb")]
    assert said == ["CAPTURED", "CAPTURED"]


# Levers


def test_the_levers_say_what_they_are(tap):
    about = requests.get(f"{tap.url}/_sim", timeout=PATIENCE).text
    for lever in ("clock", "faults", "alter", "chargeback", "accept_then_drop", "before_redirect"):
        assert lever in about


@pytest.mark.parametrize(
    ("lever", "body"),
    [
        ("faults", {"fault": "fire"}),
        ("faults", {}),
        ("script", {"delays": 1}),
        ("payments/{id}/alter", {"id": "x"}),
        ("payments/{id}/script", {"x": 1}),
        ("payments/{id}/outcome", {"outcome": "won"}),
    ],
)
def test_a_lever_that_does_not_exist_is_refused(tap, lever, body):
    url = f"{tap.url}/_sim/{lever.format(id=created(tap)['id'])}"
    assert requests.post(url, json=body, timeout=PATIENCE).status_code == 400


def test_a_fault_happens_as_often_as_ordered_and_to_its_call_only(tap):
    charge = created(tap)
    tap.pull("faults", fault="status", call="fetch", times=2, status=503)
    created(tap)
    statuses = [call(tap, f"charges/{charge['id']}").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


# Restarts


@pytest.mark.slow
def test_everything_survives_being_killed(tmp_path: Path, receiver: Receiver):
    options = (*OPTIONS, "--state", str(tmp_path))
    with running(MODULE, *options) as tap:
        tap.pull("clock", advance_seconds=100)
        waiting = created(tap, reference={"order": "a", "idempotent": "a"})
        tap.pull("script", delay_ms=2000)
        paid = created(tap, post={"url": f"{receiver.url}/cb"})
        press(paid, "paid")
        tap.pull(f"payments/{paid['id']}/refund", amount="1.5")
        before = tap.look("payments")
        tap.kill()
    assert receiver.received == []
    with running(MODULE, *options) as tap:
        assert tap.look("payments") == before
        assert created(tap, reference={"order": "a", "idempotent": "a"})["id"] == waiting["id"]
        assert tap.pull("clock", advance_seconds=0)["now_ms"] > before[0]["created_ms"]
        tap.pull("clock", advance_seconds=5)
        (callback,) = receiver.wait_for(1, "/cb")
        assert json.loads(callback.body)["status"] == "CAPTURED"


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with running(MODULE, *OPTIONS) as tap:
        created(tap)
    assert list(tmp_path.iterdir()) == []


def test_the_memory_is_bounded():
    store = Store(None, most=3)
    for number in range(10):
        store.save("payment", {"id": str(number)}, "key")
        store.save("clock", {"id": "clock", "number": number})
    assert [found["id"] for found in store.newest("payment", 100)] == ["9", "8", "7"]
    assert [found["id"] for found in store.find_by_key("payment", "key")] == ["9", "8", "7"]
    assert store.find("payment", "0") is None
    assert store.find("clock", "clock") == {"id": "clock", "number": 9}
