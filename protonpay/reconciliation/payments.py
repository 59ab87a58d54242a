"""A card provider: what it says of each payment of the last days, beside deposit and entry.

A difference that callbacks and looks would mend by themselves has its payment asked about anew:
if that mends it, the next look finds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from protonpay.cards.port import CardPayment, CardStatus, KeyRefused, Rejected
from protonpay.cards.registry import card_providers
from protonpay.deposits.states import CREDITED
from protonpay.kernel import clock, ids
from protonpay.kernel.fiat import FiatAmount, Rate
from protonpay.ledger import chart
from protonpay.reconciliation import books, cases
from protonpay.reconciliation.cases import Finding
from protonpay.reconciliation.looks import Beginning, Part
from protonpay.reconciliation.models import ReconciliationCase
from protonpay.store import outbox
from protonpay.store.db import release
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_WINDOW = "3 days"
_LISTED_WINDOW = timedelta(days=3)
_LIST = "list:"
_STRANGE = "payment_without_deposit"
_AT_ONCE = 25
# A person is deciding about these already.
_IN_REVIEW = "REVIEW"


@dataclass(frozen=True, slots=True)
class _Ours:
    """A deposit as we have it; ``booked`` is its credit in the journal, commission included."""

    id: str
    provider_ref: str
    state: str
    currency: str
    fiat_minor: int
    refunded_minor: int
    rate_scaled: int
    amount_micro: int
    booked: int

    @property
    def credited(self) -> bool:
        return self.state in CREDITED

    def worth(self, minor: int) -> int:
        return Rate(self.rate_scaled).to_usdc(FiatAmount(minor, self.currency)).micro

    @property
    def kept(self) -> int:
        """What the book says is left of it after refunds."""
        return int(self.booked) - self.worth(self.refunded_minor)


def begin(provider: str) -> Beginning:
    """Compare the book with itself."""
    address = chart.clearing(provider)
    balance, booked = books.account(address)
    findings = [
        Finding("credit_without_transfer", reference, {"micro": micro})
        for reference, micro in books.card_credits_without_deposit(provider)
    ]
    if balance != booked:
        evidence = {"balance": balance, "postings": booked}
        findings.append(Finding("balance_tampered", address, evidence))
    return Beginning({}, findings)


def go_on(provider: str, _number: int, _at: Mapping[str, Any], cursor: str | None) -> Part:
    """Ask about the next payments; one that is not answered is unknown, and the rest goes on.

    After ours come those in the provider's own list, where it has one: each must be ours.
    """
    if cursor is not None and cursor.startswith(_LIST):
        return _go_through_list(provider, cursor.removeprefix(_LIST) or None)
    rows = books.card_payments(provider, cursor or "", _AT_ONCE, _WINDOW)
    release()
    ours, theirs, findings, unknown = 0, 0, [], []
    refs: dict[str, str] = {}
    for deposit in (_Ours(*row) for row in rows):
        refs[deposit.id] = deposit.provider_ref
        try:
            payment = _ask(provider, deposit)
        except NoAnswer as silence:
            log.warning("payment_unknown", deposit_id=deposit.id, error=repr(silence))
            unknown.append(deposit.id)
            continue
        found = _compare(deposit, payment)
        findings += found
        if deposit.state != _IN_REVIEW:
            ours += deposit.kept if deposit.credited else 0
            theirs += _worth(deposit, payment)

    def ask_anew(new: list[str]) -> None:
        for deposit_id in new:
            ref = refs[deposit_id]
            outbox.add("deposits.card_callback", provider=provider, provider_ref=ref)

    return Part(
        cursor=rows[-1][0] if len(rows) == _AT_ONCE else _LIST,
        compared=len(rows) - len(unknown),
        findings=findings,
        ours=ours,
        theirs=theirs,
        unknown=unknown,
        after=ask_anew,  # type: ignore[arg-type] # a list is what it gets
    )


def _go_through_list(provider: str, after: str | None) -> Part:
    since = clock.now() - _LISTED_WINDOW
    try:
        listed = card_providers.get(provider).paid_since(since, after)
    except (Rejected, NoAnswer) as silence:
        log.warning("list_unknown", provider=provider, error=repr(silence))
        # What stands of lists that were told is neither confirmed nor over.
        standing = [one.subject for one in _standing_strange(provider)]
        return Part(None, 0, unknown=["the list of payments", *standing])
    if listed is None:
        return Part(None, 0)
    # Whoever sells something else by the same account has other references: not ours to explain.
    named = {
        seen.reference: seen for seen in listed.payments if ids.ID_PATTERN.fullmatch(seen.reference)
    }
    strange = sorted(named.keys() - books.known_deposits(list(named)))
    findings = [
        Finding(
            _STRANGE,
            named[reference].provider_ref,
            {
                "reference": reference,
                "theirs": f"{named[reference].amount} {named[reference].amount.currency}",
            },
        )
        for reference in strange
    ]
    if listed.after is not None:
        return Part(f"{_LIST}{listed.after}", 0, findings=findings)
    # What is older than the list is not told any more, which is no sign that it is over.
    old = [one.subject for one in _standing_strange(provider) if one.seen_at <= since]
    return Part(None, 0, findings=findings, unknown=old)


def _standing_strange(provider: str) -> list[ReconciliationCase]:
    return [one for one in cases.standing(provider) if one.kind == _STRANGE]


def _ask(provider: str, deposit: _Ours) -> CardPayment | None:
    """Return the provider's payment, or None: it knows of no such."""
    try:
        payment = card_providers.get(provider).fetch_payment(deposit.provider_ref)
    except KeyRefused as refused:
        raise NoAnswer("the provider refuses our key") from refused
    except Rejected:
        return None
    if payment.status is CardStatus.UNRESOLVED:
        raise NoAnswer("the provider itself does not know")
    return payment


def _compare(deposit: _Ours, payment: CardPayment | None) -> list[Finding]:
    if deposit.credited:
        return [*_entry(deposit), *_credited(deposit, payment)]
    captured = payment is not None and payment.status is CardStatus.CAPTURED
    if not captured or payment is None or deposit.state == _IN_REVIEW:
        return []
    if payment.refunded.minor >= payment.amount.minor:
        return []  # given back with the provider: nobody has it
    return [_finding("payment_not_credited", deposit, payment)]


def _entry(deposit: _Ours) -> list[Finding]:
    if deposit.booked == deposit.amount_micro:
        return []
    evidence = {"deposit": deposit.amount_micro, "entry": int(deposit.booked)}
    return [Finding("credit_differs", deposit.id, evidence)]


def _credited(deposit: _Ours, payment: CardPayment | None) -> list[Finding]:
    if payment is None or payment.status is not CardStatus.CAPTURED:
        return [_finding("payment_lost", deposit, payment)]
    if (payment.amount.minor, payment.amount.currency) != (deposit.fiat_minor, deposit.currency):
        return [_finding("payment_differs", deposit, payment)]
    # What is given back beyond the payment is not the user's, and is told elsewhere.
    given_back = min(payment.refunded.minor, deposit.fiat_minor)
    if given_back == deposit.refunded_minor:
        return []
    more = given_back > deposit.refunded_minor
    return [_finding("refund_not_booked" if more else "refund_taken_back", deposit, payment)]


def _worth(deposit: _Ours, payment: CardPayment | None) -> int:
    """Return what the provider has of a payment, in micro-USDC at the deposit's own rate."""
    if payment is None or payment.status is not CardStatus.CAPTURED:
        return 0
    if payment.amount.currency != deposit.currency:
        return 0
    return deposit.worth(payment.amount.minor) - deposit.worth(payment.refunded.minor)


def _finding(kind: str, deposit: _Ours, payment: CardPayment | None) -> Finding:
    ordered = FiatAmount(deposit.fiat_minor, deposit.currency)
    evidence = {
        "providerRef": deposit.provider_ref,
        "ours": f"{deposit.state} {ordered} {deposit.currency}",
        "refundedMinor": deposit.refunded_minor,
        "theirs": None,
        "theirRefundedMinor": None,
    }
    if payment is not None:
        amount = payment.amount
        evidence["theirs"] = f"{payment.status.value} {amount} {amount.currency}"
        evidence["theirRefundedMinor"] = payment.refunded.minor
    return Finding(kind, deposit.id, evidence)
