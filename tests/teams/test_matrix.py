"""Every client route by every role of a team, with what it answers.

The rows are written out a second time, apart from the table that decides: a new route without a
row fails, and so does a grant that changes without anybody changing its row.
"""

import re
from collections.abc import Iterator, Mapping

import pytest
from flask import Flask

from tests.actors import Actor
from tests.api_keys.keys import make_key
from tests.refusals import refused
from tests.teams.people import For, member
from tests.unchanged import nothing_changes
from tests.web.doors import NOBODY, concrete, operations

ROLES = ("viewer", "accountant", "developer", "payer", "admin")
LETTERS = dict(zip("vadpm", ROLES, strict=True))

ROWS: Mapping[str, str] = {
    "GET /client/balance": "vadpm",
    "GET /client/dashboard": "vadpm",
    "GET /client/balance/history": "vadpm",
    "GET /client/activity/{line_id}/entries": "vadpm",
    "GET /client/activity": "vadpm",
    "GET /client/search": "vadpm",
    "GET /client/fees": "vadpm",
    "GET /client/ledger/proof": "vadpm",
    "GET /client/notifications": "vadpm",
    "GET /client/notifications/unread": "vadpm",
    "POST /client/notifications/read": "vadpm",
    "GET /client/notifications/preferences": "vadpm",
    "PATCH /client/notifications/preferences": "m",
    "GET /client/notifications/telegram": "vadpm",
    "POST /client/notifications/telegram": "",
    "DELETE /client/notifications/telegram": "",
    "GET /client/preferences": "vadpm",
    "PATCH /client/preferences": "m",
    "GET /client/deposit/providers": "vadpm",
    "GET /client/deposit/{deposit_id}": "vadpm",
    "GET /client/deposits": "vadpm",
    "POST /client/deposit/quote": "vadpm",
    "POST /client/deposit/card": "pm",
    "POST /client/deposit/crypto": "pm",
    "GET /client/withdraw/{payout_id}": "vadpm",
    "GET /client/withdrawals": "vadpm",
    "POST /client/withdraw/quote": "vadpm",
    "POST /client/withdraw/payee": "pm",
    "POST /client/withdraw/{payout_id}/cancel": "pm",
    "POST /client/withdraw": "pm",
    "GET /client/transfer/{transfer_id}": "vadpm",
    "GET /client/transfers": "vadpm",
    "POST /client/transfer/payee": "pm",
    "POST /client/transfer": "pm",
    "GET /client/invoices": "vadpm",
    "GET /client/invoices/counts": "vadpm",
    "GET /client/invoices/{invoice_id}": "vadpm",
    "POST /client/invoices": "pm",
    "POST /client/invoices/{invoice_id}/accept": "pm",
    "PATCH /client/invoices/{invoice_id}": "pm",
    "POST /client/invoices/{invoice_id}/extend": "pm",
    "POST /client/invoices/{invoice_id}/cancel": "pm",
    "POST /client/invoices/{invoice_id}/decline": "pm",
    "POST /client/invoices/{invoice_id}/pay": "pm",
    "POST /client/invoices/{invoice_id}/refund": "pm",
    "POST /client/invoices/{invoice_id}/send": "pm",
    "GET /client/wallets": "vadpm",
    "GET /client/wallets/{wallet_id}": "vadpm",
    "POST /client/wallets/message": "m",
    "POST /client/wallets": "m",
    "DELETE /client/wallets/{wallet_id}": "m",
    "GET /client/addresses": "vadpm",
    "GET /client/addresses/{address_id}": "vadpm",
    "GET /client/addresses/policy": "vadpm",
    "POST /client/addresses": "m",
    "DELETE /client/addresses/{address_id}": "m",
    "PATCH /client/addresses/policy": "m",
    "GET /client/statements": "am",
    "GET /client/statements/{month}": "am",
    "GET /client/requests": "dm",
    "GET /client/requests/days": "dm",
    "GET /client/requests/errors": "dm",
    "GET /client/requests/{row_id}": "dm",
    "GET /client/events": "vadpm",
    "GET /client/events/{event_id}": "vadpm",
    "POST /client/api-keys": "dm",
    "GET /client/api-keys": "dm",
    "GET /client/api-keys/{key_id}": "dm",
    "POST /client/api-keys/{key_id}/rotate": "dm",
    "DELETE /client/api-keys/{key_id}": "dm",
    "POST /client/webhooks": "dm",
    "GET /client/webhooks": "dm",
    "GET /client/webhooks/{webhook_id}": "dm",
    "PATCH /client/webhooks/{webhook_id}": "dm",
    "DELETE /client/webhooks/{webhook_id}": "dm",
    "POST /client/webhooks/{webhook_id}/rotate-secret": "dm",
    "POST /client/webhooks/{webhook_id}/test": "dm",
    "GET /client/webhooks/{webhook_id}/deliveries": "dm",
    "GET /client/webhooks/health": "dm",
    "GET /client/webhooks/{webhook_id}/health": "dm",
    "GET /client/events/{event_id}/deliveries": "dm",
    "GET /client/webhooks/{webhook_id}/deliveries/{event_id}": "dm",
    "POST /client/webhooks/{webhook_id}/deliveries/{event_id}/resend": "dm",
    "POST /client/webhooks/{webhook_id}/recover": "dm",
    "POST /client/webhooks/{webhook_id}/replay": "dm",
    "GET /client/test/payments": "vadpm",
    "GET /client/test/payments/{payment_id}": "vadpm",
    "POST /client/test/payments": "dpm",
    "POST /client/test/kyc": "m",
    "POST /client/test/invoices/{invoice_id}/expire": "dpm",
    "GET /client/test/faults": "vadpm",
    "POST /client/test/faults": "dpm",
    "DELETE /client/test/faults/{fault_id}": "dpm",
    "GET /client/kyc": "m",
    "POST /client/kyc": "m",
    "GET /client/kyc/documents": "m",
    "POST /client/kyc/documents": "m",
    "DELETE /client/kyc/documents/{document_id}": "m",
    "GET /client/team/members": "vadpm",
    "PATCH /client/team/members/{member_id}": "m",
    "DELETE /client/team/members/{member_id}": "m",
    "POST /client/team/invitations": "m",
    "GET /client/team/invitations": "m",
    "GET /client/team/invitations/{invitation_id}": "m",
    "POST /client/team/invitations/{invitation_id}/resend": "m",
    "DELETE /client/team/invitations/{invitation_id}": "m",
    "GET /client/team/acts": "am",
    # A person's own: nobody acts for another here.
    "POST /client/memberships": "",
    "GET /client/memberships": "",
    "DELETE /client/memberships/{membership_id}": "",
    "POST /client/email": "",
    "POST /client/email/verification": "",
    "POST /client/password": "",
    "GET /client/sessions": "",
    "GET /client/sessions/failed": "",
    "DELETE /client/sessions": "",
    "DELETE /client/sessions/{session_id}": "",
    "GET /client/2fa": "",
    "POST /client/2fa/setup": "",
    "POST /client/2fa/enable": "",
    "POST /client/2fa/recovery-codes": "",
    "DELETE /client/2fa/reset": "",
    "POST /client/2fa/disable": "",
    "POST /client/passkeys/options": "",
    "POST /client/passkeys": "",
    "GET /client/passkeys": "",
    "PATCH /client/passkeys/{passkey_id}": "",
    "DELETE /client/passkeys/{passkey_id}": "",
}
"""By route: v(iewer), a(ccountant), d(eveloper), p(ayer), and admin, who m(anages)."""


def routes() -> Iterator[tuple[str, str]]:
    for method, path, _ in operations():
        if path.startswith("/api/client/"):
            yield method, path.removeprefix("/api")


def may(role: str, method: str, path: str) -> bool:
    return role in {LETTERS[letter] for letter in ROWS[f"{method} {path}"]}


def place(path: str) -> str:
    """Return where a route of nobody's thing is asked: one cannot be asked for nothing."""
    return concrete(path) + ("?q=12.5" if path == "/client/search" else "")


def body(method: str) -> dict[str, str] | None:
    return {} if method in {"POST", "PATCH"} else None


def test_every_client_route_has_its_row():
    assert {f"{method} {path}" for method, path in routes()} == set(ROWS)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_its_rows_say_and_changes_nothing_elsewhere(
    house: Flask, alice: Actor, role: str
):
    acting = member(house, alice, role)
    let_in = [(m, p) for m, p in routes() if may(role, m, p)]
    kept_out = [(m, p) for m, p in routes() if not may(role, m, p)]
    assert let_in
    assert kept_out

    for method, path in let_in:
        answer = acting.call(method, place(path), json=body(method))
        absent = NOBODY in concrete(path) or path.endswith(("/proof", "{month}"))
        expected = {404} if absent else {200}
        if body(method) is not None:
            # Refused for what it is: the caller was let in to be told so.
            expected |= {400, 415}
        assert answer.status_code in expected, (method, path, answer.get_json())
    with nothing_changes():
        for method, path in kept_out:
            refused(acting.call(method, place(path), json=body(method)), 403, "role_insufficient")


def test_a_stranger_opens_nothing_of_the_account(alice: Actor, mallory: Actor):
    acting = For(mallory, alice)
    with nothing_changes():
        for method, path in routes():
            answer = acting.call(method, place(path), json=body(method))
            refused(answer, 403, "not_a_member")


def test_an_api_key_is_sent_for_no_account(house: Flask, alice: Actor, bob: Actor):
    """Not for its own either: whoever sends both has not understood which of them counts."""
    key = make_key(alice)
    for account in (alice, bob):
        with nothing_changes():
            answer = key.get("/client/balance", headers={"X-Account": account.public_id})
            refused(answer, 400, "invalid_account")


def test_the_owner_may_name_their_own_account_everywhere(alice: Actor):
    own = {"X-Account": alice.public_id}
    for method, path in routes():
        if method == "GET":
            answer = alice.get(place(path), headers=own)
            assert answer.status_code in {200, 404}, path


def test_the_document_says_which_roles_may():
    told = {
        f"{method} {path.removeprefix('/api')}": operation.get("x-member-roles", [])
        for method, path, operation in operations()
        if path.startswith("/api/client/")
    }
    assert told == {row: [LETTERS[letter] for letter in may] for row, may in ROWS.items()}
    assert all(re.fullmatch("v?a?d?p?m?", row) for row in ROWS.values())
