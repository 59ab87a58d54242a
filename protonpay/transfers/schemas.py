"""POST /client/transfer, as the API document spells it."""

from typing import Any

from marshmallow import fields

from protonpay.transfers.service import Sent
from protonpay.web.fields import Moment, Text, UsdcField, WireSchema


class TransferOrder(WireSchema):
    """To whom, and how much."""

    to_identifier = Text(
        longest=254, required=True, metadata={"description": "E-mail address or public id."}
    )
    amount = UsdcField(required=True)
    note = Text(longest=500, load_default=None, allow_none=True)


class TransferView(WireSchema):
    """A transfer, as its sender sees it."""

    id = fields.String()
    amount = UsdcField()
    fee = fields.String(metadata={"example": "0"})
    to_user = fields.String()
    status = fields.String(metadata={"enum": ["COMPLETED"]})
    note = fields.String(allow_none=True)
    created_at = Moment()


class TransferAnswer(WireSchema):
    """The answer of ``POST /client/transfer``."""

    transfer = fields.Nested(TransferView)
    new_balance = UsdcField()


def as_answer(sent: Sent) -> dict[str, Any]:
    """Say a transfer in the document's words: no fee is ``"0"``."""
    fee = str(sent.fee) if sent.fee else "0"
    transfer = {
        "id": sent.id,
        "amount": sent.amount,
        "fee": fee,
        "to_user": sent.to_user,
        "status": sent.status,
        "note": sent.note,
        "created_at": sent.created_at,
    }
    return {"transfer": transfer, "new_balance": sent.new_balance}
