"""The pay page in Chromium, with money of real chains and pages of every card provider."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS
from protonpay.sandbox import evm_outside
from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import Rpc
from tests.browser.conftest import browser
from tests.flows.city import LISTED, City, Resident
from tests.flows.test_cards import PRICES
from tests.flows.test_journeys import fresh_wallet

__all__ = ["browser"]
pytestmark = pytest.mark.slow

PATIENCE = 60_000  # ms
PAID, WAITS = "The payment has arrived", re.compile("^Send ")
Opens = Callable[[str], Page]


@pytest.fixture
def shop(city: City) -> Resident:
    return city.resident("Shop")


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Open pages in one browser; each is opened once and never again by the test."""
    context = browser.new_context(locale="en")
    context.set_default_timeout(PATIENCE)
    errors: list[str] = []

    def opening(url: str) -> Page:
        page = context.new_page()
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(url)
        return page

    yield opening
    context.close()
    assert errors == []


def _ask(shop: Resident, amount: str = "5", **more: object) -> dict:
    return shop.post("/client/invoices", amount=amount, currency="USDC", **more)["invoice"]


def _says(page: Page, heading: str | re.Pattern[str]) -> None:
    expect(page.locator("h1")).to_have_text(heading, timeout=PATIENCE)


def _send(city: City, network: str, to: str, micro: int, *, role: int | None = None) -> str:
    node, usdc = city.parts.nodes[network], NETWORKS[network].usdc
    if role is None:
        return evm_outside.send_usdc(node, usdc, to, micro)
    sender = Rpc(node)("eth_accounts")[role]
    data = abi.call("transfer(address,uint256)", to, micro)
    return str(Rpc(node)("eth_sendTransaction", {"from": sender, "to": usdc, "data": data}))


def _is_given_back(page: Page, shop: Resident, made: dict, amount: str, wallet: str) -> None:
    """The payer says where to, the seller approves, the page says that it is done."""
    page.locator("#back-network").select_option("Base")
    page.get_by_label("Your address").fill(wallet)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name=f"Ask for {amount} USDC back").click()
    expect(page.locator("#claim h2")).to_have_text("Asked back")
    (claim,) = shop.get(f"/client/invoices/{made['id']}")["claims"]
    shop.post(f"/client/invoices/{made['id']}/refund", claimId=claim["id"])
    _says(page, f"{amount} USDC was returned")


def test_too_much_is_asked_back_and_lands(city: City, shop: Resident, opens: Opens):
    """T03: 130 % is paid; the payer says where to, the seller approves, the chain has it."""
    made, wallet = _ask(shop, "50"), fresh_wallet("Base")
    page = opens(f"{made['payUrl']}?network=base")
    _send(city, "Base", city.place_to_pay(made, "Base"), 65_000_000)
    _says(page, "Paid. You sent 15.00 USDC more than needed")
    _is_given_back(page, shop, made, "15.00", wallet)
    assert city.on_chain("Base", wallet) == 15_000_000
    assert shop.balance == "49.95", "all that was asked for, less the fee of one sending"
    assert city.books_are_sound()


def test_another_network_is_credited_and_another_coin_is_a_case(
    city: City, shop: Resident, opens: Opens
):
    """T08: the same address on Polygon; and the network's own coin, found by who sent it."""
    made = _ask(shop)
    page = opens(f"{made['payUrl']}?network=base")
    address = city.place_to_pay(made, "Base")
    sent = evm_outside.send_native(city.parts.nodes["Base"], address, 10**15)
    page.locator("#sent summary").click()
    page.get_by_label("Hash of the transaction").fill(f"https://basescan.org/tx/{sent}")
    page.get_by_role("button", name="Look for it").click()
    found = page.locator(".lookups strong")
    expect(found).to_contain_text("We see another coin (native) on Base", timeout=PATIENCE)
    case = re.findall(r"case (\w{25})", found.inner_text())[0]
    assert f"{case}  " in city.flask("ops", "misdirected")
    _says(page, "Send 5.00 USDC")
    _send(city, "Polygon", address, 5_000_000)
    _says(page, PAID)


def test_a_listed_sender_is_under_review_without_a_reason_and_is_released(
    city: City, shop: Resident, opens: Opens
):
    """T09."""
    made, node = _ask(shop), city.parts.nodes["Base"]
    page = opens(made["payUrl"])
    listed = Rpc(node)("eth_accounts")[LISTED]
    evm_outside.mint(node, NETWORKS["Base"].usdc, listed, 5_000_000)
    _send(city, "Base", city.place_to_pay(made, "Base"), 5_000_000, role=LISTED)
    _says(page, "Payment received and under review")
    said = page.content().lower()
    assert not [word for word in ("listed", "sanction", "of the flows", "screen") if word in said]
    assert page.locator(".qr").count() == 0
    (hold,) = [
        line.split()[0]
        for line in city.flask("ops", "holds", "list").splitlines()
        if f"from {listed}".lower() in line.lower()
    ]
    city.flask("ops", "holds", "release", hold, "--reason", "a namesake")
    _says(page, PAID)
    assert shop.balance == "5.00"


def test_a_reorg_takes_a_payment_back_and_the_page_says_so(
    city: City, shop: Resident, opens: Opens
):
    """T10: found, gone, found again, paid: the page is never reloaded."""
    made, node = _ask(shop), Rpc(city.parts.nodes["Polygon"])
    page = opens(made["payUrl"])
    address = city.place_to_pay(made, "Polygon")
    with city.blocks_by_hand("Polygon"):
        tx_hash = _send(city, "Polygon", address, 5_000_000, role=0)
        node("evm_mine")
        raw = node("eth_getRawTransactionByHash", tx_hash)
        _says(page, "Payment found, waiting for the network")
        assert address not in page.content() + (page.locator("body").text_content() or "")
        node("anvil_reorg", 1, [])
        node("anvil_dropAllTransactions")
        _says(page, WAITS)
        node("eth_sendRawTransaction", raw)
    _says(page, PAID)
    assert shop.balance == "5.00"


def _to_the_provider(city: City, page: Page, provider: str, **script: object) -> str:
    """Choose the card, see the price, go there; its callbacks behave so. Return the payment."""
    page.locator("label[for=by-card]").click()
    page.locator("#way").select_option(f"{provider} {PRICES[provider].currency.upper()}")
    page.locator("#email").fill("payer@example.com")
    page.get_by_role("button", name="Continue", exact=True).click()
    there = page.get_by_role("link", name=re.compile(r"^Pay .+ at 127\.0\.0\.1$"))
    payment = str(there.get_attribute("href")).rpartition("/")[2]
    getattr(city.parts, provider).pull(f"payments/{payment}/script", **script)
    there.click()
    return payment


@contextmanager
def _silent(city: City) -> Iterator[None]:
    """Let the provider take payments and say nothing about any."""
    city.tap.pull("faults", fault="status", call="fetch", times=1000)
    try:
        yield
    finally:
        city.tap.forget_faults()


def _press(page: Page, outcome: str) -> None:
    page.locator(f"button[value={outcome}]").click()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_card_provider_paid_declined_and_left(
    city: City, shop: Resident, opens: Opens, provider: str
):
    """T15: its webhook comes before the return and twice, after it, or never."""
    first, second = _ask(shop), _ask(shop)
    page = opens(first["payUrl"])
    _to_the_provider(city, page, provider)
    # Left: nothing is lost, the same page is offered again.
    page.goto(first["payUrl"])
    page.get_by_role("link", name=re.compile("^Pay .+ at 127")).click()
    _press(page, "declined")
    _says(page, "The card was declined")
    _to_the_provider(city, page, provider, before_redirect=True, copies=2)
    _press(page, "paid")
    _says(page, PAID)

    page = opens(second["payUrl"])
    _to_the_provider(city, page, provider, drop=True)
    _press(page, "paid")
    _says(page, PAID)
    assert shop.balance.partition(".")[0] == "10", "each once"


def test_a_bank_that_takes_its_time_is_waited_for(city: City, shop: Resident, opens: Opens):
    """T15: the payer is back, the bank has not said anything: nobody is asked to pay."""
    made = _ask(shop)
    page = opens(made["payUrl"])
    payment = _to_the_provider(city, page, "tap", drop=True)
    with _silent(city):
        _press(page, "paid")
        _says(page, "Your bank is processing the payment")
        assert "Do not pay again." in page.locator(".lead").inner_text()
        assert page.locator(".ways").count() == 0
        page.reload()
        _says(page, "Your bank is processing the payment")
    city.tap.pull(f"payments/{payment}/callback")
    _says(page, PAID)


@contextmanager
def _ending_as_money_is_seen(city: City, made: dict) -> Iterator[None]:
    """Let an invoice end at the beginning of the second in which a transfer to it is seen."""
    with psycopg.connect(city.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION end_now() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$"
            " BEGIN UPDATE invoices SET expires_at = date_trunc('second', NEW.seen_at)"
            "  WHERE id = NEW.holder_id; RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER end_now AFTER INSERT ON incoming FOR EACH ROW"
            f" WHEN (NEW.holder_id = '{made['id']}') EXECUTE FUNCTION end_now()"
        )
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION end_now CASCADE")


def test_a_little_short_is_paid_and_a_little_more_is_asked_for(
    city: City, shop: Resident, opens: Opens
):
    """T04: with a tolerance of 0.5 %, 0.3 % less is enough and 0.7 % less is not."""
    enough, short = (_ask(shop, "100", tolerance="0.5") for _ in range(2))
    pages = [opens(f"{made['payUrl']}?network=base") for made in (enough, short)]
    _send(city, "Base", city.place_to_pay(enough, "Base"), 99_700_000)
    _send(city, "Base", city.place_to_pay(short, "Base"), 99_300_000)
    _says(pages[0], PAID)
    expect(pages[0].locator(".lead")).to_contain_text("Short by 0.30 USDC, accepted.")
    _says(pages[1], "Send 0.70 USDC more")
    expect(pages[1].locator(".lead")).to_contain_text("Received 99.30 of 100.00 USDC.")
    _send(city, "Base", city.place_to_pay(short, "Base"), 200_000)
    _says(pages[1], PAID)
    expect(pages[1].locator(".lead")).to_contain_text("Short by 0.50 USDC, accepted.")
    assert shop.balance == "199.20", "what came, and nothing else"


def test_of_what_ended_with_a_part_there_are_two_ways_out(city: City, shop: Resident, opens: Opens):
    """T06: one payer pays the rest, the other takes the part back; each by the page's button."""
    paid, taken, wallet = _ask(shop, "50"), _ask(shop, "50"), fresh_wallet("Base")
    pages = {made["id"]: opens(f"{made['payUrl']}?network=base") for made in (paid, taken)}
    for made in (paid, taken):
        _send(city, "Base", city.place_to_pay(made, "Base"), 20_000_000)
        _says(pages[made["id"]], "Send 30.00 USDC more")
        city.let_a_day_pass(made)
    for page in pages.values():
        _says(page, "Expired, 20.00 of 50.00 USDC arrived")
        assert page.locator(".qr").count() == 0

    page = pages[paid["id"]]
    page.get_by_role("button", name="Ask for an invoice for the rest").click()
    expect(page.locator("#rest h2")).to_have_text("Asked for the rest")
    rest = _ask(shop, "30", restOf=paid["id"])
    page.get_by_role("link", name="Pay 30.00 USDC").click()
    _says(page, "Send 30.00 USDC")
    _send(city, "Base", city.place_to_pay(rest, "Base"), 30_000_000)
    _says(page, PAID)

    page = pages[taken["id"]]
    _is_given_back(page, shop, taken, "20.00", wallet)
    assert city.on_chain("Base", wallet) == 20_000_000
    assert shop.balance == "49.95", "both parts of one, none of the other, the fee of one sending"
    assert city.books_are_sound()


def test_money_in_the_second_of_the_end_is_in_time(city: City, shop: Resident, opens: Opens):
    """T07: whatever the payer's clock says, the server decides, and that second counts."""
    made = _ask(shop)
    page = opens("about:blank")
    page.clock.install()
    page.goto(f"{made['payUrl']}?network=base")
    address = city.place_to_pay(made, "Base")
    with page.expect_response(made["payUrl"] + "?network=base"):
        page.clock.fast_forward("25:00:00")
    expect(page.get_by_role("timer")).to_have_text("(00:00)")
    _says(page, "Send 5.00 USDC")
    with _ending_as_money_is_seen(city, made):
        _send(city, "Base", address, 5_000_000)
        _says(page, PAID)
    told = shop.get(f"/client/invoices/{made['id']}")
    assert told["invoice"]["expiresAt"] == told["payments"][0]["createdAt"]
    assert (told["invoice"]["status"], told["invoice"]["late"]) == ("PAID", False)
