"""Write a letter down with what it tells of, send it later, exactly as often as needed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from protonpay.kernel import clock, ids
from protonpay.mail import writing
from protonpay.mail.models import PURPOSE, LetterRow
from protonpay.mail.port import Carrier, Letter, Undeliverable
from protonpay.mail.states import LETTER
from protonpay.store import outbox
from protonpay.store.db import current, db, release, transaction
from protonpay.store.jobs import Later
from protonpay.store.secrets import safe
from protonpay.wire.http import NoAnswer

USEFUL_FOR = timedelta(days=3)
_KEPT = timedelta(days=90)
_SOONEST_SECONDS, _LATEST_SECONDS = 10, 900
_NO_CARRIER_SECONDS = 60


Copies = Callable[[str, str, Mapping[str, str]], None]
"""Is told an account, a template and its values."""


class PostOffice:
    """What carries the letters of this installation, bound by create_app."""

    def __init__(self) -> None:
        self.carrier: Carrier | None = None
        self.test = True
        self._base = ""
        self._copies: Copies | None = None

    def bind(self, carrier: Carrier | None, *, test: bool, public_url: str | None = None) -> None:
        """Set the carrier; without one, letters wait.

        Args:
            carrier: made from ``SMTP_URL``.
            test: whether every letter says that no real money moves here.
            public_url: where the pages are that letters lead to; None leaves it.
        """
        self.carrier, self.test = carrier, test
        self._base = self._base if public_url is None else public_url

    def copy_to(self, copies: Copies) -> None:
        """Set who is told, beside the letter, of what an account is written."""
        self._copies = copies

    def copy(self, account_id: str, template: str, values: Mapping[str, str]) -> None:
        """Tell them, in the caller's transaction: all but where the letter's own link leads."""
        if self._copies is not None:
            said = {name: value for name, value in values.items() if name != "link"}
            self._copies(account_id, template, said)

    def address(self, path: str) -> str:
        """Return the address of a page of ours."""
        return f"{self._base}{path}"

    def page(self, path: str, token: str) -> str:
        """Return the address of a page of ours that a letter leads to, with what it proves.

        The page does nothing until its form is sent: mail scanners open every link.
        """
        return self.address(f"{path}?token={token}")


office = PostOffice()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Letters that were not sent yet."""

    count: int
    oldest: datetime | None


def post(
    template: str,
    *,
    to: str,
    language: str,
    useful_for: timedelta = USEFUL_FOR,
    owner_id: str | None = None,
    **values: str,
) -> None:
    """Write a letter, in the caller's transaction; it is sent once that has committed.

    Args:
        template: one of ``mail/templates``.
        to: the reader's address.
        language: one that letters are written in (``writing.LANGUAGES``).
        useful_for: after that it is not sent any more.
        owner_id: of the account whose owner is told the same elsewhere, too, without the letter's
            link: of what somebody should know who does not read their mail at once.
        values: exactly what the template names.

    Raises:
        ValueError: too few values, or too many.
        RuntimeError: no transaction is open.
    """
    wanted = writing.placeholders(template, language)
    if wanted != set(values):
        raise ValueError(f"{template} wants {sorted(wanted)}, not {sorted(values)}")
    now = clock.now()
    row = LetterRow(
        id=ids.new_id(),
        template=template,
        language=language,
        content=safe.seal(json.dumps({"to": to, "values": values}), PURPOSE),
        state=LETTER.initial,
        created_at=now,
        useful_until=now + useful_for,
    )
    current().add(row)
    current().flush()
    outbox.add("mail.send", letter_id=row.id)
    if owner_id is not None:
        office.copy(owner_id, template, values)


def send(letter_id: str) -> Later | None:
    """Send a letter that waits; say when to come back if nobody knows whether it was taken."""
    row = db.session.get(LetterRow, letter_id, populate_existing=True)
    if row is None or row.state != LETTER.initial:
        return None
    now = clock.now()
    if row.useful_until <= now:
        _end(letter_id, "EXPIRED", None)
        return None
    if office.carrier is None:
        return Later(_NO_CARRIER_SECONDS, "mail_not_set_up")
    letter, age = _letter(row), now - row.created_at
    carrier = office.carrier
    release()
    try:
        carrier.send(letter)
    except Undeliverable as refusal:
        _end(letter_id, "REFUSED", refusal.reason)
    except NoAnswer:
        # The longer it has waited, the longer it can.
        seconds = int(age.total_seconds()) // 2
        return Later(min(max(seconds, _SOONEST_SECONDS), _LATEST_SECONDS), "mail_server_silent")
    else:
        _end(letter_id, "SENT", None)
    return None


def waiting() -> Waiting:
    """Return how many letters wait, and since when."""
    found = select(func.count(), func.min(LetterRow.created_at)).where(
        LetterRow.state == LETTER.initial
    )
    count, oldest = db.session.execute(found).one()
    return Waiting(count, oldest)


def counts(since: datetime) -> Mapping[str, int]:
    """Count the letters that ended since a moment, by how."""
    ended = select(LetterRow.state, func.count()).where(LetterRow.ended_at >= since)
    rows = db.session.execute(ended.group_by(LetterRow.state))
    return {state: count for state, count in rows}  # noqa: C416 - a row is no pair to mypy


def prune(limit: int = 1000) -> int:
    """Forget letters that ended long ago; return how many."""
    old = select(LetterRow.id).where(LetterRow.ended_at < clock.now() - _KEPT).limit(limit)
    with transaction() as session:
        gone = session.execute(
            delete(LetterRow).where(LetterRow.id.in_(old)).returning(LetterRow.id)
        )
        return len(gone.all())


def _letter(row: LetterRow) -> Letter:
    content = json.loads(safe.open(row.content, PURPOSE))
    return writing.write(
        row.id, row.template, content["to"], row.language, content["values"], test=office.test
    )


def _end(letter_id: str, state: str, reason: str | None) -> None:
    with transaction() as session:
        session.execute(
            update(LetterRow)
            .where(LetterRow.id == letter_id, LetterRow.state == LETTER.initial)
            .values(state=state, reason=reason, ended_at=clock.now(), content=b"")
        )
