"""/pay/<id>: complete without JavaScript, each state in its own words, nothing taken as HTML."""

from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from protonpay.chains.registry import NETWORKS
from protonpay.invoices import receiving, refunding
from protonpay.invoices.models import InvoicePayment
from protonpay.invoices.reckoning import locked, settle
from protonpay.kernel import clock
from protonpay.payouts.models import Payout
from protonpay.store.db import transaction
from protonpay.wallets import service as wallets
from tests.actors import PASSWORD, Actor, make_actor
from tests.conftest import PASSPHRASE
from tests.invoices.asking import Asked, arrive, ask, change, pay_on_chain
from tests.nasty import NASTY
from tests.wallets import pools

DAY = timedelta(days=1, seconds=1)
"""An invoice's day, and the second of its end."""
WALLET = {"walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7", "network": "Base"}


class Page(HTMLParser):
    """What a browser makes of a page: its text, its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def refresh(self) -> str | None:
        found = [meta["content"] for meta in self.all("meta") if "http-equiv" in meta]
        return found[0] if found else None


@pytest.fixture
def shop(house: Flask, keyring_path: Path) -> Actor:
    """A seller, and addresses to be paid at."""
    pools.fill(keyring_path, PASSPHRASE)
    return make_actor(house, "Shop", funded="10")


@pytest.fixture
def opened(client: FlaskClient) -> Callable[..., Page]:
    """A browser that opens the page of an invoice."""

    def opening(made: Asked, language: str = "en", query: str = "") -> Page:
        answer = get(client, f"/pay/{made.id}{query}", language)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return Page(answer.get_data(as_text=True))

    return opening


def get(client: FlaskClient, path: str, language: str = "en") -> TestResponse:
    return client.get(path, headers={"Accept-Language": language})


def test_all_that_a_payer_needs(shop: Actor, opened: Callable[..., Page]):
    made = ask(shop, description="Monthly subscription")

    page = opened(made)

    for said in ("Shop asks for", "50.00 USDC", "Monthly subscription", "Waiting for payment"):
        assert said in page.text
    assert shop.public_id in page.text
    addresses = wallets.addresses_of("invoice", made.id)
    hrefs = [link.get("href") for link in page.all("a")]
    for name, of in NETWORKS.items():
        assert addresses[name] in "".join(page.words), "as text"
        assert f"Pay on {name}" in page.text
        assert of.usdc in page.text
    assert f"solana:{addresses['Solana']}?amount=50.00&spl-token={NETWORKS['Solana'].usdc}" in hrefs
    usdc = NETWORKS["Base"].usdc
    asked = f"address={addresses['Base']}&uint256=50000000"
    assert f"ethereum:{usdc}@8453/transfer?{asked}" in hrefs
    assert len(page.all("svg")) == 3
    assert page.refresh == "15"


def test_no_inline_script_and_nothing_from_elsewhere(shop: Actor, client: FlaskClient):
    answer = get(client, f"/pay/{ask(shop).id}")

    page = Page(answer.get_data(as_text=True))
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.all("style") == page.all("iframe") == []
    assert page.all("script") == [{"src": "/static/pay.js", "type": "module"}]
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]
    assert not [given for _, given in page.elements if "style" in given]
    assert {link["href"] for link in page.all("link")} == {
        *("/static/tokens.css", "/static/components.css", "/static/portal.css", "/static/mark.svg"),
        *("/static/pay.css", "/static/parts.js"),
    }
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.checklist(110)
def test_a_hostile_description_is_text(bob: Actor, opened: Callable[..., Page]):
    """HTML in a description is shown and never taken as HTML."""
    plain = [tag for tag, _ in opened(ask(bob, description="plain")).elements]
    for said in NASTY:
        page = opened(ask(bob, description=said))
        assert [tag for tag, _ in page.elements] == plain, ascii(said)
        assert " ".join(said.split()) in page.text, ascii(said)


def test_a_hostile_name_is_text(client: FlaskClient):
    name = "<b>x</b>{{7*7}}{seller}"
    body = {"name": name, "email": "hostile@example.com", "password": PASSWORD}
    token = client.post("/api/auth/register", json=body).get_json()["token"]
    answer = client.post(
        "/api/client/invoices",
        json={"amount": 1, "currency": "USDC"},
        headers={"Authorization": f"Bearer {token}"},
    )
    page = Page(get(client, f"/pay/{answer.get_json()['invoice']['id']}").get_data(as_text=True))
    assert f"{name} asks for" in page.text
    assert page.all("b") == []


def _part(made: Asked, _: Actor) -> None:
    pay_on_chain(made.id, "20")


def _seen(made: Asked, _: Actor) -> None:
    receiving.follow(arrive(made.id, "50"))


def _slow(made: Asked, _: Actor) -> None:
    receiving.follow(arrive(made.id, "50", at=clock.now() - timedelta(minutes=31)))


def _held(made: Asked, payer: Actor) -> None:
    _seen(made, payer)
    _hold(made)


def _part_held(made: Asked, payer: Actor) -> None:
    _part_seen(made, payer)
    _hold(made)


def _hold(made: Asked) -> None:
    with transaction() as session:
        found = select(InvoicePayment).where(InvoicePayment.invoice_id == made.id)
        payment = session.scalars(found).one()
        payment.state, payment.hold_reason = "ON_HOLD", "sanctions"
        settle(locked(made.id))


def _part_seen(made: Asked, _: Actor) -> None:
    receiving.follow(arrive(made.id, "30"))


def _paid(made: Asked, payer: Actor) -> None:
    made.paid_by(payer)


def _short(made: Asked, _: Actor) -> None:
    pay_on_chain(made.id, "49.5")


def _over(made: Asked, _: Actor) -> None:
    pay_on_chain(made.id, "60")


def _expired(made: Asked, _: Actor) -> None:
    with clock.frozen(clock.now() + DAY):
        receiving.expire(made.id)


def _expired_part(made: Asked, payer: Actor) -> None:
    _part(made, payer)
    _expired(made, payer)


def _late(made: Asked, payer: Actor) -> None:
    _expired(made, payer)
    with clock.frozen(clock.now() + DAY):
        pay_on_chain(made.id, "50")


def _late_seen(made: Asked, payer: Actor) -> None:
    _expired(made, payer)
    with clock.frozen(clock.now() + DAY):
        receiving.follow(arrive(made.id, "50"))


def _cancelled(made: Asked, _: Actor) -> None:
    made.cancel()


def _cancelled_part(made: Asked, payer: Actor) -> None:
    _part(made, payer)
    made.cancel()


def _refunded(made: Asked, payer: Actor) -> None:
    made.paid_by(payer)
    made.refund()


def _partly_refunded(made: Asked, payer: Actor) -> None:
    made.paid_by(payer)
    made.refund(amount="20")


STATES: list[tuple[Any, dict, str, str, str | None, int]] = [
    (_part, {}, "Send 30.00 USDC more", "Отправьте ещё 30,00 USDC", "15", 3),
    (_seen, {}, "Payment found, waiting", "Платёж найден, ждём", "5", 0),
    (_slow, {}, "Base is slow today", "Сеть Base сегодня работает медленно", "15", 0),
    (_part_seen, {}, "20.00 USDC is still missing", "не хватает ещё 20,00 USDC", "5", 3),
    (_held, {}, "50.00 USDC has arrived and is being", "проходит проверку", "15", 0),
    (_part_held, {}, "20.00 USDC is still missing", "не хватает ещё 20,00", "15", 3),
    (_paid, {}, "Shop has received 50.00 USDC.", "Платёж получен", None, 0),
    (_short, {"tolerance": "1"}, "Short by 0.50 USDC, accepted", "хватило 0,50 USDC", None, 0),
    (_over, {}, "10.00 USDC more than needed", "на 10,00 USDC больше", None, 0),
    (_expired, {}, "Do not send money to its address", "отправляйте деньги", "15", 0),
    (_expired_part, {}, "20.00 of 50.00 USDC arrived", "получено 20,00 из 50,00", "15", 0),
    (_late, {}, "but the invoice had ended", "Платёж пришёл после срока", "15", 0),
    (_late, {"acceptLate": True}, "and was accepted", "после срока и был принят", None, 0),
    (_late_seen, {}, "has been seen on its way", "Видим 50,00 USDC в пути", "15", 0),
    (_cancelled, {}, "The seller cancelled this invoice", "Продавец отменил счёт", None, 0),
    (_cancelled_part, {}, "Before that 20.00 USDC arrived", "поступило 20,00 USDC", None, 0),
    (_refunded, {}, "50.00 USDC was returned", "Возвращено 50,00 USDC", None, 0),
    (_partly_refunded, {}, "20.00 USDC was returned", "Возвращено 20,00 USDC", None, 0),
]


@pytest.mark.parametrize(
    "state", STATES, ids=[f"{each[0].__name__.strip('_')}{len(each[1])}" for each in STATES]
)
def test_each_state_in_words_of_its_own(
    shop: Actor, alice: Actor, opened: Callable[..., Page], state: tuple
):
    make, options, english, russian, refresh, codes = state
    made = ask(shop, **options)
    make(made, alice)

    page, other = opened(made), opened(made, "ru-RU,ru;q=0.9,en;q=0.5")

    assert english in page.text
    assert russian in other.text
    assert page.refresh == other.refresh == refresh
    assert len(page.all("svg")) == codes, "an address is shown where something should be sent"
    for address in wallets.addresses_of("invoice", made.id).values():
        assert (address in "".join(page.words)) == bool(codes)


def test_a_refund_to_a_wallet_is_on_its_way_and_then_given_back(
    shop: Actor, opened: Callable[..., Page]
):
    made = ask(shop, "5")
    pay_on_chain(made.id, "5")
    refund = made.refund(**WALLET).get_json()["refund"]
    assert "on its way back" in opened(made).text
    with transaction() as session:
        session.get_one(Payout, refund["payoutId"]).state = "COMPLETED"
    refunding.follow(refund["id"])
    assert "5.00 USDC was returned" in opened(made).text


def test_what_is_over_is_looked_at_for_a_day_more(shop: Actor, opened: Callable[..., Page]):
    made = ask(shop)
    for days, refresh in ((1, "15"), (2, "15"), (3, None)):
        with clock.frozen(clock.now() + days * DAY - timedelta(minutes=1 if days == 2 else 0)):
            assert opened(made).refresh == refresh, days


def test_the_page_itself_ends_what_is_over(shop: Actor, opened: Callable[..., Page]):
    made = ask(shop)
    with clock.frozen(clock.now() + DAY):
        assert "This invoice has expired" in opened(made).text
    assert made.status == "EXPIRED"


def test_the_seller_heads_the_page_and_we_stand_below(shop: Actor, opened: Callable[..., Page]):
    page = opened(ask(shop))
    before, _, below = page.text.partition("Shop asks for")
    assert before.count("Shop") == 1
    assert "Powered by Proton Pay Seller: Shop" in below


def test_help_and_terms_are_at_the_foot_where_there_are_any(
    shop: Actor, opened: Callable[..., Page], house: Flask, monkeypatch: pytest.MonkeyPatch
):
    made = ask(shop)
    assert "Help" not in opened(made).text
    links = {"help": "mailto:help@example.com", "terms": "https://example.com/terms"}
    monkeypatch.setitem(house.jinja_env.globals, "house_links", links)
    for language, said in (
        ("en", "Help Terms Seller: Shop"),
        ("ru", "Помощь Условия Продавец: Shop"),
    ):
        page = opened(made, language)
        assert said in page.text
        assert [link["href"] for link in page.all("a")][-2:] == list(links.values())


def test_who_can_no_longer_pay_is_led_to_the_seller(shop: Actor, opened: Callable[..., Page]):
    """To its front page: the address for who has paid would thank somebody who has not."""
    made = ask(shop, redirectUrl="https://shop.example.com:8443/thanks?order=7#done")
    site = {"class": "button", "href": "https://shop.example.com:8443/", "rel": "noreferrer"}
    assert site not in opened(made).all("a")
    _expired(made, shop)
    page = opened(made)
    assert "Go to shop.example.com" in page.text
    assert site in page.all("a")
    assert "/thanks" not in str(page.all("a"))
    with clock.frozen(clock.now() + DAY):
        pay_on_chain(made.id, "50")
    assert site not in opened(made).all("a"), "there is something to ask back here"


def test_what_vanished_is_not_shown(shop: Actor, opened: Callable[..., Page]):
    made = ask(shop)
    incoming_id = arrive(made.id, "50")
    receiving.follow(incoming_id)
    change(incoming_id, "VANISHED")
    receiving.follow(incoming_id)
    page = opened(made)
    assert "Waiting for payment" in page.text
    assert "What has arrived" not in page.text


@pytest.mark.parametrize("path", ["cm" + "a" * 23, "nope", "%3Cscript%3E", "undefined"])
def test_no_such_invoice(client: FlaskClient, path: str):
    for language, said in (("en", "No such invoice"), ("ru", "Счёт не найден")):
        answer = get(client, f"/pay/{path}", language)
        assert answer.status_code == 404
        assert answer.mimetype == "text/html"
        assert said in Page(answer.get_data(as_text=True)).text


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("ru", "ru"), ("ru-RU", "ru"), ("de, ru;q=0.5", "ru"), ("de", "en"), ("", "en"), ("*", "en")],
)
def test_the_language_is_the_browsers(shop: Actor, client: FlaskClient, asked: str, spoken: str):
    answer = get(client, f"/pay/{ask(shop).id}", asked)
    assert answer.headers["Content-Language"] == spoken
    assert answer.headers["Vary"] == "Accept-Language, Cookie"
    assert Page(answer.get_data(as_text=True)).all("html") == [{"lang": spoken}]


def test_without_a_free_address_it_says_so_and_gets_one_later(
    house: Flask, keyring_path: Path, opened: Callable[..., Page]
):
    made = ask(make_actor(house, "Shop"))
    page = opened(made)
    assert "Addresses are being prepared" in page.text
    assert page.refresh is not None
    pools.fill(keyring_path, PASSPHRASE)
    assert len(opened(made).all("svg")) == 3


def test_every_address_is_its_invoices_own(shop: Actor):
    first, second = (wallets.addresses_of("invoice", ask(shop).id) for _ in range(2))
    assert len({*first.values(), *second.values()}) == 4
