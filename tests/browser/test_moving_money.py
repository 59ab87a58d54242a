"""Money moved in Chromium: what stands in a withdrawal's way is said, and nothing has changed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from protonpay.kernel import clock
from protonpay.store.db import transaction
from protonpay.users import service as users
from tests.actors import Actor
from tests.browser.driving import Visit, sign_in
from tests.browser.looking import LANGUAGES, USUAL, look, speaking
from tests.payouts.orders import WALLETS, withdraw
from tests.plans.of_a_kind import on_plan
from tests.unchanged import nothing_changes

pytestmark = pytest.mark.slow  # a real browser


def order(seen: Visit, amount: str) -> None:
    """Fill in the first step and go on."""
    seen.page.goto("/app/withdraw")
    seen.page.locator("#network").select_option("Base")
    seen.page.locator("#walletAddress").fill(WALLETS["Base"])
    seen.page.locator("#amount").fill(amount)
    seen.page.get_by_role("button", name="Go on").click()


def as_it_is(actor: Actor) -> None:
    """Leave an account as it was made."""


def on_small_days(actor: Actor) -> None:
    """Have used 30 of 70 USDC of 24 hours, without a pause between two."""
    on_plan(actor, daily_limit_micro=70_000_000, cooldown_seconds=0)
    withdraw(actor, 30)


def frozen(actor: Actor) -> None:
    """Have frozen withdrawals."""
    with transaction():
        users.lock(actor.id).withdrawals_frozen_at = clock.now()


@pytest.mark.parametrize(
    ("before", "amount", "said"),
    [
        (as_it_is, "10000,01", "more than one withdrawal may be"),
        (on_small_days, "40,01", "more than the limit of 24 hours leaves"),
        (as_it_is, "999,96", "balance does not cover this amount"),
        (frozen, "10", "Withdrawals of this account are frozen"),
    ],
)
def test_what_stands_in_the_way_is_said(
    alice: Actor,
    visit: Callable[..., Visit],
    before: Callable[[Actor], None],
    amount: str,
    said: str,
):
    """T22: over single, over daily, insufficient, frozen."""
    before(alice)
    seen = visit()
    sign_in(seen, alice)
    with nothing_changes():
        order(seen, amount)
        expect(seen.page.get_by_role("alert").first).to_contain_text(said)
    expect(seen.page.get_by_role("button", name="Withdraw")).to_have_count(0)
    assert (seen.violations(), seen.errors) == ([], [])


def test_a_clock_runs_down_to_the_next_withdrawal(alice: Actor, visit: Callable[..., Visit]):
    """T22: in cooldown; at its end the page asks the server, and goes on by itself."""
    withdraw(alice, 10)
    seen = visit(viewport={"width": 360, "height": 800})
    seen.page.clock.install()
    sign_in(seen, alice)
    with nothing_changes():
        order(seen, "10")
        timer = seen.page.get_by_role("timer")
        expect(timer).to_be_visible()
        began = timer.inner_text()
        assert "00:30" < began <= "01:00"
        seen.page.clock.run_for(3000)
        assert timer.inner_text() < began
        seen.shot("app-withdraw-cooldown-en-light-360")
        assert seen.overflows() <= 0
    on_plan(alice, cooldown_seconds=0)
    seen.page.clock.run_for(60_000)
    expect(seen.page.get_by_role("button", name="Withdraw 10.00 USDC")).to_be_visible()
    assert seen.errors == []


def test_the_end_of_a_wait_is_said_where_somebody_types(alice: Actor, visit: Callable[..., Visit]):
    withdraw(alice, 10)
    seen = visit()
    seen.page.clock.install()
    sign_in(seen, alice)
    seen.page.goto("/app/withdraw")
    seen.page.locator("#amount").fill("7")
    seen.page.clock.run_for(61_000)
    expect(seen.page.locator("[data-waits]")).to_have_text("The next withdrawal is possible now.")
    expect(seen.page.locator("#amount")).to_have_value("7")
    seen.page.get_by_role("button", name="Fill in the most").click()
    expect(seen.page.locator("#amount")).to_have_value("989.94")


@pytest.mark.parametrize("language", LANGUAGES)
def test_screens_of_money_are_whole(alice: Actor, visit: Callable[..., Visit], language: str):
    """T40: after a withdrawal, with its clock and what is used of the limits."""
    withdraw(alice, 250)
    with speaking(language) as asked:
        seen = visit(locale=asked, color_scheme=USUAL[language])
        sign_in(seen, alice)
        for path in ("/app", "/app/withdraw", "/app/fees"):
            seen.page.goto(f"{path}?lang={asked}")
            look(seen, f"app-money-{path[5:] or 'overview'}", language)
            # Numbers of the limits stand on one line each (portal reference §4.1).
            broken = "e => e.getClientRects().length > 1"
            numbers = seen.page.locator(".bullet .num, [data-waits] .num, .figures .num").all()
            assert [each.inner_text() for each in numbers if each.evaluate(broken)] == []
            if language != "pseudo":
                assert seen.violations() == [], path
        assert (seen.strangers, seen.errors) == ([], [])
