"""docs/api.md: prose by hand, examples filled in between the marks from one table.

An example is written in three languages and can be run in each; what it answers is kept in
the document with all that differs from run to run abbreviated, as in the API document itself.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.api.programs import NOTHING, Example, curl, javascript, python

PATH = Path(__file__).parents[2] / "docs" / "api.md"
_MARK = re.compile(r"<!-- (GET|POST|PATCH|DELETE) (\S+) -->\n.*?<!-- end -->\n", re.DOTALL)
QUEUED = 202


ACCOUNT = {"name": "John Doe", "email": "john@example.com", "password": "securePassword123"}
ONE_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
SESSION = {"TOKEN": "token", "REFRESH_TOKEN": "refreshToken"}
CHALLENGE = {"CHALLENGE_ID": "options.challengeId", "CHALLENGE": "options.publicKey.challenge"}
CREDENTIAL = {"id": "{CREDENTIAL_ID}", "rawId": "{CREDENTIAL_ID}", "type": "public-key"}
EXAMPLES = (
    Example("POST", "/auth/register", ACCOUNT, public=True),
    Example(
        "POST",
        "/auth/login",
        {"email": "john@example.com", "password": "securePassword123"},
        public=True,
        keeps=SESSION,
    ),
    Example(
        "POST", "/auth/refresh", {"refreshToken": "{REFRESH_TOKEN}"}, public=True, keeps=SESSION
    ),
    Example("GET", "/client/balance"),
    Example("GET", "/client/balance/history?days=7"),
    Example("GET", "/client/dashboard"),
    Example("GET", "/client/activity?limit=1"),
    Example("GET", "/client/search?q=1250"),
    Example("GET", "/client/statements?limit=1", keeps={"MONTH": "statements.0.month"}),
    Example("GET", "/client/statements/{MONTH}"),
    Example("GET", "/client/fees"),
    Example("GET", "/client/ledger/proof"),
    Example("GET", "/client/deposit/providers"),
    Example("POST", "/client/deposit/quote", {"amount": 100, "currency": "usd"}),
    Example(
        "POST",
        "/client/deposit/card",
        {"amount": 100, "currency": "usd", "provider": "tap"},
        keeps={"DEPOSIT": "deposit.id"},
    ),
    Example("GET", "/client/deposit/{DEPOSIT}"),
    Example("GET", "/client/deposits?status=PENDING"),
    Example("POST", "/client/deposit/crypto", {"network": "Solana"}),
    Example("POST", "/client/withdraw/quote", {"amount": 50, "network": "Solana"}),
    Example("POST", "/client/withdraw/payee", {"walletAddress": "{WALLET}", "network": "Solana"}),
    Example(
        "POST",
        "/client/withdraw",
        {"amount": 50, "walletAddress": "{WALLET}", "network": "Solana"},
        keeps={"PAYOUT": "payout.id"},
    ),
    Example("GET", "/client/withdraw/{PAYOUT}"),
    Example("GET", "/client/withdrawals?limit=1"),
    Example("POST", "/client/transfer/payee", {"toIdentifier": "{PAYEE}"}),
    Example(
        "POST",
        "/client/transfer",
        {"toIdentifier": "user@example.com", "amount": 25, "note": "Payment for services"},
        keeps={"TRANSFER": "transfer.id"},
    ),
    Example("GET", "/client/transfer/{TRANSFER}"),
    Example("GET", "/client/transfers?limit=1"),
    Example("GET", "/client/activity/{TRANSFER}/entries"),
    Example(
        "POST",
        "/client/invoices",
        {"amount": 50, "currency": "USDC", "description": "Monthly subscription"},
        keeps={"INVOICE": "invoice.id"},
    ),
    Example("GET", "/client/invoices/{INVOICE}"),
    Example("GET", "/client/invoices?status=PENDING"),
    Example("GET", "/client/invoices/counts"),
    Example(
        "POST",
        "/client/invoices/{INVOICE}/send",
        {"email": "user@example.com", "language": "en"},
    ),
    Example(
        "PATCH", "/client/invoices/{INVOICE}", {"note": "Paid in two parts, as agreed by phone."}
    ),
    Example("POST", "/client/invoices/{INVOICE}/extend", {"expiresAt": "{IN_A_MONTH}"}),
    Example("POST", "/client/invoices/{INVOICE}/cancel", {}),
    Example("POST", "/client/invoices/{INVOICE_OF_ANOTHER}/pay", {}),
    Example("POST", "/client/invoices/{PAID_INVOICE}/refund", {"amount": 1}),
    Example("POST", "/client/invoices/{PART_PAID_INVOICE}/decline", {"claimId": "{CLAIM}"}),
    Example("POST", "/client/invoices/{PART_PAID_INVOICE}/accept", {}),
    Example(
        "POST",
        "/client/api-keys",
        {"name": "Production Key", "permissions": ["balance:read", "invoices:write"]},
        keeps={"KEY": "key.id"},
    ),
    Example("GET", "/client/api-keys"),
    Example("GET", "/client/api-keys/{KEY}"),
    Example("POST", "/client/api-keys/{KEY}/rotate", {"overlapSeconds": 3600}),
    Example("DELETE", "/client/api-keys/{KEY}", status=NOTHING),
    Example("GET", "/client/requests?outcome=refused", keeps={"REQUEST": "requests.0.id"}),
    Example("GET", "/client/requests/{REQUEST}"),
    Example("GET", "/client/requests/errors"),
    Example("GET", "/client/requests/days?days=7"),
    Example(
        "POST",
        "/client/webhooks",
        {
            "url": "https://yourapp.com/webhooks/nova",
            "events": ["deposit.confirmed", "payout.completed"],
        },
        keeps={"WEBHOOK": "webhook.id"},
    ),
    Example("GET", "/client/webhooks"),
    Example("GET", "/client/webhooks/{WEBHOOK}"),
    Example(
        "POST",
        "/client/webhooks/{WEBHOOK}/test",
        {"event": "deposit.confirmed"},
        keeps={"TEST_EVENT": "eventId"},
    ),
    Example("GET", "/client/webhooks/{WEBHOOK}/deliveries?status=DELIVERED"),
    Example("GET", "/client/events/{TEST_EVENT}/deliveries"),
    Example("GET", "/client/webhooks/{WEBHOOK}/deliveries/{TEST_EVENT}"),
    Example("GET", "/client/webhooks/{WEBHOOK}/health"),
    Example("GET", "/client/webhooks/health"),
    Example("POST", "/client/webhooks/{WEBHOOK}/deliveries/{TEST_EVENT}/resend", status=QUEUED),
    Example("POST", "/client/webhooks/{WEBHOOK}/recover", {"since": "{YESTERDAY}"}, status=QUEUED),
    Example("POST", "/client/webhooks/{WEBHOOK}/replay", {"after": 0}, status=QUEUED),
    Example("POST", "/client/webhooks/{WEBHOOK}/rotate-secret", {"overlapSeconds": 3600}),
    Example("PATCH", "/client/webhooks/{WEBHOOK}", {"enabled": False}),
    Example("DELETE", "/client/webhooks/{WEBHOOK}", status=NOTHING),
    Example(
        "GET",
        "/client/events?event=transfer.completed&limit=1",
        keeps={"EVENT": "events.0.id"},
    ),
    Example("GET", "/client/events/{EVENT}"),
    Example("GET", "/client/notifications?show=unread&limit=1"),
    Example("GET", "/client/notifications/unread"),
    Example("POST", "/client/notifications/read", {"ids": ["{EVENT}"]}),
    Example("GET", "/client/notifications/preferences"),
    Example(
        "PATCH",
        "/client/notifications/preferences",
        {"preferences": [{"kind": "transfer.completed", "email": True, "telegram": False}]},
    ),
    Example("GET", "/client/notifications/telegram"),
    Example("POST", "/client/notifications/telegram"),
    Example("DELETE", "/client/notifications/telegram", status=NOTHING),
    Example("GET", "/client/kyc"),
    Example(
        "POST",
        "/client/kyc/documents",
        {"kind": "FRONT", "content": ONE_PIXEL},
        keeps={"DOCUMENT": "document.id"},
    ),
    Example("GET", "/client/kyc/documents"),
    Example("DELETE", "/client/kyc/documents/{DOCUMENT}", status=NOTHING),
    Example(
        "POST",
        "/client/wallets/message",
        {"network": "Base", "address": "{EVM_WALLET}"},
        keeps={"CHALLENGE": "challenge.id", "MESSAGE": "challenge.message"},
    ),
    Example(
        "POST",
        "/client/wallets",
        {"challengeId": "{CHALLENGE}", "signature": "{SIGNATURE}"},
        keeps={"LINKED": "wallet.id"},
    ),
    Example("GET", "/client/wallets"),
    Example("GET", "/client/wallets/{LINKED}"),
    Example("DELETE", "/client/wallets/{LINKED}", status=NOTHING),
    Example(
        "POST",
        "/client/addresses",
        {"network": "Solana", "address": "{WALLET}", "label": "Cold wallet"},
        keeps={"ADDRESS": "address.id"},
    ),
    Example("GET", "/client/addresses"),
    Example("GET", "/client/addresses/{ADDRESS}"),
    Example("DELETE", "/client/addresses/{ADDRESS}", status=NOTHING),
    Example("PATCH", "/client/addresses/policy", {"onlyListed": True}),
    Example("GET", "/client/addresses/policy"),
    Example("PATCH", "/client/preferences", {"timeZone": "Asia/Dubai"}),
    Example("GET", "/client/preferences"),
    Example("POST", "/client/email/verification"),
    Example("POST", "/auth/verify-email", {"token": "{VERIFY_TOKEN}"}, public=True),
    Example("POST", "/client/email", {"email": "doe@example.com", "password": "securePassword123"}),
    Example("GET", "/client/sessions"),
    Example("GET", "/client/sessions/failed"),
    Example("DELETE", "/client/sessions/{SESSION}", status=NOTHING),
    Example("DELETE", "/client/sessions", status=NOTHING),
    Example(
        "POST",
        "/client/password",
        {"password": "securePassword123", "newPassword": "evenMoreSecure456"},
    ),
    Example(
        "POST",
        "/client/2fa/setup",
        {"password": "evenMoreSecure456"},
        keeps={"APP_SECRET": "setup.secret"},
    ),
    Example(
        "POST",
        "/client/2fa/enable",
        {"code": "{CODE}"},
        keeps={"RECOVERY_CODE": "recoveryCodes.0"},
    ),
    Example("GET", "/client/2fa"),
    Example(
        "POST",
        "/client/2fa/recovery-codes",
        keeps={"RECOVERY_CODE": "recoveryCodes.0", "ANOTHER_CODE": "recoveryCodes.1"},
        code="{RECOVERY_CODE}",
    ),
    Example(
        "POST",
        "/auth/2fa",
        {"mfaToken": "{MFA_TOKEN}", "code": "{RECOVERY_CODE}"},
        public=True,
        keeps=SESSION,
    ),
    Example("DELETE", "/client/2fa/reset", status=NOTHING),
    Example(
        "POST",
        "/client/2fa/disable",
        {"password": "evenMoreSecure456"},
        code="{ANOTHER_CODE}",
    ),
    Example(
        "POST",
        "/client/passkeys/options",
        {"password": "evenMoreSecure456"},
        keeps={
            **CHALLENGE,
            "USER_HANDLE": "options.publicKey.user.id",
        },
    ),
    Example(
        "POST",
        "/client/passkeys",
        {
            "challengeId": "{CHALLENGE_ID}",
            "name": "Phone",
            "credential": {
                **CREDENTIAL,
                "response": {
                    "clientDataJSON": "{CLIENT_DATA}",
                    "attestationObject": "{ATTESTATION}",
                },
            },
        },
        keeps={"PASSKEY": "passkey.id"},
    ),
    Example("GET", "/client/passkeys"),
    Example("PATCH", "/client/passkeys/{PASSKEY}", {"name": "Old phone"}),
    Example("POST", "/auth/passkey/options", {}, public=True, keeps=CHALLENGE),
    Example(
        "POST",
        "/auth/passkey",
        {
            "challengeId": "{CHALLENGE_ID}",
            "credential": {
                **CREDENTIAL,
                "response": {
                    "clientDataJSON": "{CLIENT_DATA}",
                    "authenticatorData": "{AUTHENTICATOR_DATA}",
                    "signature": "{SIGNATURE_OF_PASSKEY}",
                    "userHandle": "{USER_HANDLE}",
                },
            },
        },
        public=True,
        keeps=SESSION,
    ),
    Example("DELETE", "/client/passkeys/{PASSKEY}", status=NOTHING),
    Example(
        "POST",
        "/client/team/invitations",
        {"email": "user@example.com", "role": "payer"},
        keeps={"INVITATION": "invitation.id"},
    ),
    Example("GET", "/client/team/invitations"),
    Example("GET", "/client/team/invitations/{INVITATION}"),
    Example("POST", "/client/team/invitations/{INVITATION}/resend"),
    Example("GET", "/client/team/members", keeps={"MEMBER": "members.0.id"}),
    Example("GET", "/client/team/acts"),
    Example("PATCH", "/client/team/members/{MEMBER}", {"role": "viewer"}),
    Example("DELETE", "/client/team/members/{MEMBER}", status=NOTHING),
    Example("DELETE", "/client/team/invitations/{INVITATION}", status=NOTHING),
    Example(
        "POST",
        "/client/memberships",
        {"token": "{JOIN_TOKEN}"},
        keeps={"MEMBERSHIP": "membership.id"},
    ),
    Example("GET", "/client/memberships"),
    Example("DELETE", "/client/memberships/{MEMBERSHIP}", status=NOTHING),
    Example(
        "POST",
        "/client/test/payments",
        {"network": "Base", "amount": 100},
        keeps={"TEST_PAYMENT": "payment.id"},
        status=QUEUED,
    ),
    Example("GET", "/client/test/payments/{TEST_PAYMENT}"),
    Example("GET", "/client/test/payments?limit=1"),
    Example("POST", "/client/test/invoices/{EXPIRING_INVOICE}/expire"),
    Example(
        "POST",
        "/client/test/faults",
        {"kind": "answer_lost", "method": "POST", "route": "/api/client/withdraw"},
        keeps={"FAULT": "fault.id"},
    ),
    Example("GET", "/client/test/faults"),
    Example("DELETE", "/client/test/faults/{FAULT}", status=NOTHING),
    Example("POST", "/auth/logout", status=NOTHING),
    Example(
        "POST",
        "/auth/forgot-password",
        {"email": "john@example.com"},
        public=True,
        status=NOTHING,
    ),
    Example(
        "POST",
        "/auth/reset-password",
        {"token": "{RESET_TOKEN}", "password": "yetAnotherSecure789"},
        public=True,
        status=NOTHING,
    ),
    Example("POST", "/auth/freeze", {"token": "{FREEZE_TOKEN}"}, public=True, status=NOTHING),
)


LANGUAGES = {"sh": curl, "python": python, "js": javascript}


def document(answers: Mapping[str, Any]) -> str:
    """The document with every example filled in anew."""
    known = {example.name: example for example in EXAMPLES}

    def fill(mark: re.Match[str]) -> str:
        name = f"{mark[1]} {mark[2]}"
        example = known[name]
        parts = [f"```{tongue}\n{write(example)}\n```\n" for tongue, write in LANGUAGES.items()]
        if example.status != NOTHING:
            answer = json.dumps(answers[name], indent=2, ensure_ascii=False)
            parts.append(f"Answer, {example.status}:\n\n```json\n{answer}\n```\n")
        return f"<!-- {name} -->\n" + "\n".join(parts) + "<!-- end -->\n"

    return _MARK.sub(fill, PATH.read_text())


def marked() -> list[str]:
    """The names of the examples, in the order of the document."""
    return [f"{mark[1]} {mark[2]}" for mark in _MARK.finditer(PATH.read_text())]


def written() -> Iterator[tuple[str, dict[str, str], Any]]:
    """Each example as it stands in the document: its name, its programs, its answer."""
    for mark in _MARK.finditer(PATH.read_text()):
        blocks = dict(re.findall(r"```(\w+)\n(.*?)\n```", mark[0], re.DOTALL))
        answer = json.loads(blocks.pop("json")) if "json" in blocks else None
        yield f"{mark[1]} {mark[2]}", blocks, answer
