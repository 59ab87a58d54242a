"""/api/admin: what operators see and do. Each route names its action in the table of roles."""

from typing import Any, cast

from flask import request

from protonpay.admin import identity_cases, schemas, service
from protonpay.kyc.documents import Opened
from protonpay.operators import service as operators
from protonpay.operators.service import Caller
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.limits import buckets
from protonpay.web.operators import current

entrance = AreaBlueprint(
    "admin-entrance", __name__, door=Door.AUTH, prefix="/admin", about="Signing in"
)
blp = AreaBlueprint("admin", __name__, door=Door.OPERATOR, prefix="/admin", about="Operators")


@entrance.post("/login", refuses=[401])
@entrance.arguments(schemas.Credentials)
@entrance.response(200, schemas.SignedIn)
def login(given: dict[str, str]) -> dict[str, Any]:
    """Open a session of an operator."""
    address = request.remote_addr or ""
    with buckets.signing_in(operators.failures_of(given["email"], address)):
        entered = operators.sign_in(**given, address=address)
    return {
        "token": entered.token,
        "ends_at": entered.session.ends_at,
        "operator": entered.operator,
    }


@blp.post("/logout", may="session.end")
@blp.response(204, description="The session has ended.")
def logout() -> None:
    """End the session whose token is sent."""
    operators.sign_out(_caller().session_id)


@blp.get("/me", may="session.view")
@blp.response(200, schemas.OperatorAnswer)
def me() -> dict[str, Any]:
    """Get who you are here."""
    return {"operator": _caller()}


@blp.get("/users", may="users.view")
@blp.arguments(schemas.Search, location="query")
@blp.response(200, schemas.Users)
def search(query: dict[str, str]) -> dict[str, Any]:
    """Find accounts by id, public id or the beginning of an address."""
    return {"users": service.search(query["search"])}


@blp.get("/users/<id:user_id>", may="users.view")
@blp.response(200, schemas.PersonAnswer)
def view(user_id: str) -> dict[str, Any]:
    """Get an account with its balances."""
    return {"account": service.person(user_id)}


@blp.post("/users/<id:user_id>/freeze", may="users.freeze")
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.PersonAnswer)
def freeze(given: dict[str, str], user_id: str) -> dict[str, Any]:
    """Let nothing leave an account, until it is thawed."""
    return {"account": service.freeze(_caller(), user_id, **given)}


@blp.post("/users/<id:user_id>/thaw", may="users.thaw")
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.PersonAnswer)
def thaw(given: dict[str, str], user_id: str) -> dict[str, Any]:
    """Let money leave an account again."""
    return {"account": service.thaw(_caller(), user_id, **given)}


@blp.post("/users/<id:user_id>/plan", may="users.plan")
@blp.arguments(schemas.PlanOrder)
@blp.response(200, schemas.PersonAnswer)
def plan(given: dict[str, str], user_id: str) -> dict[str, Any]:
    """Put an account on another plan."""
    return {"account": service.assign_plan(_caller(), user_id, **given)}


@blp.get("/holds", may="holds.view")
@blp.response(200, schemas.Holds)
def holds() -> dict[str, Any]:
    """List what is on hold because an address is listed."""
    return {"holds": service.on_hold()}


@blp.post("/holds/<id:hold_id>/release", may="holds.decide", refuses=[409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.HoldAnswer)
def release(given: dict[str, str], hold_id: str) -> dict[str, Any]:
    """Credit what came in after all, or let a payout go on."""
    return {"hold": service.release_hold(_caller(), hold_id, **given)}


@blp.post("/holds/<id:hold_id>/refund", may="holds.decide", refuses=[409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.HoldAnswer)
def refund(given: dict[str, str], hold_id: str) -> dict[str, Any]:
    """Send what came in back to its sender, or give a payout's money back to its user."""
    return {"hold": service.refund_hold(_caller(), hold_id, **given)}


@blp.get("/payouts", may="payouts.view")
@blp.response(200, schemas.LargePayouts)
def large_payouts() -> dict[str, Any]:
    """List the payouts that are large and wait for a second person, the oldest first."""
    return {"payouts": service.large_payouts()}


@blp.post("/payouts/<id:payout_id>/approve", may="payouts.decide", refuses=[409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.LargePayoutAnswer)
def approve_payout(given: dict[str, str], payout_id: str) -> dict[str, Any]:
    """Let a large payout go on."""
    return {"payout": service.approve_payout(_caller(), payout_id, **given)}


@blp.post("/payouts/<id:payout_id>/refuse", may="payouts.decide", refuses=[409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.LargePayoutAnswer)
def refuse_payout(given: dict[str, str], payout_id: str) -> dict[str, Any]:
    """End a large payout; its money is back on its owner's balance."""
    return {"payout": service.refuse_payout(_caller(), payout_id, **given)}


@blp.get("/kyc", may="kyc.view")
@blp.response(200, schemas.Identities)
def identities() -> dict[str, Any]:
    """List the identity checks that wait, the oldest first."""
    return {"waiting": service.waiting_identities()}


@blp.get("/kyc/<id:user_id>", may="kyc.view")
@blp.response(200, schemas.IdentityAnswer)
def identity(user_id: str) -> dict[str, Any]:
    """Get an identity check with what was submitted; of documents, that they are there."""
    return {"identity": identity_cases.identity(user_id)}


@blp.post("/kyc/documents/<id:document_id>/look", may="kyc.documents", refuses=[409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.OpenedDocument)
def look(given: dict[str, str], document_id: str) -> Opened:
    """Look at a document; that you did stands in the audit log."""
    return identity_cases.look(_caller(), document_id, **given)


@blp.post("/kyc/<id:user_id>/approve", may="kyc.decide", refuses=[409])
@blp.arguments(schemas.Approval)
@blp.response(200, schemas.PersonAnswer)
def approve_identity(given: dict[str, Any], user_id: str) -> dict[str, Any]:
    """Approve somebody's identity."""
    return {"account": service.approve_identity(_caller(), user_id, **given)}


@blp.post("/kyc/<id:user_id>/level", may="kyc.level", refuses=[409])
@blp.arguments(schemas.LevelOrder)
@blp.response(200, schemas.PersonAnswer)
def set_level(given: dict[str, Any], user_id: str) -> dict[str, Any]:
    """Give somebody whose identity is approved another level: limits follow at once."""
    return {"account": service.set_level(_caller(), user_id, **given)}


@blp.post("/kyc/<id:user_id>/reject", may="kyc.decide", refuses=[409])
@blp.arguments(schemas.Rejection)
@blp.response(200, schemas.PersonAnswer)
def reject_identity(given: dict[str, str], user_id: str) -> dict[str, Any]:
    """Reject somebody's identity; they may submit another case."""
    return {"account": service.reject_identity(_caller(), user_id, **given)}


@blp.get("/adjustments", may="adjustments.view")
@blp.response(200, schemas.Adjustments)
def list_adjustments() -> dict[str, Any]:
    """List the adjustments that wait for a second person, the oldest first."""
    return {"adjustments": service.adjustments_waiting()}


@blp.post("/adjustments", may="adjustments.create", refuses=[404, 409])
@blp.arguments(schemas.AdjustmentOrder)
@blp.response(200, schemas.AdjustmentAnswer)
def propose(given: dict[str, Any]) -> dict[str, Any]:
    """Propose an adjustment; the same under its reference once more changes nothing."""
    ends = (given.pop("source"), given.pop("destination"))
    return {"adjustment": service.propose_adjustment(_caller(), ends=ends, **given)}


@blp.post("/adjustments/<id:adjustment_id>/approve", may="adjustments.decide", refuses=[409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.AdjustmentAnswer)
def approve(given: dict[str, str], adjustment_id: str) -> dict[str, Any]:
    """Post an adjustment that somebody else has proposed."""
    return {"adjustment": service.approve_adjustment(_caller(), adjustment_id, **given)}


@blp.post("/adjustments/<id:adjustment_id>/refuse", may="adjustments.decide", refuses=[409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.AdjustmentAnswer)
def refuse(given: dict[str, str], adjustment_id: str) -> dict[str, Any]:
    """End an adjustment; nothing moves."""
    return {"adjustment": service.refuse_adjustment(_caller(), adjustment_id, **given)}


@blp.get("/switches", may="switches.view")
@blp.response(200, schemas.Switches)
def switches() -> dict[str, Any]:
    """List every switch: networks, card providers, sign-ups, changes by clients."""
    return {"switches": service.switches()}


@blp.post("/switches/pause", may="switches.pause", refuses=[404])
@blp.arguments(schemas.SwitchOrder)
@blp.response(200, schemas.Switches)
def pause(given: dict[str, str]) -> dict[str, Any]:
    """Close a switch; in force when this answers."""
    return {"switches": service.pause(_caller(), **given)}


@blp.post("/switches/resume", may="switches.resume", refuses=[404])
@blp.arguments(schemas.SwitchOrder)
@blp.response(200, schemas.Switches)
def resume(given: dict[str, str]) -> dict[str, Any]:
    """Open a switch again; what waited goes on by itself."""
    return {"switches": service.resume(_caller(), **given)}


@blp.get("/cases", may="cases.view")
@blp.response(200, schemas.Cases)
def cases() -> dict[str, Any]:
    """List the mismatches of book and world that stand, the oldest first."""
    return {"cases": service.cases()}


@blp.post("/cases/<case_id>/close", may="cases.close", refuses=[404, 409])
@blp.arguments(schemas.Reason)
@blp.response(200, schemas.CaseAnswer)
def close_case(given: dict[str, str], case_id: str) -> dict[str, Any]:
    """Close a mismatch that was settled with a card provider; found again, it is open again."""
    return {"case": service.close_case(_caller(), case_id, **given)}


@blp.get("/audit", may="audit.view")
@blp.arguments(schemas.LogQuery, location="query")
@blp.response(200, schemas.Log)
def log(query: dict[str, Any]) -> dict[str, Any]:
    """List what operators did, newest first."""
    return {"entries": service.log(query["subject"])}


def _caller() -> Caller:
    return cast("Caller", current())
