"""/pay/<id> while it is looked at: what is new is told, and nothing else is told again."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient

from protonpay.invoices import receiving
from protonpay.kernel import clock
from protonpay.store import beats
from protonpay.store.queue import door
from tests.actors import Actor
from tests.invoices.asking import Asked, arrive, ask, pay_on_chain
from tests.portal.test_pay_page import Page, get, opened, shop

__all__ = ["opened", "shop"]


def test_how_far_a_payment_is_and_of_several_each(
    shop: Actor, client: FlaskClient, opened: Callable[..., Page]
):
    """Confirmations in both languages; what is new of them alone leaves the rest of the page."""
    made = ask(shop)

    def version() -> tuple[str, str]:
        said = get(client, f"/pay/{made.id}/events").get_data(as_text=True)
        (told,) = re.findall("^data: (.+)$", said, re.MULTILINE)
        page = opened(made)
        assert {"data-version": told}.items() <= page.all("section")[0].items()
        before, _, after = told.partition(".")
        return before, after

    note_head("Base", 104)
    receiving.follow(arrive(made.id, "20", block=100))
    page = opened(made)
    assert "5 of about 13 confirmations" in page.text
    assert page.all("progress") == [{"value": "5", "max": "13"}]
    assert "Подтверждений: 5 из примерно 13" in opened(made, "ru").text
    first, far = version()
    note_head("Base", 105)
    assert version() == (first, "6-14")
    assert far == "5-13"

    receiving.follow(arrive(made.id, "30", block=105))
    door.client.hdel("beats:chains", "Base")
    receiving.follow(arrive(made.id, "0.5", network="Polygon", block=100))
    note_head("Polygon", 104)
    page = opened(made)
    unknown = "How many confirmations there are is not known right now"
    assert page.text.count(unknown) == 2
    assert f"20.00 USDC · Base {unknown} 30.00 USDC · Base" in page.text
    assert "0.50 USDC · Polygon 5 of about 13 confirmations" in page.text
    assert version()[1] == "unknown.unknown.5-13"
    pay_on_chain(made.id, "1")
    assert version()[0] != first


def note_head(network: str, latest: int, finalized_at: int = 0) -> None:
    beats.note_head(network, latest=latest, small=92, finalized=60, finalized_at=finalized_at)


def test_a_slow_network_says_how_old_its_final_block_is(
    shop: Actor, client: FlaskClient, opened: Callable[..., Page]
):
    made, now = ask(shop), clock.now()
    receiving.follow(arrive(made.id, "50", block=100, at=now - timedelta(minutes=31)))
    seconds, versions = clock.to_epoch_ms(now) // 1000, []
    with clock.frozen(now):
        for ago, said, russian in (
            (59, "less than a minute ago", "меньше минуты назад"),
            (60 * 17, "17 min ago", "17 мин назад"),
            (60 * 119 + 59, "119 min ago", "119 мин назад"),
            (60 * 120, "2 h ago", "2 ч назад"),
        ):
            note_head("Base", 104, finalized_at=seconds - ago)
            page = opened(made)
            assert f"Newest final block of Base: {said}" in page.text
            assert f"окончательный блок сети Base: {russian}" in opened(made, "ru").text
            versions.append(page.all("section")[0]["data-version"])
    # A head that nobody has renewed says nothing of now.
    with clock.frozen(now + timedelta(seconds=31)):
        assert "It is not known when Base made its newest final block." in opened(made).text
    assert len(set(versions)) == 4
    assert len({one.partition(".")[0] for one in versions}) == 1, "nothing else is told again"


def test_the_refresh_can_be_paused(shop: Actor, opened: Callable[..., Page]):
    made = ask(shop)
    assert {"href": "?refresh=off"} in opened(made).all("a")
    still = opened(made, query="?refresh=off")
    assert still.refresh is None
    assert "Resume" in still.text


def _version(client: FlaskClient, made: Asked) -> str:
    answer = client.get(f"/pay/{made.id}/events")
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    found = re.fullmatch(
        r"retry: 3000\nid: (\w+)\nevent: standing\ndata: \1\n\n", answer.get_data(as_text=True)
    )
    assert found
    return found[1]


def test_the_stream_ends_at_once_and_says_what_the_page_shows(
    shop: Actor, client: FlaskClient, opened: Callable[..., Page]
):
    made, versions = ask(shop), []
    for amount in (None, "20", "30"):
        if amount:
            pay_on_chain(made.id, amount)
        versions.append(_version(client, made))
        assert {
            one["data-version"] for one in opened(made).all("section") if "data-version" in one
        } == {versions[-1]}
    assert len(set(versions)) == 3
    assert _version(client, made) == versions[-1], "the same as long as nothing happens"


def test_the_stream_of_no_invoice(client: FlaskClient):
    assert client.get(f"/pay/c{'a' * 24}/events").status_code == 404
