"""Whose account a command is about, and how what is done to it is written down."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from protonpay.auth import factor_resets
from protonpay.cli.acts import act
from protonpay.kyc import service as checks
from protonpay.passkeys import service as passkeys
from protonpay.two_factor import service as two_factor
from protonpay.users import service
from protonpay.users.service import User


@contextmanager
def acting(action: str, email: str, reason: str) -> Iterator[User]:
    """Do something to somebody's account, in the audit log with how the account was and is."""
    user = find(email)

    def look() -> Mapping[str, Any]:
        # Locked, so that what is written down as changed was changed by this act.
        now = service.lock(user.id)
        return {
            "standing": now.standing,
            "withdrawalsFrozenAt": now.withdrawals_frozen_at,
            "identityApprovedAt": now.identity_approved_at,
            "identityLevel": now.identity_level,
            "identity": checks.standing(user.id).status,
            "twoFactor": two_factor.is_enabled(user.id),
            "passkeys": passkeys.count(user.id),
            "factorResetAt": factor_resets.due_at(user.id),
        }

    with act(action, f"user {user.id}", reason, look=look):
        yield user


def find(email: str) -> User:
    """Return the user of an address, or end the command."""
    user = service.find_by_email(email)
    if user is None:
        raise click.ClickException("Nobody has this address.")
    return user
