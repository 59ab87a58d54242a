"""What a look at a rail answers, whatever the rail is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protonpay.reconciliation.cases import Finding


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is compared once, when a pass begins.

    Attributes:
        at: as of what the rest is compared.
        ours: what the book says, and ``theirs`` what the world says, in micro-USDC.
    """

    at: Mapping[str, Any]
    findings: Sequence[Finding]
    ours: int = 0
    theirs: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What is compared in one step.

    Attributes:
        cursor: the last of them, or None when that was all.
        compared: how many; ``unknown`` names those that nothing was learned about.
        after: what follows in the transaction that writes this down, for what is new.
    """

    cursor: str | None
    compared: int
    findings: Sequence[Finding] = ()
    ours: int = 0
    theirs: int = 0
    unknown: Sequence[str] = ()
    after: Callable[[Sequence[str]], None] = field(default=lambda _new: None)


@dataclass(frozen=True, slots=True)
class Rail:
    """A rail as something to be compared.

    Attributes:
        pausing: the switches that a confirmed mismatch closes.
        begin: raises ``NoAnswer`` of the wire when nothing can be said.
        go_on: the same, from a cursor on; gets rail, number of the pass and ``at``.
    """

    name: str
    pausing: Sequence[str]
    begin: Callable[[str], Beginning]
    go_on: Callable[[str, int, Mapping[str, Any], str | None], Part]
