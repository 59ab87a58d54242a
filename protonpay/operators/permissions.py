"""Who may do what: a closed table of actions and roles, read at every call of an operator.

What one role creates another approves: no role is on both sides of a pair in ``PAIRS``.
"""

from collections.abc import Mapping
from enum import StrEnum

from protonpay.kernel.errors import Forbidden


class Role(StrEnum):
    """What somebody is here for; each person has one."""

    SUPPORT = "support"
    OPERATOR = "operator"
    FINANCE = "finance"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


_EVERYBODY = frozenset(Role)


def _only(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


PERMISSIONS: Mapping[str, frozenset[Role]] = {
    "session.view": _EVERYBODY,
    "session.end": _EVERYBODY,
    "users.view": _EVERYBODY,
    "users.freeze": _only(Role.SUPPORT, Role.OPERATOR, Role.COMPLIANCE),
    "users.thaw": _only(Role.COMPLIANCE),
    "users.plan": _only(Role.OPERATOR),
    "holds.view": _only(Role.OPERATOR, Role.FINANCE, Role.COMPLIANCE),
    "holds.decide": _only(Role.COMPLIANCE),
    "kyc.view": _only(Role.COMPLIANCE),
    "kyc.documents": _only(Role.COMPLIANCE),
    "kyc.level": _only(Role.COMPLIANCE),
    "kyc.decide": _only(Role.COMPLIANCE),
    "payouts.view": _only(Role.OPERATOR, Role.FINANCE, Role.COMPLIANCE),
    "payouts.decide": _only(Role.FINANCE),
    "adjustments.view": _only(Role.OPERATOR, Role.FINANCE, Role.COMPLIANCE, Role.ADMIN),
    "adjustments.create": _only(Role.OPERATOR),
    "adjustments.decide": _only(Role.FINANCE),
    "switches.view": _EVERYBODY,
    "switches.pause": _only(Role.OPERATOR, Role.COMPLIANCE, Role.ADMIN),
    "switches.resume": _only(Role.ADMIN),
    "cases.view": _only(Role.OPERATOR, Role.FINANCE, Role.COMPLIANCE, Role.ADMIN),
    "cases.close": _only(Role.FINANCE),
    "audit.view": _only(Role.COMPLIANCE, Role.ADMIN),
}
"""By action; what does not stand here nobody may."""

PAIRS = (("adjustments.create", "adjustments.decide"),)
"""What is created, and what lets it happen."""


def check(role: str, action: str) -> None:
    """Refuse what a role may not do.

    Raises:
        Forbidden: it may not (``role_insufficient``).
    """
    if role not in PERMISSIONS.get(action, frozenset()):
        said = "Your role may not do this: {action}."
        raise Forbidden("role_insufficient", said, action=action)
