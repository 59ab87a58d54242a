"""A password that somebody shows: compared before its user is locked, as comparing takes long."""

from dataclasses import dataclass, field

from protonpay.auth.passwords import passwords
from protonpay.kernel.errors import Unauthenticated
from protonpay.users import service as users
from protonpay.users.service import User


@dataclass(frozen=True, slots=True)
class Shown:
    """A password that was its user's a moment ago.

    Attributes:
        compared: the hash that it was compared with.
    """

    user_id: str
    password: str = field(repr=False)
    compared: str = field(repr=False)

    def lock(self) -> User:
        """Lock its user, in the caller's transaction, if it is their password still.

        Who was faster may have set another one because this is known to somebody else.

        Raises:
            Unauthenticated: it is not (``invalid_credentials``).
        """
        user = users.lock(self.user_id)
        # A hash made anew of the same password is another one too, which is why it is asked.
        replaced = user.password_hash != self.compared
        if replaced and not passwords.matches(user.password_hash, self.password):
            raise wrong()
        return user


def shown(user_id: str, password: str) -> Shown:
    """Let nobody on who does not know the password.

    Raises:
        Unauthenticated: it is wrong (``invalid_credentials``).
    """
    compared = users.get(user_id).password_hash
    if not passwords.matches(compared, password):
        raise wrong()
    return Shown(user_id, password, compared)


def wrong() -> Unauthenticated:
    """Make the refusal of a password."""
    return Unauthenticated("invalid_credentials", "The password is wrong.")
