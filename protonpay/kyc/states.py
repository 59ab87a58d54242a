"""The life of an identity check."""

from protonpay.kernel.states import StateMachine

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

REASONS = (
    "details_mismatch",
    "document_expired",
    "document_unreadable",
    "document_not_accepted",
    "country_not_served",
    "other",
)
"""Why a case is rejected, as its owner is told."""

DOCUMENT_KINDS = ("FRONT", "BACK", "SELFIE", "PROOF_OF_ADDRESS")
"""What a document shows: a side of the paper, its holder, where they live."""
