"""The life of an identity check."""

from protonpay.identity.port import REASONS
from protonpay.kernel.states import StateMachine

__all__ = ["CASE", "DOCUMENT_KINDS", "REASONS"]

CASE = StateMachine(
    "identity check",
    initial="NONE",
    moves={
        "NONE": ("PENDING",),
        "PENDING": ("APPROVED", "REJECTED"),
        # Whoever was refused may try again, with better papers.
        "REJECTED": ("PENDING",),
    },
)

DOCUMENT_KINDS = ("FRONT", "BACK", "SELFIE", "PROOF_OF_ADDRESS")
"""What a document shows: a side of the paper, its holder, where they live."""
