"""State machines as data: one table makes the check, the SQL constraint and the diagram."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class IllegalMove(Exception):
    """A program tried a move that its table does not have: a bug, not a refusal."""


@dataclass(frozen=True)
class StateMachine:
    """The moves of one kind of object.

    Attributes:
        name: what the states belong to (``payout``).
        initial: the state every object begins in.
        moves: state → the states it may become; a state without an entry is terminal.
    """

    name: str
    initial: str
    moves: Mapping[str, tuple[str, ...]]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, the initial one first, in the order of the table."""
        found = [self.initial]
        for source, targets in self.moves.items():
            found += [state for state in (source, *targets) if state not in found]
        return tuple(dict.fromkeys(found))

    @property
    def terminal(self) -> frozenset[str]:
        """The states that nothing leaves."""
        return frozenset(state for state in self.states if not self.moves.get(state))

    def may(self, before: str, after: str) -> bool:
        """Tell whether the table has this move."""
        return after in self.moves.get(before, ())

    def check(self, before: str, after: str) -> None:
        """Refuse a move that the table does not have.

        Raises:
            IllegalMove: always a bug of ours.
        """
        if not self.may(before, after):
            raise IllegalMove(f"{self.name}: {before} -> {after}")

    def behind(self, status: str, shown: Callable[[str], str]) -> tuple[str, ...]:
        """Return the states that a client sees as one status, by the room's own ``shown``."""
        return tuple(state for state in self.states if shown(state) == status)

    def as_mermaid(self) -> str:
        """Return the diagram that ``docs/states.md`` shows."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for source, targets in self.moves.items():
            lines += [f"    {source} --> {target}" for target in targets]
        lines += [f"    {state} --> [*]" for state in self.states if state in self.terminal]
        return "\n".join(lines)
