"""Keep operators, sign them in, know them by their token."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError

from protonpay.auth.passwords import check_strength, passwords
from protonpay.kernel import clock, ids, signing
from protonpay.kernel.errors import Conflict, NotFound, Unauthenticated
from protonpay.mail import service as mail
from protonpay.operators import permissions
from protonpay.operators.models import PURPOSE, Operator, OperatorSession
from protonpay.operators.permissions import Role
from protonpay.store.db import LOCK, current, db, transaction
from protonpay.store.secrets import safe
from protonpay.users.service import email_key

__all__ = [
    "Caller",
    "Operator",
    "Role",
    "SignedIn",
    "add",
    "add_second_factor",
    "disable",
    "failures_of",
    "find",
    "listed",
    "opened",
    "prove",
    "remove_second_factor",
    "set_password",
    "set_role",
    "sign_in",
    "sign_out",
]

IDLE = timedelta(minutes=15)
SESSION_LIFE = timedelta(hours=8)
"""OWASP, "Session Management": minutes of idleness for what is valuable, a working day at most."""

_PREFIX = "op_"
_NOTED = timedelta(minutes=1)
_AT_HOME = timedelta(days=30)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """An operator who acts now.

    Attributes:
        origin: from where: an address with the name of the request, or ``terminal``.
        session_id: empty at a terminal.
    """

    id: str
    email: str
    name: str
    role: str
    origin: str
    session_id: str = ""

    def check(self, action: str) -> None:
        """Refuse what the role may not do.

        Raises:
            Forbidden: it may not (``role_insufficient``).
        """
        permissions.check(self.role, action)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was opened; its token is shown this once."""

    operator: Operator
    token: str
    session: OperatorSession


def add(*, email: str, name: str, role: Role, password: str) -> Operator:
    """Add somebody, with one role.

    Raises:
        Conflict: the address is an operator's already (``email_taken``).
        Invalid: the password is too weak (``weak_password``).
    """
    check_strength(password, email=email, name=name)
    made = Operator(
        id=ids.new_id(),
        name=name,
        email=email,
        email_key=email_key(email),
        role=role,
        password_hash=passwords.hash(password),
        created_at=clock.now(),
    )
    with transaction() as session:
        try:
            with session.begin_nested():
                session.add(made)
        except IntegrityError as error:
            raise Conflict("email_taken", "This address is an operator's already.") from error
    return made


def listed() -> Sequence[Operator]:
    """Return every operator, by address; those who are disabled too."""
    return db.session.scalars(select(Operator).order_by(Operator.email_key)).all()


def find(email: str) -> Operator:
    """Return the operator of an address.

    Raises:
        NotFound: there is none.
    """
    found = _of(email)
    if found is None:
        raise NotFound("not_found", "There is no such operator.")
    return found


def set_role(email: str, role: Role) -> None:
    """Give somebody another role in place of theirs; their sessions end.

    Raises:
        NotFound: there is no such operator.
    """
    with transaction():
        operator = _locked(email)
        operator.role = role
        _end_all_of(operator)


def set_password(email: str, password: str) -> None:
    """Give somebody another password; their sessions end.

    Wrong codes are forgotten with the password whose holder tried them: that is the way back for
    who was shut out by them.

    Raises:
        NotFound: there is no such operator.
        Invalid: it is too weak (``weak_password``).
    """
    known = find(email)
    check_strength(password, email=known.email, name=known.name)
    hashed = passwords.hash(password)
    with transaction():
        operator = _locked(email)
        operator.password_hash, operator.missed_at = hashed, []
        _end_all_of(operator)


def add_second_factor(email: str, secret: str, code: str) -> None:
    """Ask somebody for a code of an app from now on; an app before it is void. Sessions end.

    Args:
        email: whose.
        secret: of the app, from ``codes.new_secret``.
        code: that it shows: who cannot show one would be locked out.

    Raises:
        NotFound: there is no such operator.
        Unauthenticated: the code is wrong (``two_factor_invalid``).
    """
    with transaction():
        operator = _locked(email)
        operator.app_secret = safe.seal(secret, PURPOSE.format(id=operator.id))
        operator.forget_codes()
        operator.take_number(secret, code)
        _end_all_of(operator)


def remove_second_factor(email: str) -> None:
    """Ask somebody for no code any more; sessions end, and a repeat changes nothing.

    Raises:
        NotFound: there is no such operator.
    """
    with transaction():
        operator = _locked(email)
        operator.app_secret = None
        operator.forget_codes()
        _end_all_of(operator)


def disable(email: str) -> None:
    """Let somebody do nothing any more, at once and for good; a repeat changes nothing.

    Raises:
        NotFound: there is no such operator.
    """
    with transaction():
        operator = _locked(email)
        operator.disabled_at = operator.disabled_at or clock.now()
        _end_all_of(operator)


def failures_of(email: str, address: str) -> str:
    """Return what a failed sign-in is counted by: whose, known or not, in no readable form.

    At an address from where they have signed in lately they are counted by themselves: whoever
    fails elsewhere, again and again, does not shut them out.
    """
    key = email_key(email)
    at_home = (
        select(OperatorSession.id)
        .join(Operator, Operator.id == OperatorSession.operator_id)
        .where(
            Operator.email_key == key,
            OperatorSession.address == address,
            OperatorSession.created_at > clock.now() - _AT_HOME,
        )
    )
    place = address if db.session.scalar(at_home.limit(1)) else ""
    return signing.digest_hex(f"operator\n{place}\n{key}".encode())


def prove(email: str, password: str, code: str | None = None, *, origin: str) -> Caller:
    """Return the operator whose password this is; their code is used up by it.

    Args:
        email: whose, as typed.
        password: as typed.
        code: of their app, if they have a second factor.
        origin: from where, for the log.

    Raises:
        Unauthenticated: wrong address or password, or disabled; not told which
            (``invalid_credentials``). No code of the app, or a wrong one
            (``two_factor_required``, ``two_factor_invalid``): only who knows the password is
            told that.
        Limited: too many wrong codes (``rate_limited``).
    """
    compared = _check_password(email, password, origin=origin)
    with transaction():
        found = _let_in(email, compared, code, origin=origin)
        return Caller(found.id, found.email, found.name, found.role, origin)


def sign_in(*, email: str, password: str, address: str, code: str | None = None) -> SignedIn:
    """Open a session.

    Raises:
        Unauthenticated: as ``prove``.
        Limited: as ``prove``.
    """
    compared = _check_password(email, password, origin=address)
    token, now = _PREFIX + secrets.token_urlsafe(32), clock.now()
    with transaction() as session:
        operator = _let_in(email, compared, code, origin=address)
        made = OperatorSession(
            id=ids.new_id(),
            operator_id=operator.id,
            token_digest=_digest(token),
            address=address,
            created_at=now,
            used_at=now,
            ends_at=now + SESSION_LIFE,
        )
        session.add(made)
    log.warning("operator_signed_in", operator=operator.email, role=operator.role, origin=address)
    return SignedIn(operator, token, made)


def opened(token: str, origin: str) -> Caller:
    """Return who holds a token, and note that they are here.

    Raises:
        Unauthenticated: it is none of ours (``invalid_token``), or its session has ended: signed
            out, disabled, unused for a quarter of an hour, or as old as a day of work
            (``token_revoked``).
    """
    found = db.session.execute(
        select(OperatorSession, Operator)
        .join(Operator, Operator.id == OperatorSession.operator_id)
        .where(OperatorSession.token_digest == _digest(token)),
        execution_options={"populate_existing": True},
    ).one_or_none()
    if found is None:
        raise Unauthenticated("invalid_token", "The token is not valid.")
    session, operator = found
    now = clock.now()
    over = session.ended_at is not None or now >= min(session.ends_at, session.used_at + IDLE)
    if over or operator.disabled_at is not None:
        raise Unauthenticated("token_revoked", "The session has ended. Sign in again.")
    if now - session.used_at >= _NOTED:
        with transaction():
            session.used_at = now
    return Caller(operator.id, operator.email, operator.name, operator.role, origin, session.id)


def sign_out(session_id: str) -> None:
    """End a session."""
    with transaction():
        _end(OperatorSession.id == session_id)


def _check_password(email: str, password: str, *, origin: str) -> str:
    found = _of(email)
    compared = found.password_hash if found else None
    if not passwords.matches(compared, password) or compared is None:
        raise _refused(origin)
    return compared


def _let_in(email: str, compared: str, code: str | None, *, origin: str) -> Operator:
    # Locked: who is disabled now loses what is opened here with the rest, and who was given
    # another password meanwhile has not shown theirs.
    operator = _locked(email)
    if operator.disabled_at is not None or operator.password_hash != compared:
        raise _refused(origin)
    if operator.app_secret is not None:
        _take(operator, code)
    return operator


def _refused(origin: str) -> Unauthenticated:
    log.warning("operator_refused", origin=origin)
    return Unauthenticated("invalid_credentials", "E-mail address or password is wrong.")


def _take(operator: Operator, code: str | None) -> None:
    if code is None:
        raise Unauthenticated("two_factor_required", "Send a code of your app as `code`.")
    secret = safe.open(operator.app_secret or b"", PURPOSE.format(id=operator.id))

    def tell() -> None:
        mail.post(
            "operator_two_factor_guessed", to=operator.email, language="en", name=operator.name
        )

    with operator.bounded(f"operator {operator.email}", tell):
        operator.take_number(secret, code)


def _of(email: str) -> Operator | None:
    found = select(Operator).where(Operator.email_key == email_key(email))
    return db.session.scalar(found, execution_options={"populate_existing": True})


def _locked(email: str) -> Operator:
    found = select(Operator).where(Operator.email_key == email_key(email)).with_for_update(**LOCK)
    operator = current().scalar(found, execution_options={"populate_existing": True})
    if operator is None:
        raise NotFound("not_found", "There is no such operator.")
    return operator


def _end_all_of(operator: Operator) -> None:
    _end(OperatorSession.operator_id == operator.id)


def _end(which: ColumnElement[bool]) -> None:
    ended = update(OperatorSession).where(which, OperatorSession.ended_at.is_(None))
    current().execute(ended.values(ended_at=clock.now()))


def _digest(token: str) -> str:
    return signing.digest_hex(token.encode())
