"""Register, sign in, carry a session on, end it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from protonpay.auth import devices, email_tokens, emails, failures, sessions
from protonpay.auth.devices import Device
from protonpay.auth.models import AuthSession, RefreshToken, SignInChallenge, TokenPurpose
from protonpay.auth.passwords import check_strength, passwords
from protonpay.auth.shown import Shown
from protonpay.auth.states import REFRESH
from protonpay.kernel import clock, ids, signing
from protonpay.kernel.errors import Forbidden, Unauthenticated, Unavailable
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.plans import service as plans
from protonpay.rails import service as rails
from protonpay.store import expired
from protonpay.store.db import LOCK, current, db, transaction
from protonpay.two_factor import service as two_factor
from protonpay.users import service as users
from protonpay.users.service import User, email_key

SESSION_LIFE = timedelta(days=30)
REFRESH_LIFE = timedelta(days=7)
CHALLENGE_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a pair of tokens is made from.

    Attributes:
        refresh_life: until the refresh token ends: a week, or less if the session does.
    """

    user_id: str
    session_id: str
    refresh_id: str
    refresh_life: timedelta


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person at the door, let in."""

    user: User
    grant: Grant
    balance: Usdc


@dataclass(frozen=True, slots=True)
class Challenge:
    """A person at the door whose password was right, and who has a second factor to prove."""

    user_id: str
    id: str


def register(
    *, name: str, email: str, password: str, device: Device, language: str = "en"
) -> SignedIn:
    """Open an account and a session, and send a letter that proves the address.

    Args:
        name: what others see.
        email: where letters go.
        password: as it was sent.
        device: where this comes from.
        language: that letters to this account are written in.

    Raises:
        Invalid: the password is too weak (``weak_password``).
        Conflict: the address has an account (``email_taken``).
        Unavailable: an operator has stopped it (``sign_ups_paused``).
    """
    if rails.paused(rails.SIGN_UPS) or rails.paused(rails.WRITES):
        said = "No new accounts are opened right now. Try again later."
        raise Unavailable("sign_ups_paused", said, retry_after=3600)
    check_strength(password, email=email, name=name)
    hashed = passwords.hash(password)
    with transaction():
        user = users.create(
            name=name, email=email, password_hash=hashed, plan=plans.DEFAULT, language=language
        )
        emails.write_verification(user)
        grant = _open_session(user.id, device)
    return SignedIn(user, grant, Usdc(0))


def login(*, email: str, password: str, device: Device) -> SignedIn | Challenge:
    """Open a session for who knows the password, or ask for the second factor if there is one.

    Raises:
        Unauthenticated: wrong address or wrong password, not told which, nor by time
            (``invalid_credentials``).
        Forbidden: the account is suspended (``account_suspended``).
    """
    found = users.find_by_email(email)
    if not passwords.matches(found.password_hash if found else None, password) or found is None:
        failures.note(found.id if found else None, failures.PASSWORD, device)
        raise Unauthenticated("invalid_credentials", "E-mail address or password is wrong.")
    known = Shown(found.id, password, found.password_hash)
    fresh = passwords.hash(password) if passwords.is_outdated(known.compared) else None
    wrong = failures.noted(found.id, failures.PASSWORD, device, "invalid_credentials")
    with wrong, transaction():
        # Locked: a suspension that comes now waits for this session, and then ends it.
        user = known.lock()
        if user.standing != "ACTIVE":
            raise Forbidden("account_suspended", "This account is suspended.")
        if fresh:
            user.password_hash = fresh
        return _challenge(user) if two_factor.is_enabled(user.id) else enter(user, device)


def enter(user: User, device: Device) -> SignedIn:
    """Open a session for a user, locked in the caller's transaction, who has proved to be it.

    Raises:
        Forbidden: the account is suspended (``account_suspended``).
    """
    if user.standing != "ACTIVE":
        raise Forbidden("account_suspended", "This account is suspended.")
    devices.tell_of_new(user, device)
    grant = _open_session(user.id, device)
    return SignedIn(user, grant, ledger.balance(chart.available(user.id)))


def _challenge(user: User) -> Challenge:
    waiting = SignInChallenge(
        id=ids.new_id(), user_id=user.id, expires_at=clock.now() + CHALLENGE_LIFE
    )
    expired.drop(SignInChallenge)
    current().add(waiting)
    return Challenge(user.id, waiting.id)


def failures_of(email: str, address: str) -> str:
    """Return what a failed sign-in is counted by: its account, known or not.

    At an address from where its owner has signed in lately they are counted by themselves:
    whoever guesses from elsewhere shuts the account for strangers, and not for its owner.
    """
    key = email_key(email)
    at_home = (
        select(AuthSession.id)
        .join(User, User.id == AuthSession.user_id)
        .where(
            User.email_key == key, AuthSession.address == address, AuthSession.ends_at > clock.now()
        )
    )
    place = address if db.session.scalar(at_home.limit(1)) else ""
    return signing.digest_hex(f"{place}\n{key}".encode())


def guesses_of(user_id: str) -> str:
    """Return what a wrong password is counted by when who is signed in is asked for it again."""
    return signing.digest_hex(f"again\n{user_id}".encode())


def refresh(*, token_id: str, session_id: str, user_id: str) -> Grant:
    """Carry a session on with a new pair of tokens; each refresh token does so once.

    A second use means that two hold it: the whole session ends (RFC 9700 §4.14.2).

    Raises:
        Unauthenticated: ``invalid_token``, ``token_revoked`` or ``refresh_token_reused``.
    """
    now = clock.now()
    with transaction() as session:
        # Locked in the order of every ending of a session: session first, then its tokens.
        found = session.scalar(
            select(AuthSession)
            .where(AuthSession.id == session_id, AuthSession.user_id == user_id)
            .with_for_update(**LOCK),
            execution_options={"populate_existing": True},
        )
        token = session.get(RefreshToken, token_id, populate_existing=True)
        if found is None or token is None or token.session_id != found.id:
            raise Unauthenticated("invalid_token", "The token is not valid.")
        if found.ended_at is not None or found.ends_at <= now:
            raise Unauthenticated("token_revoked", "The session has ended. Sign in again.")
        if token.state == REFRESH.initial:
            token.state, token.used_at = "USED", now
            found.used_at = now
            return _next_token(found, now)
        sessions.end(found, "refresh_token_reused")
    # Outside: the refusal must not undo the ending of the session.
    raise Unauthenticated("refresh_token_reused", "This refresh token was used before.")


def logout(session_id: str) -> None:
    """End a session; its access tokens end with it."""
    with transaction() as session:
        found = session.get(AuthSession, session_id, with_for_update=LOCK, populate_existing=True)
        if found is not None and found.ended_at is None:
            sessions.end(found, "signed_out")


def suspend(user_id: str) -> int:
    """Stop an account: it may not sign in, and its sessions end at once.

    What it had already asked for goes on: a payout is sent, a paid deposit is credited.

    Returns:
        How many sessions ended.

    Raises:
        NotFound: there is no such user.
    """
    with transaction():
        users.set_standing(user_id, "SUSPENDED")
        # Nor is it somebody else's, by a letter to another address, when it is let go on.
        email_tokens.void(users.get(user_id), TokenPurpose.CHANGE)
        return sessions.end_all_of(user_id, "suspended")


def reinstate(user_id: str) -> None:
    """Let a suspended account sign in again.

    Raises:
        NotFound: there is no such user.
    """
    with transaction():
        users.set_standing(user_id, "ACTIVE")


def _open_session(user_id: str, device: Device) -> Grant:
    now = clock.now()
    opened = AuthSession(
        id=ids.new_id(),
        user_id=user_id,
        created_at=now,
        used_at=now,
        ends_at=now + SESSION_LIFE,
        address=device.address,
        agent=device.agent,
    )
    current().add(opened)
    current().flush()
    return _next_token(opened, now)


def _next_token(session: AuthSession, now: datetime) -> Grant:
    life = min(REFRESH_LIFE, session.ends_at - now)
    token = RefreshToken(
        id=ids.new_id(),
        session_id=session.id,
        state=REFRESH.initial,
        issued_at=now,
        expires_at=now + life,
    )
    current().add(token)
    return Grant(session.user_id, session.id, token.id, life)
