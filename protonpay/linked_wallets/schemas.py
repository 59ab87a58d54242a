"""/client/wallets."""

from marshmallow import fields

from protonpay.web.fields import Moment, NetworkName, Text, WireSchema
from protonpay.web.paging import Paged

_LONGEST_ADDRESS = 128
_LONGEST_SIGNATURE = 200


class ChallengeOrder(WireSchema):
    """A wallet that shall be linked."""

    network = NetworkName(required=True)
    address = Text(longest=_LONGEST_ADDRESS, required=True)


class ChallengeView(WireSchema):
    """A message for the wallet to sign."""

    id = fields.String()
    network = fields.String()
    address = fields.String(metadata={"description": "In its canonical form."})
    message = fields.String(
        metadata={
            "description": "Sign exactly this text: `personal_sign` on EVM networks (the form of "
            "ERC-4361), `signMessage` on Solana.",
            "example": "pay.example.com wants you to sign in with your Solana account:\n...",
        }
    )
    expires_at = Moment()


class ChallengeAnswer(WireSchema):
    """The answer of ``POST /client/wallets/message``."""

    challenge = fields.Nested(ChallengeView)


class Proof(WireSchema):
    """A challenge, signed."""

    challenge_id = Text(
        longest=64, required=True, metadata={"example": "cmg7xk2p91q0v8r3t5w6y4zab"}
    )
    signature = Text(
        longest=_LONGEST_SIGNATURE,
        required=True,
        metadata={
            "description": "65 bytes as `0x` and hex; on Solana 64 bytes in base58.",
            "example": "0x5f1c...1b",
        },
    )


class WalletView(WireSchema):
    """A linked wallet."""

    id = fields.String()
    network = fields.String()
    address = fields.String()
    created_at = Moment()


class WalletAnswer(WireSchema):
    """One linked wallet."""

    wallet = fields.Nested(WalletView)


class WalletsPage(Paged):
    """A page of linked wallets."""

    wallets = fields.List(fields.Nested(WalletView))
