"""/client/addresses."""

from marshmallow import fields

from protonpay.web.fields import Moment, NetworkName, Text, WireSchema, YesNo
from protonpay.web.paging import Paged


class EntryOrder(WireSchema):
    """A wallet for the book."""

    network = NetworkName(required=True)
    address = Text(longest=128, required=True)
    label = Text(longest=100, required=True)


class EntryView(WireSchema):
    """An entry of the book."""

    id = fields.String()
    network = fields.String()
    address = fields.String(metadata={"description": "In its canonical form."})
    label = fields.String()
    created_at = Moment()
    usable_at = Moment(
        metadata={"description": "When it may first be paid, while the book is the only way out."}
    )


class EntryAnswer(WireSchema):
    """One entry."""

    address = fields.Nested(EntryView)


class EntriesPage(Paged):
    """A page of the book."""

    addresses = fields.List(fields.Nested(EntryView))


class PolicyChange(WireSchema):
    """What shall hold."""

    only_listed = YesNo(required=True)


class PolicyView(WireSchema):
    """Whether the book is the only way out."""

    only_listed = fields.Boolean()
    ends_at = Moment(
        allow_none=True,
        metadata={"description": "When it ceases to be that: 24 hours after it was asked for."},
    )


class PolicyAnswer(WireSchema):
    """The policy as it stands."""

    policy = fields.Nested(PolicyView)
