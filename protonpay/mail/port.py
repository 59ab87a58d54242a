"""What carries a letter away, and what its answer proves."""

from dataclasses import dataclass
from typing import Protocol


class Undeliverable(Exception):
    """The letter was refused for ever: no such reader, or nobody takes it.

    Attributes:
        reason: what the server said, for an operator.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent.

    Attributes:
        id: the same whenever it is sent again, so that a reader's server can tell (RFC 5322,
            3.6.4).
        html: the same words as ``text``.
    """

    id: str
    to: str
    language: str
    subject: str
    text: str
    html: str


class Carrier(Protocol):
    """Carries letters."""

    def send(self, letter: Letter) -> None:
        """Hand a letter over; returns when it was taken.

        Raises:
            Undeliverable: no.
            NoAnswer: unknown: it may be sent again, with the same id.
        """
