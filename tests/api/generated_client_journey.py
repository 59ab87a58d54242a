"""An integrator's program over the client that is generated from ``docs/openapi.json``.

tests/api/test_generated_client.py generates ``protonpay_client``, has mypy read this file with
it, and runs it.
"""

from dataclasses import dataclass

from protonpay_client import AuthenticatedClient, Client
from protonpay_client.api.auth import auth_login, auth_register
from protonpay_client.api.overview import overview_activity, overview_balance
from protonpay_client.api.payouts import payouts_payout, payouts_withdraw
from protonpay_client.api.transfers import transfers_transfer
from protonpay_client.models import (
    ActivityPage,
    Balance,
    Credentials,
    LoggedIn,
    PayoutAnswer,
    PayoutOrder,
    PayoutOrderNetwork,
    Problem,
    Registered,
    Registration,
    TransferAnswer,
    TransferOrder,
)
from protonpay_client.types import UNSET, Unset

WALLET = "D9cCZQxDN1fohCRSfQMRCXShxAFhAxaRp1jr5Bqe3Lr2"


@dataclass
class Journey:
    """What an integrator saw."""

    registered: Registered
    before: str
    transfer: TransferAnswer
    again: TransferAnswer
    replayed: str | None
    payout: PayoutAnswer
    payout_later: PayoutAnswer
    activity: list[str]
    pages: int
    refused: Problem


def register(url: str, *, name: str, email: str, password: str) -> Registered:
    """Open an account."""
    with Client(base_url=url) as client:
        person = Registration(name=name, email=email, password=password)
        answer = auth_register.sync(client=client, body=person)
        assert isinstance(answer, Registered), answer
        return answer


def login(url: str, *, email: str, password: str) -> LoggedIn:
    """Sign in."""
    with Client(base_url=url) as client:
        answer = auth_login.sync(client=client, body=Credentials(email=email, password=password))
        assert isinstance(answer, LoggedIn), answer
        return answer


def travel(url: str, token: str, receiver: Registered) -> Journey:
    """Look, pay, withdraw, read the history page by page, and be refused once."""
    with AuthenticatedClient(base_url=url, token=token) as client:
        before = overview_balance.sync(client=client)
        assert isinstance(before, Balance), before

        order = TransferOrder(to_identifier=receiver.user.public_id, amount="25.5", note="Thanks")
        transfer = transfers_transfer.sync(client=client, body=order, idempotency_key="once")
        assert isinstance(transfer, TransferAnswer), transfer
        repeated = transfers_transfer.sync_detailed(
            client=client, body=order, idempotency_key="once"
        )
        assert isinstance(repeated.parsed, TransferAnswer), repeated

        wish = PayoutOrder(amount=50, wallet_address=WALLET, network=PayoutOrderNetwork.SOLANA)
        payout = payouts_withdraw.sync(client=client, body=wish)
        assert isinstance(payout, PayoutAnswer), payout
        later = payouts_payout.sync(payout.payout.id, client=client)
        assert isinstance(later, PayoutAnswer), later

        activity, pages = _history(client)
        refused = transfers_transfer.sync(
            client=client,
            body=TransferOrder(to_identifier=receiver.user.email, amount="1000000"),
            accept_language="ru",
        )
        assert isinstance(refused, Problem), refused
        return Journey(
            registered=receiver,
            before=before.balance_usdc,
            transfer=transfer,
            again=repeated.parsed,
            replayed=repeated.headers.get("Idempotent-Replayed"),
            payout=payout,
            payout_later=later,
            activity=activity,
            pages=pages,
            refused=refused,
        )


def _history(client: AuthenticatedClient) -> tuple[list[str], int]:
    seen: list[str] = []
    cursor: str | Unset = UNSET
    pages = 0
    while True:
        page = overview_activity.sync(client=client, limit=1, cursor=cursor)
        assert isinstance(page, ActivityPage), page
        pages += 1
        seen += [f"{line.type_} {line.direction} {line.amount}" for line in page.activity]
        if page.next_cursor is None:
            return seen, pages
        cursor = page.next_cursor
