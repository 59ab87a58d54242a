"""What a payer does beyond paying: asks back, names a transaction, has more time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from protonpay.invoices import claims, lookups, service
from protonpay.invoices.lookups import Told
from protonpay.kernel import clock
from tests.actors import Actor
from tests.invoices.asking import Asked, ask, pay_on_chain
from tests.portal.test_pay_page import Page, get, opened, shop
from tests.unchanged import nothing_changes
from tests.web.conftest import rates

__all__ = ["opened", "rates", "shop"]
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
HASH = "0x" + "ab" * 32


def _over(shop: Actor) -> Asked:
    made = ask(shop, "50")
    pay_on_chain(made.id, "65")
    return made


def test_asking_back_is_folded_away_only_where_the_rest_can_still_be_paid(
    shop: Actor, opened: Callable[..., Page]
):
    part = ask(shop, "50")
    pay_on_chain(part.id, "20")
    for made, folded in ((_over(shop), False), (part, True)):
        page = opened(made)
        kinds = {
            kind
            for kind in ("details", "section")
            if {"class": "claim", "id": "claim"} in page.all(kind)
        }
        assert kinds == {"details" if folded else "section"}
        assert f"/pay/{made.id}/claim" in [form["action"] for form in page.all("form")]


def test_where_it_goes_back_to_is_chosen(
    shop: Actor, client: FlaskClient, opened: Callable[..., Page]
):
    """The network that it came on is said, and not preselected."""
    made = _over(shop)
    page = opened(made)
    assert "It came on Base." in page.text
    assert [one for one in page.all("option") if "selected" in one and one["value"]] == []
    with nothing_changes():
        answer = client.post(f"/pay/{made.id}/claim", data={"address": WALLET})
    assert answer.status_code == 400
    assert "Choose a network." in Page(answer.text).text
    russian = client.post(f"/pay/{made.id}/claim?lang=ru", data={"address": WALLET})
    assert "Выберите сеть." in Page(russian.text).text


def test_a_claim_is_shown_once_more_before_it_is_written_down(
    shop: Actor, client: FlaskClient, opened: Callable[..., Page]
):
    made = _over(shop)
    form = {"address": WALLET.lower(), "network": "Base"}
    with nothing_changes():
        sure = Page(client.post(f"/pay/{made.id}/claim", data=form).text)
    assert "Is this right?" in sure.text
    assert "0x52 9084 0009" in sure.text
    hidden = {one["name"]: one["value"] for one in sure.all("input") if one["type"] == "hidden"}
    assert hidden == {"address": WALLET, "network": "Base", "sure": "yes"}
    answer = client.post(f"/pay/{made.id}/claim", data=hidden)
    assert (answer.status_code, answer.location) == (303, f"/pay/{made.id}#claim")
    page = opened(made)
    assert "15.00 USDC was asked back" in page.text
    assert page.refresh == "15", "its owner will decide"
    assert "Get 15.00 USDC back" not in page.text
    (claim,) = made.whole["claims"]
    shop.post(f"/client/invoices/{made.id}/decline", {"claimId": claim["id"]})
    page = opened(made, "ru")
    assert "отказал в возврате 15,00 USDC" in page.text
    assert "Вернуть 15,00 USDC" in page.text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"address": "0x12", "network": "Base"}, "address"),
        ({"address": WALLET, "network": "Nowhere"}, "network"),
        ({}, "network"),
    ],
)
def test_a_claim_that_cannot_be_is_said_beside_its_field(
    shop: Actor, client: FlaskClient, form: dict, said: str
):
    made = _over(shop)
    for sure in ({}, {"sure": "yes"}):
        with nothing_changes():
            answer = client.post(f"/pay/{made.id}/claim", data={**form, **sure})
        assert answer.status_code == 400
        page = Page(answer.text)
        assert said in page.text
        (wrong,) = [field for _, field in page.elements if field.get("aria-invalid") == "true"]
        assert wrong["name"] == said
        assert wrong["aria-describedby"] in [given.get("id") for given in page.all("p")]


def test_of_no_invoice_nothing_is_asked(client: FlaskClient):
    form = {"address": WALLET, "network": "Base", "transaction": HASH}
    for path in ("claim", "sent", "time"):
        answer = client.post(f"/pay/c{'a' * 24}/{path}", data=form)
        assert answer.status_code == 404, path
        assert "No such invoice" in answer.text


OUTCOMES = [
    ("CREDITED", "It has arrived", "Перевод пришёл"),
    ("WAITS", "It is on its way here", "Перевод в пути"),
    ("OTHER_TOKEN", "We see another coin (0xcoin) on Base", "Видим другую монету (0xcoin)"),
    ("NOT_OURS", "gave nothing to the address", "ничего не пришло"),
    ("FAILED", "nothing was sent", "ничего не отправлено"),
    ("NOT_FOUND", "No network shows it yet", "Пока её не видит"),
    ("UNKNOWN", "The network is being asked", "Спрашиваем сеть"),
]


@pytest.mark.parametrize(("verdict", "english", "russian"), OUTCOMES)
def test_a_transaction_that_is_named_is_told_where_it_is(
    shop: Actor,
    client: FlaskClient,
    opened: Callable[..., Page],
    verdict: str,
    english: str,
    russian: str,
):
    made = ask(shop)
    answer = client.post(f"/pay/{made.id}/sent", data={"transaction": f"https://x/tx/{HASH}"})
    assert (answer.status_code, answer.location) == (303, f"/pay/{made.id}#sent")
    row = lookups.look_for(made.id, HASH)
    lookups.take(row.id, "Base", [Told(verdict, f"invoice {made.id}", "0xcoin")])
    assert english in opened(made).text
    assert russian in opened(made, "ru").text
    assert (row.id in opened(made).text) == (verdict == "OTHER_TOKEN"), "a number to name"


def test_what_is_no_hash_is_said_beside_its_field(shop: Actor, client: FlaskClient):
    made = ask(shop)
    with nothing_changes():
        answer = client.post(f"/pay/{made.id}/sent", data={"transaction": "<b>none</b>"})
    assert answer.status_code == 400
    assert "There is no hash of a transaction in this." in Page(answer.text).text
    assert "&lt;b&gt;none&lt;/b&gt;" in answer.text


def test_more_time_is_offered_when_it_runs_out_and_given(
    shop: Actor, client: FlaskClient, opened: Callable[..., Page]
):
    made = ask(shop, expiresInSeconds=7200)
    assert "Give me more time" not in opened(made).text
    before = service.find(made.id).invoice.expires_at
    with clock.frozen(before - timedelta(minutes=5)):
        assert "Give me more time" in opened(made).text
        answer = client.post(f"/pay/{made.id}/time")
        assert (answer.status_code, answer.location) == (303, f"/pay/{made.id}")
        assert "Give me more time" not in opened(made).text
        with nothing_changes():
            again = client.post(f"/pay/{made.id}/time")
        assert again.status_code == 400
        assert "There is no more time for this invoice now." in Page(again.text).text
    assert service.find(made.id).invoice.expires_at - before == timedelta(hours=1)


def test_forms_that_anybody_may_send_are_counted(shop: Actor, client: FlaskClient, rates):
    made = _over(shop)
    rates(auth="2 per minute")
    codes = [
        client.post(f"/pay/{made.id}/{path}").status_code
        for path in ("sent", "claim", "time", "card")
    ]
    assert codes == [400, 400, 429, 429]
    assert get(client, f"/pay/{made.id}").status_code == 200
    assert made.whole["claims"] == claims_of(made) == []


def claims_of(made: Asked) -> list:
    return list(service.whole(service.find(made.id).invoice).claims)


def test_a_payer_of_a_part_may_ask_it_back_instead(shop: Actor, opened: Callable[..., Page]):
    made = ask(shop)
    pay_on_chain(made.id, "20")
    assert "Get 20.00 USDC back" in opened(made).text
    claims.ask_back(made.id, wallet_address=WALLET, network="Base")
    assert "20.00 USDC was asked back" in opened(made).text
