"""POST /client/transfer, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.transfers.service import COMPLETED
from protonpay.web.fields import Moment, Text, UsdcField, WireSchema
from protonpay.web.paging import HistoryQuery, Paged


class RecipientOrder(WireSchema):
    """To whom."""

    to_identifier = Text(
        longest=254, required=True, metadata={"description": "E-mail address or public id."}
    )


class RecipientView(WireSchema):
    """What is told of a recipient before they are paid."""

    to_identifier = fields.String(metadata={"description": "As you named them."})
    name = fields.String(
        allow_none=True,
        metadata={
            "description": "The first letters of the first two words of their name. Null of an "
            "e-mail address, whether it has an account or not.",
            "example": "A… P…",
        },
    )


class RecipientAnswer(WireSchema):
    """The answer of ``POST /client/transfer/payee``."""

    payee = fields.Nested(RecipientView)


class TransferOrder(RecipientOrder):
    """To whom, and how much."""

    amount = UsdcField(required=True)
    note = Text(longest=500, load_default=None, allow_none=True)


class TransferView(WireSchema):
    """A transfer, as one of its two sides sees it."""

    id = fields.String()
    direction = fields.String(metadata={"enum": ["OUT", "IN"]})
    amount = UsdcField()
    fee = fields.Function(
        # The document's words: no fee is "0".
        lambda transfer: str(transfer.fee) if transfer.fee else "0",
        metadata={"type": "string", "example": "0"},
    )
    from_user = fields.String(metadata={"description": "The sender's public id."})
    to_user = fields.String(
        metadata={
            "description": "As the sender named the recipient; to the recipient, their public id."
        }
    )
    status = fields.Constant(COMPLETED, metadata={"type": "string", "enum": [COMPLETED]})
    note = fields.String(allow_none=True)
    created_at = Moment()


class OneTransfer(WireSchema):
    """One transfer."""

    transfer = fields.Nested(TransferView)


class TransferAnswer(OneTransfer):
    """The answer of ``POST /client/transfer``."""

    new_balance = UsdcField()


class TransfersQuery(HistoryQuery):
    """Which transfers."""

    status = Text(longest=32, load_default=None, validate=[validate.OneOf([COMPLETED])])


class TransfersPage(Paged):
    """A page of transfers."""

    transfers = fields.List(fields.Nested(TransferView))
