"""What operators do and see: each act by a role that may, with a reason, in the audit log."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from protonpay.adjustments import service as adjustments
from protonpay.adjustments.service import Adjustment
from protonpay.admin import acts
from protonpay.audit import service as audit
from protonpay.audit.service import AuditEntry
from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS
from protonpay.holds import service as holds
from protonpay.holds.service import Hold
from protonpay.kernel.errors import NotFound
from protonpay.kernel.money import Usdc
from protonpay.kyc import service as kyc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.operators.service import Caller
from protonpay.payouts import held as payouts
from protonpay.payouts.held import Payout
from protonpay.plans import service as plans
from protonpay.rails import service as rails
from protonpay.reconciliation import service as reconciliation
from protonpay.users import service as users
from protonpay.users.service import User

_CASE_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
PAYOUTS = "payouts"
"""The switches of all networks together."""


@dataclass(frozen=True, slots=True)
class Person:
    """A client's account, as an operator sees it."""

    user: User
    available: Usdc
    held: Usdc
    identity: str

    @property
    def id(self) -> str:
        """Of the account."""
        return self.user.id


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether something is open, and who closed it why."""

    name: str
    paused: bool
    reason: str | None
    changed_by: str | None


def search(text: str) -> Sequence[User]:
    """Return the accounts of an id, a public id or the beginning of an address."""
    return users.search(text)


def person(user_id: str) -> Person:
    """Return an account with its balances.

    Raises:
        NotFound: there is none.
    """
    user = users.get(user_id)
    available, held = (ledger.balance(of(user_id)) for of in (chart.available, chart.held))
    return Person(user, available, held, kyc.standing(user_id).status)


def freeze(by: Caller, user_id: str, reason: str) -> Person:
    """Let nothing leave an account.

    Raises:
        Forbidden: the role may not.
        NotFound: there is no such user.
    """
    by.check("users.freeze")
    return _on_user(by, "users.freeze", user_id, reason, users.freeze)


def thaw(by: Caller, user_id: str, reason: str) -> Person:
    """Let money leave an account again.

    Raises:
        Forbidden: the role may not, or the account is their own.
        NotFound: there is no such user.
    """
    by.check("users.thaw")
    acts.check_not_own(by, users.get(user_id))
    return _on_user(by, "users.thaw", user_id, reason, users.thaw)


def assign_plan(by: Caller, user_id: str, plan: str, reason: str) -> Person:
    """Put somebody on a plan.

    Raises:
        Forbidden: the role may not, or the account is their own.
        NotFound: there is no such user or plan.
    """
    by.check("users.plan")
    acts.check_not_own(by, users.get(user_id))
    return _on_user(by, "plans.assign", user_id, reason, lambda each: plans.assign(each, plan))


def approve_identity(by: Caller, user_id: str, reason: str, level: int) -> Person:
    """Approve a waiting identity check at a level.

    Raises:
        Invalid: there is no such level.
        Forbidden: the role may not, or the account is their own.
        NotFound: the user never submitted one.
        Conflict: it does not wait.
    """
    by.check("kyc.decide")
    acts.check_not_own(by, users.get(user_id))
    approve = partial(kyc.approve, level=level)
    return _on_user(by, "users.kyc.approve", user_id, reason, approve)


def set_level(by: Caller, user_id: str, reason: str, level: int) -> Person:
    """Give somebody whose identity is approved another level.

    Raises:
        Forbidden, NotFound, Conflict, Invalid: as ``approve_identity``.
    """
    by.check("kyc.level")
    acts.check_not_own(by, users.get(user_id))
    return _on_user(by, "users.kyc.level", user_id, reason, partial(kyc.set_level, level=level))


def reject_identity(by: Caller, user_id: str, code: str, reason: str) -> Person:
    """Reject a waiting identity check for one of the codes that clients are told.

    Raises:
        Forbidden, NotFound, Conflict: as ``approve_identity``.
    """
    by.check("kyc.decide")
    acts.check_not_own(by, users.get(user_id))
    return _on_user(by, "users.kyc.reject", user_id, reason, lambda each: kyc.reject(each, code))


def release_hold(by: Caller, hold_id: str, reason: str) -> Hold:
    """Credit what is on hold after all, or let a payout go on.

    Raises:
        Forbidden: the role may not, or the account is their own.
        NotFound, Conflict: as ``holds.release``.
    """
    _check_hold(by, hold_id)
    with acts.attempted(by, "holds.release", f"hold {hold_id}", reason):
        return holds.release(hold_id, reason)


def refund_hold(by: Caller, hold_id: str, reason: str) -> Hold:
    """Send what is on hold back to where it came from.

    Raises:
        Forbidden: the role may not, or the account is their own.
        NotFound, Conflict, Invalid: as ``holds.refund``.
    """
    _check_hold(by, hold_id)
    with acts.attempted(by, "holds.refund", f"hold {hold_id}", reason):
        return holds.refund(hold_id, reason)


def large_payouts() -> Sequence[Payout]:
    """Return the payouts that wait for a second person, the oldest first."""
    return payouts.large()


def approve_payout(by: Caller, payout_id: str, reason: str) -> Payout:
    """Let a large payout go on.

    Raises:
        Forbidden: the role may not, or the account is their own.
        NotFound: there is no such payout.
        Conflict: it does not wait for that (any more).
    """
    return _decide_payout(by, "payouts.approve", payout_id, reason)


def refuse_payout(by: Caller, payout_id: str, reason: str) -> Payout:
    """End a large payout; its money is back on its owner's balance.

    Raises:
        Forbidden, NotFound, Conflict: as ``approve_payout``.
    """
    return _decide_payout(by, "payouts.refuse", payout_id, reason)


def adjustments_waiting() -> Sequence[Adjustment]:
    """Return the adjustments that wait for a second person, the oldest first."""
    return adjustments.waiting()


def propose_adjustment(
    by: Caller, *, reference: str, ends: tuple[str, str], amount: Usdc, reason: str
) -> Adjustment:
    """Propose a correction of the book for another person to decide; nothing moves yet.

    Args:
        by: who proposes it.
        reference: their name for it; the same facts under it once more are the same proposal.
        ends: the account it is taken from, and the one it is given to.
        amount: above zero.
        reason: why.

    Raises:
        Forbidden: the role may not, or an account is their own.
        Conflict: the reference names another one (``reference_taken``).
        Invalid: as ``adjustments.propose``.
    """
    by.check("adjustments.create")
    _check_ends(by, ends)
    source, destination = ends
    return adjustments.propose(
        acts.named(by),
        source=source,
        destination=destination,
        amount=amount,
        reason=reason,
        reference=reference,
    )


def approve_adjustment(by: Caller, adjustment_id: str, reason: str) -> Adjustment:
    """Post an adjustment that somebody else proposed.

    Raises:
        Forbidden: the role may not, an account is their own (``own_account``), or they
            proposed it themselves, in whatever role (``second_person``).
        NotFound, Conflict, Invalid: as ``adjustments.approve``.
    """
    by.check("adjustments.decide")
    proposal = adjustments.get(adjustment_id)
    _check_ends(by, (proposal.source, proposal.destination))
    return adjustments.approve(acts.named(by), adjustment_id, reason=reason)


def refuse_adjustment(by: Caller, adjustment_id: str, reason: str) -> Adjustment:
    """End an adjustment without an entry.

    Raises:
        Forbidden: the role may not, or an account is their own.
        NotFound, Conflict, Invalid: as ``adjustments.refuse``.
    """
    by.check("adjustments.decide")
    proposal = adjustments.get(adjustment_id)
    _check_ends(by, (proposal.source, proposal.destination))
    return adjustments.refuse(acts.named(by), adjustment_id, reason=reason)


def switches() -> Sequence[Switch]:
    """Return every switch there is, those that nobody has moved too."""
    moved = {switch.rail: switch for switch in rails.switches()}
    return [
        Switch(name, one.paused, one.reason, one.changed_by)
        if (one := moved.get(name))
        else Switch(name, paused=False, reason=None, changed_by=None)
        for name in _names()
    ]


def pause(by: Caller, name: str, reason: str) -> Sequence[Switch]:
    """Close one switch, or with ``payouts`` those of all networks.

    Raises:
        Forbidden: the role may not.
        NotFound: there is no such switch.
    """
    by.check("switches.pause")
    return _move(by, "rails.pause", name, reason)


def resume(by: Caller, name: str, reason: str) -> Sequence[Switch]:
    """Open a switch again.

    Raises:
        Forbidden: the role may not.
        NotFound: there is no such switch.
    """
    by.check("switches.resume")
    return _move(by, "rails.resume", name, reason)


def on_hold() -> Sequence[Hold]:
    """Return what is on hold because an address is listed."""
    return holds.listed()


def waiting_identities() -> Sequence[kyc.Waiting]:
    """Return the identity checks that wait, the oldest first, opened for an operator's eyes."""
    return kyc.waiting()


def cases() -> Sequence[reconciliation.ReconciliationCase]:
    """Return the mismatches of book and world that stand."""
    return reconciliation.open_cases()


def close_case(by: Caller, case_id: str, reason: str) -> reconciliation.ReconciliationCase:
    """Close a mismatch by hand; found again, it is open again.

    Raises:
        Forbidden: the role may not.
        NotFound: there is no such case.
        Conflict: it is not open (``case_not_open``), or a pass alone may close its kind
            (``case_not_by_hand``).
    """
    by.check("cases.close")
    if not _CASE_NUMBER.fullmatch(case_id):
        raise NotFound("not_found", "There is no such case.")
    number = int(case_id)
    look = partial(reconciliation.look_at, number)
    with acts.recorded(by, "cases.close", f"case {number}", reason, look):
        return reconciliation.close(number, by=by.email, reason=reason)


def log(subject: str | None) -> Sequence[AuditEntry]:
    """Return what operators did, newest first; with a subject, to it."""
    return audit.entries(subject=subject)


def _on_user(
    by: Caller, action: str, user_id: str, reason: str, work: Callable[[str], object]
) -> Person:
    def look() -> Mapping[str, Any]:
        # Locked, so that what is written down as changed was changed by this act.
        now = users.lock(user_id)
        return {
            "standing": now.standing,
            "plan": now.plan,
            "withdrawalsFrozenAt": now.withdrawals_frozen_at,
            "identityApprovedAt": now.identity_approved_at,
            "identityLevel": now.identity_level,
            "identity": kyc.standing(user_id).status,
        }

    with acts.recorded(by, action, f"user {user_id}", reason, look):
        work(user_id)
    return person(user_id)


def _move(by: Caller, action: str, name: str, reason: str) -> Sequence[Switch]:
    names = list(NETWORKS) if name == PAYOUTS else [name]
    if not set(names) <= set(_names()):
        raise NotFound("not_found", "There is no such switch.")
    move = rails.pause if action == "rails.pause" else rails.resume
    for each in names:
        with acts.recorded(by, action, f"rail {each}", reason, _looking_at(each)):
            move(each, reason=reason, by=by.email)
    return [switch for switch in switches() if switch.name in names]


def _decide_payout(by: Caller, action: str, payout_id: str, reason: str) -> Payout:
    by.check("payouts.decide")
    decide = payouts.approve if action == "payouts.approve" else payouts.refuse
    payout = payouts.get(payout_id)
    acts.check_not_own(by, users.get(payout.user_id))

    def look() -> Mapping[str, Any]:
        now = payouts.get(payout_id)
        return {"state": now.state, "approval": now.approval, "amount": str(now.amount_micro)}

    with acts.recorded(by, action, f"payout {payout_id}", reason, look):
        return decide(payout_id)


def _check_hold(by: Caller, hold_id: str) -> None:
    by.check("holds.decide")
    acts.check_not_own(by, users.get(holds.get(hold_id).user_id))


def _check_ends(by: Caller, ends: tuple[str, str]) -> None:
    for address in ends:
        kind, _, rest = address.partition(":")
        if kind == "user":
            acts.check_not_own(by, users.get(rest.partition(":")[0]))


def _looking_at(name: str) -> Callable[[], Mapping[str, Any]]:
    return lambda: {"paused": rails.paused(name)}


def _names() -> list[str]:
    return [*NETWORKS, *PROVIDERS, rails.SIGN_UPS, rails.WRITES]
