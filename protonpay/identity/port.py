"""What an identity provider is to us: an application is handed in, and a verdict asked for.

The recipe for a new one, with a whole adapter, is docs/adding-an-identity-provider.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

REASONS = (
    "details_mismatch",
    "document_expired",
    "document_unreadable",
    "document_not_accepted",
    "country_not_served",
    "other",
)
"""Why somebody is not approved, as they are told."""


class Outcome(StrEnum):
    """What a provider says of an application."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """Not yet, or not in words that we know: it is asked again, and never becomes a no."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A provider's answer.

    Attributes:
        reason: of a no, one of ``REASONS``; of every other answer None.
    """

    outcome: Outcome
    reason: str | None = None

    def __post_init__(self) -> None:
        """Refuse a no without a reason of ours, and a reason without a no.

        Raises:
            ValueError: a slip in the adapter.
        """
        said = self.reason in REASONS if self.outcome is Outcome.NO else self.reason is None
        if not said:
            raise ValueError(f"{self.outcome} with {self.reason}")


@dataclass(frozen=True, slots=True)
class Paper:
    """A document.

    Attributes:
        kind: ``FRONT``, ``BACK``, ``SELFIE`` or ``PROOF_OF_ADDRESS``.
        media_type: as its content tells: ``image/jpeg``, ``image/png``, ``application/pdf``.
    """

    kind: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Application:
    """Who somebody says they are. Nothing of it is ever printed but its id.

    Attributes:
        id: the same whenever it is handed in again: the provider's idempotency key.
        country: of the document, ISO 3166-1 alpha-2.
        document_kind: ``PASSPORT``, ``ID_CARD``, ``RESIDENCE_PERMIT`` or ``DRIVING_LICENCE``.
    """

    id: str
    full_name: str = field(repr=False)
    date_of_birth: date = field(repr=False)
    country: str = field(repr=False)
    document_kind: str = field(repr=False)
    document_number: str = field(repr=False)
    papers: Sequence[Paper] = field(repr=False)


class IdentityProvider(Protocol):
    """Says whether people are who they say. Made with its settings by name; keeps no state.

    Attributes:
        name: as ``registry.PROVIDERS`` has it.
        ask_again_seconds: how long after an unknown it is asked again, one at least; None: it is
            never asked, its verdicts come by a person's hand.
    """

    name: str
    ask_again_seconds: int | None

    def hand_in(self, application: Application) -> str:
        """Give an application to the provider; return what it is asked about by.

        It is handed in again, with the same id, as long as the answer is unknown: then the
        provider has it once, and this returns the same reference.

        Raises:
            NoAnswer: unknown whether the provider has it.
        """

    def verdict(self, reference: str) -> Verdict:
        """Ask how the provider judges what was handed in.

        A word that is not known is ``UNKNOWN``, never a no.

        Raises:
            NoAnswer: unknown: it did not answer, or nothing that can be read.
        """
