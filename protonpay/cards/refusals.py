"""What a status says, where a provider says no as HTTP does.

A timeout, a conflict with another request of ours and too many requests (408, 409, 429) are no
answer to what was asked: they are asked again.
"""

from protonpay.cards.port import KeyRefused, Rejected

SAYS_NO = frozenset(range(400, 500)) - {408, 409, 429}
_OF_THE_KEY = (401, 403)


def refused(provider: str, status: int, told: str) -> Rejected:
    """Return the refusal that an answer is.

    Args:
        provider: by its name in the registry.
        status: one that ``SAYS_NO``.
        told: the provider's codes and texts, without anything that we sent.
    """
    kind = KeyRefused if status in _OF_THE_KEY else Rejected
    return kind(f"{provider}: {status} {told}".strip())
