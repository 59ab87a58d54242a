"""Passwords: argon2id, and a judge of how guessable one is."""

import threading
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.low_level import Type
from zxcvbn import zxcvbn

from protonpay.kernel.errors import Invalid, Unavailable

SHORTEST = 12
LONGEST = 128
_GOOD_ENOUGH = 2
_JUDGED = 72
_PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """What a hash costs to make; the default is OWASP's minimum for argon2id."""

    memory_kib: int = 19_456
    rounds: int = 2


class Passwords:
    """Hashes and verifies, one at a time per process: a storm of sign-ins starves nobody else."""

    def __init__(self) -> None:
        self._one = threading.Semaphore(1)
        self.set_cost(Cost())

    def set_cost(self, cost: Cost) -> None:
        """Set what a hash costs; old ones are made anew when their owner signs in."""
        self._hasher = PasswordHasher(
            time_cost=cost.rounds, memory_cost=cost.memory_kib, parallelism=1, type=Type.ID
        )
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the encoded hash to store.

        Raises:
            Unavailable: too many wait for theirs (``busy``).
        """
        with self._turn():
            return self._hasher.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the one stored; nobody's takes as long as anybody's.

        Raises:
            Unavailable: too many wait for theirs (``busy``).
        """
        with self._turn():
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerifyMismatchError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _turn(self) -> "_Turn":
        return _Turn(self._one)


class _Turn:
    def __init__(self, one: threading.Semaphore) -> None:
        self._one = one

    def __enter__(self) -> None:
        if not self._one.acquire(timeout=_PATIENCE_SECONDS):
            raise Unavailable("busy", "Too many sign-ins at once. Try again.", retry_after=2)

    def __exit__(self, *_: object) -> None:
        self._one.release()


def check_strength(password: str, *, email: str, name: str) -> None:
    """Refuse a password that is short, long or easily guessed by who knows its owner.

    No rules of composition: length and a guess count (ASVS 6.2).

    Raises:
        Invalid: ``weak_password``.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        said = "Use {shortest} to {longest} characters."
        raise Invalid("weak_password", said, shortest=SHORTEST, longest=LONGEST)
    if "\x00" in password:
        # The API's schemas take none, so nobody could sign in with it.
        raise Invalid("weak_password", "Must not hold U+0000.")
    known = [email, name, name.replace(" ", ""), *email.split("@"), *name.split(), "protonpay"]
    if zxcvbn(password[:_JUDGED], user_inputs=known)["score"] < _GOOD_ENOUGH:
        raise Invalid("weak_password", "This password is easily guessed. Choose another one.")


passwords = Passwords()
