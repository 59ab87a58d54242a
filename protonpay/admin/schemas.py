"""/api/admin, as the operators' document spells it."""

import base64
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate
from typing_extensions import override

from protonpay.adjustments.states import ADJUSTMENT
from protonpay.kyc.formats import MEDIA_TYPES
from protonpay.kyc.states import CASE, DOCUMENT_KINDS, REASONS
from protonpay.operators.permissions import Role
from protonpay.users.states import LEVELS
from protonpay.web.fields import Email, Moment, Text, UsdcField, WholeNumber, WireSchema

_ID = {"example": "cmg7xk2p91q0v8r3t5w6y4zab"}
_level = validate.Range(min=LEVELS[0], max=LEVELS[-1])
_ROLES = {"enum": [str(role) for role in Role], "example": "support"}


class Reason(WireSchema):
    """Why: in every call that changes something, and kept for ever."""

    reason = Text(longest=500, required=True, metadata={"example": "Asked for by telephone."})


class Credentials(WireSchema):
    """What an operator signs in with."""

    email = Email(required=True, metadata={"example": "olga@example.com"})
    password = Text(longest=128, required=True, metadata={"example": "correct horse battery"})
    code = Text(longest=6, metadata={"example": "492039"})


class OperatorView(WireSchema):
    """An operator."""

    id = fields.String(metadata=_ID)
    name = fields.String(metadata={"example": "Olga"})
    email = fields.String(metadata={"example": "olga@example.com"})
    role = fields.String(metadata=_ROLES)


class SignedIn(WireSchema):
    """A session that was opened."""

    token = fields.String(metadata={"description": "Send it as `Authorization: Bearer`."})
    ends_at = Moment(metadata={"description": "At the latest: earlier if it is not used."})
    operator = fields.Nested(OperatorView)


class OperatorAnswer(WireSchema):
    """Who asks."""

    operator = fields.Nested(OperatorView)


class Search(WireSchema):
    """The query of ``GET /admin/users``."""

    search = Text(longest=254, required=True)


class UserView(WireSchema):
    """A client's account in a list."""

    id = fields.String(metadata=_ID)
    public_id = fields.String(metadata={"example": "PP-7K3M9QWD"})
    name = fields.String(metadata={"example": "John Doe"})
    email = fields.String(metadata={"example": "john@example.com"})
    standing = fields.String(metadata={"enum": ["ACTIVE", "SUSPENDED"]})
    plan = fields.String(metadata={"example": "default"})
    withdrawals_frozen_at = Moment(allow_none=True)
    identity_approved_at = Moment(allow_none=True)
    identity_level = fields.Integer(metadata={"minimum": 0, "example": 0})
    created_at = Moment()


class PersonView(WireSchema):
    """A client's account with what it holds."""

    user = fields.Nested(UserView)
    available = UsdcField()
    held = UsdcField()
    identity = fields.String(metadata={"example": "NONE"})


class Users(WireSchema):
    """The answer of ``GET /admin/users``."""

    users = fields.List(fields.Nested(UserView))


class PersonAnswer(WireSchema):
    """One account."""

    account = fields.Nested(PersonView)


class PlanOrder(Reason):
    """Another plan for an account."""

    plan = Text(longest=32, required=True, metadata={"example": "default"})


class HoldView(WireSchema):
    """Something on hold because an address is listed."""

    id = fields.String(metadata=_ID)
    kind = fields.String(metadata={"enum": ["deposit", "payment", "payout"]})
    user_id = fields.String(metadata=_ID)
    network = fields.String(metadata={"example": "Base"})
    amount = UsdcField()
    address = fields.String(metadata={"example": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"})
    why = fields.String(metadata={"example": "listed"})
    since = Moment()
    returned_by = fields.String(allow_none=True, metadata=_ID)


class Holds(WireSchema):
    """The answer of ``GET /admin/holds``."""

    holds = fields.List(fields.Nested(HoldView))


class HoldAnswer(WireSchema):
    """What was decided about, as it was on hold."""

    hold = fields.Nested(HoldView)


class LargePayout(WireSchema):
    """A payout as an operator sees it."""

    id = fields.String(metadata=_ID)
    user_id = fields.String(metadata=_ID)
    network = fields.String(metadata={"example": "Base"})
    amount = UsdcField(attribute="amount_micro")
    fee = UsdcField(attribute="fee_micro")
    wallet_address = fields.String()
    state = fields.String(metadata={"example": "ON_HOLD"})
    approval = fields.String(allow_none=True, metadata={"enum": ["WAITING", "GIVEN", None]})
    hold_reason = fields.String(
        allow_none=True, metadata={"description": "What the list says, if its payee is listed."}
    )
    created_at = Moment()


class LargePayouts(WireSchema):
    """The answer of ``GET /admin/payouts``."""

    payouts = fields.List(fields.Nested(LargePayout))


class LargePayoutAnswer(WireSchema):
    """A payout that was decided."""

    payout = fields.Nested(LargePayout)


class IdentityPerson(WireSchema):
    """Who somebody says they are."""

    full_name = fields.String(metadata={"example": "John Doe"})
    date_of_birth = fields.String(metadata={"format": "date", "example": "1990-01-31"})
    country = fields.String(metadata={"example": "AE"})
    document_kind = fields.String(metadata={"example": "PASSPORT"})
    document_number = fields.String(metadata={"example": "K1234567"})


class WaitingIdentity(WireSchema):
    """An identity check that waits."""

    user_id = fields.String(metadata=_ID)
    email = fields.String(metadata={"example": "john@example.com"})
    submitted_at = Moment()
    person = fields.Nested(IdentityPerson)


class Identities(WireSchema):
    """The answer of ``GET /admin/kyc``."""

    waiting = fields.List(fields.Nested(WaitingIdentity))


class IdentityDocument(WireSchema):
    """A document of an identity check."""

    id = fields.String(metadata=_ID)
    kind = fields.String(metadata={"enum": DOCUMENT_KINDS})
    media_type = fields.String(metadata={"enum": MEDIA_TYPES})
    size_bytes = fields.Integer(metadata={"minimum": 1, "example": 67})
    uploaded_at = Moment()
    submitted_at = Moment(allow_none=True)
    dropped_at = Moment(allow_none=True, metadata={"description": "Its content is gone since."})


class IdentityView(WireSchema):
    """An identity check."""

    user_id = fields.String(metadata=_ID)
    email = fields.String(metadata={"example": "john@example.com"})
    status = fields.String(attribute="standing.status", metadata={"enum": CASE.states})
    reason = fields.String(
        attribute="standing.reason", allow_none=True, metadata={"enum": [*REASONS, None]}
    )
    submitted_at = Moment(attribute="standing.submitted_at", allow_none=True)
    decided_at = Moment(attribute="standing.decided_at", allow_none=True)
    person = fields.Nested(IdentityPerson)
    documents = fields.List(fields.Nested(IdentityDocument))


class IdentityAnswer(WireSchema):
    """One identity check."""

    identity = fields.Nested(IdentityView)


class Base64(fields.Field[bytes]):
    """Bytes, told in base64."""

    told: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "contentEncoding": "base64",
        "example": "iVBORw0KGgo=",
    }

    @override
    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else base64.b64encode(value).decode()


class OpenedDocument(WireSchema):
    """A document that somebody looks at."""

    document = fields.Nested(IdentityDocument)
    content = Base64()


class Approval(Reason):
    """At which level an identity is approved."""

    level = WholeNumber(load_default=LEVELS[0], validate=_level, metadata={"example": 1})


class LevelOrder(Reason):
    """Another level of an approved identity."""

    level = WholeNumber(required=True, validate=_level, metadata={"example": 2})


class Rejection(Reason):
    """Why an identity is not approved."""

    code = Text(
        longest=32,
        required=True,
        validate=[validate.OneOf(REASONS)],
        metadata={"example": REASONS[0], "description": "What the client is told."},
    )


class AdjustmentOrder(Reason):
    """A correction of a balance, for another person to decide."""

    reference = Text(
        longest=64,
        required=True,
        metadata={"description": "Your name for it.", "example": "ticket-4711"},
    )
    source = Text(
        longest=64,
        required=True,
        metadata={"description": "The account it is taken from.", "example": "equity:capital"},
    )
    destination = Text(
        longest=64,
        required=True,
        metadata={
            "description": "The account it is given to.",
            "example": "user:cmg7xk2p91q0v8r3t5w6y4zab:available",
        },
    )
    amount = UsdcField(required=True)


class AdjustmentView(WireSchema):
    """An adjustment."""

    id = fields.String(metadata=_ID)
    reference = fields.String(allow_none=True, metadata={"example": "ticket-4711"})
    source = fields.String(metadata={"example": "equity:capital"})
    destination = fields.String(metadata={"example": "user:cmg7xk2p91q0v8r3t5w6y4zab:available"})
    amount = UsdcField(attribute="amount_micro")
    reason = fields.String(metadata={"example": "Asked for by telephone."})
    state = fields.String(metadata={"enum": list(ADJUSTMENT.states)})
    proposed_by = fields.String(metadata={"example": "olga@example.com"})
    proposed_at = Moment()
    decided_by = fields.String(allow_none=True, metadata={"example": "boris@example.com"})
    decided_at = Moment(allow_none=True)
    decision = fields.String(allow_none=True, metadata={"description": "Why it was decided so."})


class AdjustmentAnswer(WireSchema):
    """One adjustment."""

    adjustment = fields.Nested(AdjustmentView)


class Adjustments(WireSchema):
    """The answer of ``GET /admin/adjustments``."""

    adjustments = fields.List(fields.Nested(AdjustmentView))


class SwitchOrder(Reason):
    """Which switch to move."""

    name = Text(
        longest=32,
        required=True,
        metadata={
            "description": "A network, a card provider, `sign-ups`, `writes`, or `payouts`: all "
            "networks together.",
            "example": "Base",
        },
    )


class SwitchView(WireSchema):
    """A switch."""

    name = fields.String(metadata={"example": "Base"})
    paused = fields.Boolean()
    reason = fields.String(allow_none=True)
    changed_by = fields.String(allow_none=True)


class Switches(WireSchema):
    """Switches as they are now."""

    switches = fields.List(fields.Nested(SwitchView))


class CaseView(WireSchema):
    """A mismatch of book and world."""

    id = fields.Integer()
    rail = fields.String(metadata={"example": "Base"})
    kind = fields.String(metadata={"example": "missing_on_chain"})
    subject = fields.String()
    evidence = fields.Dict(metadata={"description": "Both sides, in micro-USDC."})
    state = fields.String(metadata={"example": "OPEN"})
    seen_at = Moment()
    opened_at = Moment(allow_none=True)
    closed_at = Moment(allow_none=True)
    closed_by = fields.String(
        allow_none=True, metadata={"description": "The operator who closed it by hand."}
    )


class CaseAnswer(WireSchema):
    """A mismatch, after something was decided about it."""

    case = fields.Nested(CaseView)


class Cases(WireSchema):
    """The answer of ``GET /admin/cases``."""

    cases = fields.List(fields.Nested(CaseView))


class LogQuery(WireSchema):
    """The query of ``GET /admin/audit``."""

    subject = Text(longest=100, load_default=None)


class Entry(WireSchema):
    """One act."""

    number = fields.Integer()
    at = Moment()
    actor = fields.String(metadata={"example": "olga@example.com"})
    origin = fields.String(
        metadata={"example": "203.0.113.5 req_cmg7xk2p91q0v8r3t5w6y4zab as compliance"}
    )
    action = fields.String(metadata={"example": "users.freeze"})
    subject = fields.String(metadata={"example": "user cmg7xk2p91q0v8r3t5w6y4zab"})
    reason = fields.String(metadata={"example": "Asked for by telephone."})
    before = fields.Dict()
    after = fields.Dict()


class Log(WireSchema):
    """The answer of ``GET /admin/audit``."""

    entries = fields.List(fields.Nested(Entry))
