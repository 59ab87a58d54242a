"""/client/api-keys, as the API document spells it and beyond."""

from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError, fields, validate
from typing_extensions import override

from protonpay.api_keys import addresses
from protonpay.api_keys.rotation import DEFAULT_OVERLAP, LONGEST_OVERLAP
from protonpay.kernel.scopes import FULL, Scope
from protonpay.web import agents
from protonpay.web.fields import Moment, Secret, Text, WholeNumber, WireSchema
from protonpay.web.paging import Paged

_MOST_NETWORKS = 50
_SCOPES = [scope.value for scope in Scope]


_known_scope = validate.OneOf(_SCOPES)


class Permissions(fields.Field[Sequence[str]]):
    """``"full"``, or a list of scopes; inside it is always a list."""

    def __init__(self, **kwargs: Any) -> None:
        listed = {
            "type": "array",
            "items": {"type": "string", "enum": _SCOPES},
            "minItems": 1,
            "uniqueItems": True,
        }
        either = {"oneOf": [{"type": "string", "enum": [FULL]}, listed], "example": FULL}
        super().__init__(metadata=either, **kwargs)

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Sequence[str]:
        if value == FULL:
            return [FULL]
        if not isinstance(value, list) or not value:
            raise ValidationError('Must be "full" or a list of scopes.')
        for scope in value:
            _known_scope(scope)
        if len(set(value)) != len(value):
            raise ValidationError("A scope is named twice.")
        return value

    @override
    def _serialize(
        self, value: Sequence[str] | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> Any:
        return FULL if value == [FULL] else value


class Network(fields.Field[str]):
    """A network as CIDR, version 4 or 6; a single address stands for itself."""

    def __init__(self, **kwargs: Any) -> None:
        documented = {
            "type": "string",
            "maxLength": 49,
            "pattern": f"^{addresses.CIDR.pattern}$",
            "example": "203.0.113.0/24",
        }
        super().__init__(metadata=documented, **kwargs)

    @override
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Not a valid string.")
        try:
            return addresses.canonical(value)
        except ValueError as error:
            raise ValidationError("Not a network (203.0.113.0/24, 2001:db8::/32).") from error


def _all_differ(networks: Sequence[str]) -> None:
    if len(set(networks)) != len(networks):
        raise ValidationError("A network is named twice.")


class KeyOrder(WireSchema):
    """What a new key may do, and from where and until when."""

    name = Text(longest=100, required=True, metadata={"example": "Production Key"})
    permissions = Permissions(load_default=[FULL])
    expires_at = Moment(
        load_default=None, allow_none=True, metadata={"example": "2100-01-01T00:00:00Z"}
    )
    allowed_ips = fields.List(
        Network(),
        load_default=[],
        validate=[validate.Length(max=_MOST_NETWORKS), _all_differ],
        metadata={
            "description": "Networks it may be sent from; none: from anywhere.",
            "uniqueItems": True,
        },
    )


class KeyRotation(WireSchema):
    """How long the old secret still opens."""

    overlap_seconds = WholeNumber(
        load_default=int(DEFAULT_OVERLAP.total_seconds()),
        validate=validate.Range(min=0, max=int(LONGEST_OVERLAP.total_seconds())),
        metadata={"description": "0 for a secret that has leaked: it ends at once."},
    )


class RetiringView(WireSchema):
    """A secret of a key that was replaced and still opens, until it ends."""

    prefix = fields.String(metadata={"description": "The first characters of the old key."})
    retired_at = Moment()
    ends_at = Moment()
    last_used_at = Moment(allow_none=True)


class KeyView(WireSchema):
    """A key, without what would open a door."""

    id = fields.String()
    name = fields.String(metadata={"example": "Production Key"})
    prefix = fields.String(metadata={"description": "The first characters of the key."})
    permissions = Permissions()
    allowed_ips = fields.List(fields.String(metadata={"example": "203.0.113.0/24"}))
    created_at = Moment()
    expires_at = Moment(allow_none=True)
    last_used_at = Moment(allow_none=True)
    last_used_ip = fields.String(allow_none=True)
    last_used_method = fields.String(allow_none=True, metadata={"example": "POST"})
    last_used_route = fields.String(
        allow_none=True,
        metadata={
            "example": "/api/client/withdraw",
            "description": "The path, its parts by name.",
        },
    )
    last_used_agent = fields.String(
        allow_none=True,
        metadata={
            "example": "python-requests/2.32.3",
            "description": "With what, as it called itself.",
        },
    )
    last_used_program = fields.Function(
        lambda key: agents.agent(key.last_used_agent or "").program,
        metadata={
            "type": ["string", "null"],
            "description": "What that is, as people call it, if it is known.",
            "example": "python-requests",
        },
    )
    retiring = fields.List(
        fields.Nested(RetiringView),
        metadata={"description": "Its older secrets that still open, while it is rotated."},
    )


class NewKey(WireSchema):
    """A new key; ``rawKey`` is shown this once."""

    id = fields.String()
    name = fields.String(metadata={"example": "Production Key"})
    prefix = fields.String()
    raw_key = Secret(metadata={"example": "sk_live_abc123def456..."})
    permissions = Permissions()


class NewKeyAnswer(WireSchema):
    """The answer of ``POST /client/api-keys``."""

    key = fields.Nested(NewKey)


class KeyAnswer(WireSchema):
    """The answer of ``GET /client/api-keys/{id}``."""

    key = fields.Nested(KeyView)


class KeysPage(Paged):
    """The answer of ``GET /client/api-keys``."""

    keys = fields.List(fields.Nested(KeyView))
