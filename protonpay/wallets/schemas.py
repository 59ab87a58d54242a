"""How far a transfer is, in the answers of whatever follows one."""

from typing import Any

from marshmallow import fields
from typing_extensions import override

from protonpay.wallets import progress
from protonpay.web.fields import WireSchema


class ConfirmationsView(WireSchema):
    """How many blocks stand on a payment that is not credited yet, its own with them."""

    count = fields.Integer(metadata={"example": 5})
    required = fields.Integer(
        metadata={
            "example": 12,
            "description": "How many stand on the newest block that its network calls final enough "
            "for this amount. It moves with the network: when it is credited the network decides.",
        }
    )


class Confirmations(fields.Nested):
    """How far the transfer is that an object follows by its ``incoming_id``."""

    def __init__(self, *, waiting: str) -> None:
        """Tell it of objects that are in this state; of others it is null."""
        said = "Null if it is not on its way on chain, and while this is not known."
        super().__init__(ConfirmationsView, allow_none=True, metadata={"description": said})
        self._waiting = waiting

    @override
    def get_value(self, obj: Any, *_: Any, **__: Any) -> progress.Confirmations | None:
        waits = obj.state == self._waiting
        return progress.confirmations(obj.incoming_id) if waits else None
