"""How an operator's act is written down: in its transaction, with their role and where from."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from protonpay.audit import service as audit
from protonpay.kernel.errors import Forbidden
from protonpay.operators.service import Caller
from protonpay.users.service import User, email_key


def recorded(
    by: Caller,
    action: str,
    subject: str,
    reason: str,
    look: Callable[[], Mapping[str, Any]] | None = None,
) -> AbstractContextManager[None]:
    """Do something and write it down, both or neither (``audit.recorded``)."""
    return audit.recorded(named(by), action, subject, reason, look)


def attempted(by: Caller, action: str, subject: str, reason: str) -> AbstractContextManager[None]:
    """Write down the beginning and the end of what has several commits (``audit.attempted``)."""
    return audit.attempted(named(by), action, subject, reason)


def looked(by: Caller, action: str, subject: str, reason: str, seen: Mapping[str, Any]) -> None:
    """Write down that somebody sees what nobody sees unnoticed (``audit.looked``)."""
    audit.looked(named(by), action, subject, reason, seen)


def check_not_own(by: Caller, user: User) -> None:
    """Refuse that somebody moves the money of an account of their own.

    Raises:
        Forbidden: the account has their address (``own_account``).
    """
    if user.email_key == email_key(by.email):
        raise Forbidden("own_account", "Nobody decides about an account of their own.")


def named(by: Caller) -> audit.Operator:
    """Name who acts as the audit log has it: the person, whatever role they have at the moment."""
    return audit.Operator(by.email, f"{by.origin} as {by.role}")
