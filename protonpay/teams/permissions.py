"""What the members of an account may do: one table of routes and roles, read at every request.

It stands beside the table of routes (``BLUEPRINTS`` in ``app.py``): a route is named by its
endpoint, and one that does not stand here no member may call. The owner of an account may all.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from protonpay.kernel.errors import Forbidden
from protonpay.kernel.scopes import FULL, Scope


class Role(StrEnum):
    """What somebody is in an account of another; in each they have one."""

    VIEWER = "viewer"
    """Sees the balance, the history and what can be downloaded of single things."""
    ACCOUNTANT = "accountant"
    """Sees that, statements, exports, and who did what."""
    DEVELOPER = "developer"
    """Sees that, and keeps API keys and webhooks; moves no money, by no key either."""
    PAYER = "payer"
    """Sees that, and takes in, sends and pays out."""
    ADMIN = "admin"
    """All of it, and the team; not the owner's sign-in, and no other admin."""


def _and_admin(*roles: Role) -> tuple[Role, ...]:
    return (*roles, Role.ADMIN)


_ALL = tuple(Role)
_BOOKS = _and_admin(Role.ACCOUNTANT)
_BUILDS = _and_admin(Role.DEVELOPER)
_PAYS = _and_admin(Role.PAYER)
_MANAGES = _and_admin()
_TESTS = _and_admin(Role.DEVELOPER, Role.PAYER)
_NOBODY: tuple[Role, ...] = ()
"""A person's own: their sign-in, and what others' accounts they act for."""

GRANTS: Mapping[str, Sequence[Role]] = {
    # what there is
    "overview.balance": _ALL,
    "overview.dashboard": _ALL,
    "statements.days": _ALL,
    "statements.entries": _ALL,
    "overview.activity": _ALL,
    "overview.search": _ALL,
    "fees.fees": _ALL,
    "proofs.proof": _ALL,
    "notifications.listed": _ALL,
    "notifications.unread": _ALL,
    "notifications.read": _ALL,
    "notifications.preferences": _ALL,
    "notifications.prefer": _MANAGES,
    "notifications.telegram_standing": _ALL,
    "notifications.link_telegram": _NOBODY,
    "notifications.unlink_telegram": _NOBODY,
    "preferences.preferences": _ALL,
    "preferences.prefer": _MANAGES,
    # money in
    "deposits.providers": _ALL,
    "deposits.deposit": _ALL,
    "deposits.deposits": _ALL,
    "deposits.quote": _ALL,
    "deposits.card": _PAYS,
    "deposits.crypto": _PAYS,
    # money out
    "payouts.payout": _ALL,
    "payouts.withdrawals": _ALL,
    "payouts.quote": _ALL,
    "payouts.payee": _PAYS,
    "payouts.cancel": _PAYS,
    "payouts.withdraw": _PAYS,
    "transfers.one": _ALL,
    "transfers.transfers": _ALL,
    "transfers.payee": _PAYS,
    "transfers.transfer": _PAYS,
    # invoices
    "invoices.invoice": _ALL,
    "invoices.invoices": _ALL,
    "invoices.counts": _ALL,
    "invoices.create": _PAYS,
    "invoices.annotate": _PAYS,
    "invoices.extend": _PAYS,
    "invoices.cancel": _PAYS,
    "invoices.pay": _PAYS,
    "invoices.send": _PAYS,
    "invoices.refund": _PAYS,
    "invoices.accept": _PAYS,
    "invoices.decline": _PAYS,
    # where money may go
    "wallets.wallet": _ALL,
    "wallets.wallets": _ALL,
    "wallets.challenge": _MANAGES,
    "wallets.link": _MANAGES,
    "wallets.unlink": _MANAGES,
    "addresses.entry": _ALL,
    "addresses.entries": _ALL,
    "addresses.policy": _ALL,
    "addresses.add": _MANAGES,
    "addresses.remove": _MANAGES,
    "addresses.set_policy": _MANAGES,
    # books
    "statements.months": _BOOKS,
    "statements.statement": _BOOKS,
    # programs
    "events.event": _ALL,
    "events.events": _ALL,
    "requests.listed": _BUILDS,
    "requests.days": _BUILDS,
    "requests.one": _BUILDS,
    "requests.trouble": _BUILDS,
    "api-keys.create": _BUILDS,
    "api-keys.listed": _BUILDS,
    "api-keys.key": _BUILDS,
    "api-keys.rotate": _BUILDS,
    "api-keys.revoke": _BUILDS,
    "webhooks.register": _BUILDS,
    "webhooks.webhooks": _BUILDS,
    "webhooks.health_of_each": _BUILDS,
    "webhooks.webhook": _BUILDS,
    "webhooks.change": _BUILDS,
    "webhooks.remove": _BUILDS,
    "webhooks.rotate_secret": _BUILDS,
    "webhooks.test": _BUILDS,
    "webhooks.healthy": _BUILDS,
    "webhooks.deliveries": _BUILDS,
    "webhooks.deliveries_of_event": _BUILDS,
    "webhooks.delivery": _BUILDS,
    "webhooks.resend": _BUILDS,
    "webhooks.recover": _BUILDS,
    "webhooks.replay": _BUILDS,
    # in a sandbox
    "test.payment": _ALL,
    "test.payments": _ALL,
    "test.pay": _TESTS,
    "test.decide": _MANAGES,
    "test.run_out": _TESTS,
    "test.standing_faults": _ALL,
    "test.ask_for_fault": _TESTS,
    "test.remove_fault": _TESTS,
    # who the account is of
    "kyc.standing": _MANAGES,
    "kyc.submit": _MANAGES,
    "kyc.list_documents": _MANAGES,
    "kyc.upload": _MANAGES,
    "kyc.remove": _MANAGES,
    # the team
    "team.members": _ALL,
    "team.change_role": _MANAGES,
    "team.remove": _MANAGES,
    "team.invite": _MANAGES,
    "team.pending": _MANAGES,
    "team.invitation": _MANAGES,
    "team.resend": _MANAGES,
    "team.revoke": _MANAGES,
    "team.acts": _BOOKS,
    # a person's own
    "memberships.join": _NOBODY,
    "memberships.memberships": _NOBODY,
    "memberships.leave": _NOBODY,
    "account.email": _NOBODY,
    "account.verification": _NOBODY,
    "account.password": _NOBODY,
    "account.sessions": _NOBODY,
    "account.failed": _NOBODY,
    "account.end": _NOBODY,
    "account.end_others": _NOBODY,
    "two_factor.standing": _NOBODY,
    "two_factor.setup": _NOBODY,
    "two_factor.enable": _NOBODY,
    "two_factor.renew": _NOBODY,
    "two_factor.keep": _NOBODY,
    "two_factor.disable": _NOBODY,
    "passkeys.options": _NOBODY,
    "passkeys.add": _NOBODY,
    "passkeys.listed": _NOBODY,
    "passkeys.rename": _NOBODY,
    "passkeys.remove": _NOBODY,
}
"""By endpoint; what does not stand here no member may."""

NO_ACTS = frozenset({"notifications.read"})
"""What changes nothing of the account: a member remembers there how far they have read."""

_LOOKS = frozenset({Scope.BALANCE_READ, Scope.ACTIVITY_READ})
SCOPES: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: frozenset(),
    Role.ACCOUNTANT: frozenset(),
    Role.DEVELOPER: frozenset({*_LOOKS, Scope.WEBHOOKS_WRITE}),
    Role.PAYER: frozenset(),
    Role.ADMIN: frozenset({*Scope, FULL}),
}
"""What a key that a member makes may hold: nothing that their role may not do itself."""


def roles(endpoint: str) -> Sequence[Role]:
    """Return the roles that may call a route."""
    return GRANTS.get(endpoint, _NOBODY)


def check(role: str, endpoint: str) -> None:
    """Refuse what a role may not do.

    Raises:
        Forbidden: it may not (``role_insufficient``).
    """
    if role not in roles(endpoint):
        raise role_insufficient()


def role_insufficient() -> Forbidden:
    """Return the refusal of what a member's role may not do."""
    return Forbidden("role_insufficient", "Your role in this account may not do this.")
