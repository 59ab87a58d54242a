"""Named moments at which a process may be made to die, to prove that nothing is lost there.

In the product nobody arms them and each is a call that does nothing. A test runs a worker
that arms them all and kills itself at the one it was told (``tests/flows/mortal.py``).
"""

from collections.abc import Callable


def _nothing(_name: str, _where: str) -> None:
    pass


_act: Callable[[str, str], None] = _nothing


def point(name: str, where: str) -> None:
    """Mark a moment between two steps that must both happen, or be found undone and repeated.

    Args:
        name: ``<room>.<moment>``, said once in the program.
        where: the network it happens on.
    """
    _act(name, where)


def arm(act: Callable[[str, str], None]) -> None:
    """Have something done at every point from now on, in this process."""
    global _act  # noqa: PLW0603 - one per process, set before any work
    _act = act
