"""The refusals a caller can meet.

    Refusal
    ├── Invalid            the request cannot be right              400
    ├── Unauthenticated    we do not know who asks                  401
    ├── Forbidden          we know, and the answer is no            403
    ├── NotFound           there is no such thing for this caller   404
    ├── Conflict           not now: something else stands in it     409
    ├── Limited            too often                                429
    └── Unavailable        not us: a provider, a chain, a setting   503

The statuses live in ``web/errors.py``. Everything that is not a refusal is a bug and a 500.
"""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A refusal with a stable, machine-readable code.

    Attributes:
        code: stable name, part of the API's contract (``insufficient_balance``).
        said: one sentence for a person, with ``{names}`` where values stand; never a secret.
            The catalogue of languages (``web/messages.py``) is found by it.
        values: what stands there.
        retry_after: whole seconds after which asking again makes sense, or None.
        fields: location → field → messages, for bad input only.
        members: what the caller needs to go on, beside the code.
    """

    def __init__(
        self,
        code: str,
        said: str,
        *,
        retry_after: int | None = None,
        fields: Mapping[str, Any] | None = None,
        members: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        self.code = code
        self.said = said
        self.values = values
        self.retry_after = retry_after
        self.fields = fields
        self.members = members or {}
        super().__init__(f"{code}: {self.detail}")

    @property
    def detail(self) -> str:
        """The sentence in English, values included."""
        return self.said.format(**self.values) if self.values else self.said


class Invalid(Refusal):
    """The request cannot be right, whoever sends it and whenever."""


class Unauthenticated(Refusal):
    """The caller did not prove who they are."""


class Forbidden(Refusal):
    """The caller is known and may not."""


class NotFound(Refusal):
    """There is no such thing, or it is somebody else's."""


class Conflict(Refusal):
    """The request meets a state that does not allow it now."""


class Limited(Refusal):
    """The caller asks too often."""


class Unavailable(Refusal):
    """Something outside does not answer or is not set up; nothing was done.

    But for one code, ``outcome_unknown``: then it may have been.
    """
