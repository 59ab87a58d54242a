"""A proof of inclusion, as the API document spells it; ``examples/verify_proof.py`` reads it."""

from typing import Any

from marshmallow import fields
from typing_extensions import override

from protonpay.web.fields import JsonSchema, Moment, UsdcField, WireSchema

_HASH: JsonSchema = {"type": "string", "pattern": "^[0-9a-f]{64}$", "example": "9f" * 32}


class HexField(fields.Field[bytes]):
    """Thirty-two bytes as lower-case hexadecimal digits."""

    told = _HASH

    @override
    def _serialize(self, value: bytes | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.hex()


def _hash(about: str) -> HexField:
    return HexField(metadata={"description": about})


def _whole(about: str, example: int) -> fields.Integer:
    return fields.Integer(metadata={"description": about, "example": example, "minimum": 0})


class NetworkReserves(WireSchema):
    """What our addresses on one network held."""

    network = fields.String(metadata={"example": "Base"})
    addresses = _whole("How many addresses were read.", 12)
    addresses_unknown = _whole("Of how many of them the balance is not known.", 0)
    first_block = fields.Integer(
        allow_none=True,
        metadata={
            "description": "Lowest final block (Solana: slot) that one was read at.",
            "example": 41820455,
        },
    )
    last_block = fields.Integer(
        allow_none=True,
        metadata={
            "description": "The highest; the same on Base and Polygon.",
            "example": 41820455,
        },
    )
    amount = UsdcField(metadata={"description": "Together, of those that are known."})


class ProvenHead(WireSchema):
    """What was published of one moment of the book."""

    number = fields.Integer(metadata={"minimum": 1, "example": 7})
    day = fields.String(
        metadata={
            "format": "date",
            "description": "The last day, in UTC, that had ended then.",
            "example": "2026-03-13",
        }
    )
    taken_at = Moment()
    position = _whole("How many entries of the book the head holds.", 1812)
    chain_hash = _hash("The chain of entries at that position.")
    root = _hash("Root of the tree of balances.")
    leaves = _whole("How many accounts the tree holds.", 31)
    total_liabilities = UsdcField(
        attribute="total",
        metadata={"description": "What all accounts have, available and held together."},
    )
    total_debts = UsdcField(
        attribute="debts",
        metadata={"description": "What accounts owe; taken off no liability.", "example": "0.00"},
    )
    reserves = fields.List(fields.Nested(NetworkReserves))
    reserves_hash = _hash("The list of all addresses with what each held.")
    previous_hash = _hash("The head before; zeros before the first.")
    hash = _hash("All of the above.")


class PathStep(WireSchema):
    """One step from the leaf to the root: the node beside."""

    side = fields.String(
        metadata={
            "description": "Where the node beside stands.",
            "enum": ["LEFT", "RIGHT"],
            "example": "LEFT",
        }
    )
    hash = _hash("Its hash.")
    sum = UsdcField(metadata={"description": "What is below it."})


class InclusionProof(WireSchema):
    """That your balance is in the head."""

    user_id = fields.String(metadata={"example": "cmwu45p0w5q9rh8olg7n0qfwy"})
    balance = UsdcField(metadata={"description": "Available and held together, as of the head."})
    salt = _hash("Of your leaf in this head; whoever knows it can recognise your leaf.")
    path = fields.List(fields.Nested(PathStep))
    head = fields.Nested(ProvenHead)


class ProofAnswer(WireSchema):
    """The answer of ``GET /client/ledger/proof``."""

    proof = fields.Nested(InclusionProof)
