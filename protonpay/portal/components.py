"""``/components``: every part that pages are put together from, to be looked at and compared."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, render_template
from markupsafe import Markup

from protonpay.chains.registry import NETWORKS
from protonpay.deposits import states as deposits
from protonpay.invoices import states as invoices
from protonpay.kernel.money import MAX_MICRO, MICRO_PER_USDC, Usdc
from protonpay.kernel.states import StateMachine
from protonpay.kyc import states as kyc
from protonpay.payouts import states as payouts
from protonpay.portal import charts, words
from protonpay.portal.answers import page, spoken
from protonpay.portal.charts import COUNT, Series
from protonpay.portal.words import Say, sentence
from protonpay.web import qr
from protonpay.webhooks import states as webhooks

components = Blueprint("components", __name__, template_folder="templates", static_folder=None)

MACHINES: Mapping[str, StateMachine] = {
    sentence("Deposits"): deposits.DEPOSIT,
    sentence("Withdrawals"): payouts.PAYOUT,
    sentence("Invoices"): invoices.INVOICE,
    sentence("Payments of invoices"): invoices.PAYMENT,
    sentence("Identity"): kyc.CASE,
    sentence("Deliveries"): webhooks.DELIVERY,
}
"""What has states that a client sees; each state has a chip."""

_ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"  # of EIP-55's own examples
_START = datetime(2026, 3, 1, tzinfo=UTC)
_BALANCES = (0, 400, 380, 1250, 1100, 1100, 2400, 1900)
_CARD = (0, 120, 80, 0, 260, 40, 0, 310, 150, 90, 0, 220, 180, 60)
_CHAIN = (50, 0, 200, 140, 0, 90, 300, 0, 120, 0, 60, 250, 0, 90)
_OUT = (0, 60, 0, 220, 40, 0, 150, 310, 0, 70, 20, 0, 130, 240)


@components.get("/components")
def shown() -> Response:
    """Show the parts with values of no account: it needs no session and changes nothing."""
    language = words.chosen()
    say = words.speaker(language)
    html = render_template(
        "components.html",
        lang=language,
        say=say,
        fifty=Usdc.parse("1250.00"),
        address=_ADDRESS,
        code=qr.svg(_ADDRESS),
        names=list(NETWORKS),
        networks=[(name, name) for name in NETWORKS],
        machines=[(say(name), machine.name, machine.states) for name, machine in MACHINES.items()],
        drawn=_drawn(say),
    )
    return spoken(language, page(html))


def _usdc(*amounts: int) -> list[int]:
    return [amount * MICRO_PER_USDC for amount in amounts]


def _drawn(say: Say) -> list[Markup]:
    at = [_START + timedelta(days=4 * number) for number in range(len(_BALANCES))]
    balances = list(zip(at, _usdc(*_BALANCES), strict=True))
    days = [say.day(_START + timedelta(days=number)) for number in range(len(_CARD))]
    moved = [
        Series(say("By card"), _usdc(*_CARD)),
        Series(say("On chain"), _usdc(*_CHAIN)),
        Series(say("Withdrawn"), _usdc(*_OUT), down=True),
    ]
    week = [str(number) for number in range(1, 8)]
    return [
        charts.line(
            say,
            "balance",
            title=say("Balance over time"),
            points=balances,
            until=_START + timedelta(days=30),
        ),
        charts.bars(say, "moved", title=say("Money in and out, by day"), labels=days, series=moved),
        charts.bars(
            say,
            "requests",
            title=say("Requests"),
            labels=week,
            series=[Series(say("Requests"), (12, 30, 8, 44, 120, 67, 3))],
            unit=COUNT,
        ),
        charts.parts(
            say,
            "outcome",
            title=say("What became of invoices"),
            counts=[
                (say("Paid"), 84),
                (say("Part paid"), 9),
                (say("Expired"), 14),
                (say("Cancelled"), 3),
            ],
        ),
        charts.line(say, "none", title=say("A chart of nothing"), points=[]),
        charts.line(say, "one", title=say("A chart of one moment"), points=[(_START, MAX_MICRO)]),
        charts.bullet(
            say, "day", title=say("Withdrawn today"), used=_usdc(2150)[0], limit=_usdc(50_000)[0]
        ),
        charts.bullet(say, "over", title=say("Withdrawn today"), used=12, limit=10, unit=COUNT),
    ]
