"""The pay page of what strangers wrote, and of the smallest and largest amounts, in Chromium."""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import pytest
from flask import Flask

from protonpay.store.db import transaction
from protonpay.users.service import User
from tests.actors import Actor, make_actor
from tests.browser.driving import Visit
from tests.browser.looking import look
from tests.invoices.asking import ask
from tests.nasty import NASTY

pytestmark = pytest.mark.slow  # a real browser

UNBROKEN = "W" * 100
SCRIPT = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
EACH: dict[str, dict[str, Any]] = {
    "longest": {"amount": "9999999.99", "description": UNBROKEN},
    "smallest": {"amount": "0.000001", "description": "\u202eright to left, and open"},
    "script": {"amount": "50", "description": SCRIPT},
}


@pytest.fixture
def stranger(house: Flask, shop: Actor) -> Actor:
    """A seller with a long name of one word, and addresses to be paid at."""
    actor = make_actor(house, "Stranger")
    call(actor, UNBROKEN)
    return actor


def call(actor: Actor, name: str) -> None:
    """Give somebody a name, however the door for names would judge it."""
    with transaction() as session:
        session.get_one(User, actor.id).name = name


@pytest.mark.parametrize("name", EACH)
def test_what_strangers_wrote_fits_and_does_nothing(
    stranger: Actor, visit: Callable[..., Visit], name: str
):
    """T17: at every width, with every way to pay open; nothing written is obeyed."""
    made = ask(stranger, **EACH[name])
    seen = visit(locale="en")
    for way in ("Base", "Solana"):
        seen.page.goto(f"/pay/{made.id}?refresh=off&network={way.lower()}")
        look(seen, f"pay-{name}-{way.lower()}", "en")
    amount = seen.page.locator("h1, .amount").first.inner_text().replace(",", "")
    assert EACH[name]["amount"] in amount
    assert EACH[name]["description"] in seen.page.locator("main").inner_text()
    assert "taken" not in seen.page.title()
    assert (seen.strangers, seen.errors) == ([], [])


def test_no_text_breaks_out_of_its_place(stranger: Actor, visit: Callable[..., Visit]):
    """T17: direction marks, control characters and markup change nothing around them."""
    seen = visit(locale="en")
    half = -(-len(NASTY) // 2)
    for said, name in zip_longest(NASTY[:half], NASTY[half:], fillvalue="Shop"):
        call(stranger, name)
        made = ask(stranger, amount="1", description=said)
        seen.page.goto(f"/pay/{made.id}?refresh=off")
        assert seen.page.locator(".band").is_visible(), ascii((said, name))
        assert seen.page.title().startswith("Waiting for payment"), ascii((said, name))
    assert (seen.strangers, seen.errors) == ([], [])
