"""Statements of months that are over: opening balance and every entry make the closing balance.

A month is one of the account's time zone. A statement is read from the book, which nobody can
change, so the same month in the same zone always says the same; nothing of it is stored.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from protonpay.kernel import clock, zones
from protonpay.kernel.errors import Invalid, NotFound
from protonpay.kernel.money import ZERO, Usdc
from protonpay.statements import queries
from protonpay.statements.checkpoints import SETTLES
from protonpay.statements.queries import TYPES, Book, Line, Standing
from protonpay.store.lists import Part
from protonpay.users import service as users

__all__ = [
    "MOST_LINES",
    "TYPES",
    "Day",
    "Line",
    "Month",
    "Standing",
    "Statement",
    "days",
    "entries",
    "month",
    "months",
    "of",
]

MOST_LINES = 10_000
"""Of a statement that is had in one piece; a CSV has them all."""
_PAGE_LINES = 500


@dataclass(frozen=True, slots=True)
class Month:
    """A month that is over, of one account.

    Attributes:
        id: ``2026-10``.
        created_at: when it began; ``until`` when it was over.
        lines: how many entries changed the balance in it.
    """

    id: str
    created_at: datetime
    until: datetime
    opening: Standing
    closing: Standing
    lines: int


@dataclass(frozen=True, slots=True)
class Sum:
    """All lines of one type."""

    type: str
    count: int
    amount: Usdc
    fee: Usdc
    change: Usdc


@dataclass(frozen=True, slots=True)
class Statement:
    """A month of an account, its lines not read yet.

    Attributes:
        zone: whose month it is.
        language: that the account's holder reads.
    """

    month: Month
    zone: ZoneInfo
    language: str
    name: str
    public_id: str
    _book: Book
    _entries: Sequence[int]

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self._entries)

    def pages(self) -> Iterator[list[Line]]:
        """Read the lines in their order, some at a time; the last one ends at the closing balance.

        Raises:
            RuntimeError: they do not sum, and no part of them is to be believed.
        """
        balance = self.month.opening.balance
        for start in range(0, len(self._entries), _PAGE_LINES):
            page = self._book.lines(self._entries[start : start + _PAGE_LINES], balance)
            balance = page[-1].balance
            if start + _PAGE_LINES >= len(self._entries):
                self._check(balance)
            yield page
        if not self._entries:
            self._check(balance)

    def _check(self, balance: Usdc) -> None:
        if balance != self.month.closing.balance:
            raise RuntimeError(f"the statement {self.month.id} of {self.public_id} does not sum")


@dataclass(frozen=True, slots=True)
class Whole:
    """A statement with its lines and sums."""

    statement: Statement
    lines: Sequence[Line]
    sums: Sequence[Sum]

    @property
    def money_in(self) -> Usdc:
        """What the balance grew by, without what it shrank by."""
        return sum((one.change for one in self.lines if one.change > ZERO), ZERO)

    @property
    def money_out(self) -> Usdc:
        """What the balance shrank by, above zero."""
        return sum((ZERO - one.change for one in self.lines if one.change < ZERO), ZERO)

    @property
    def fees(self) -> Usdc:
        """Our fees, less those that were given back."""
        return sum((one.fee for one in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in a time zone: the balance at both of its ends, and what lies between them.

    Attributes:
        money_in: what entries made the balance grow by, ``money_out`` what others made it shrink
            by, our fees with it: opening and money in, less money out, is the closing balance.
        closing: today's is that of now.
    """

    day: date
    begins: datetime
    opening: Usdc
    money_in: Usdc
    money_out: Usdc
    closing: Usdc


def months(user_id: str, part: Part | None = None) -> Sequence[Month]:
    """Return the months of an account that are over, newest first, from the one it was opened in.

    Args:
        user_id: whose.
        part: which of them; None for all.

    Raises:
        NotFound: there is no such user.
    """
    user = users.get(user_id)
    spans = _spans(user.created_at, zones.zone(user.time_zone))
    book = queries.book(user_id)
    found = _months(book, spans, book.counts(_moments(spans)))[::-1]
    if part is None:
        return found
    end = (part.after.created_at, part.after.id) if part.after else None
    return [one for one in found if end is None or (one.created_at, one.id) < end][: part.limit]


def of(user_id: str, month: str) -> Statement:
    """Return the statement of a month, its lines to be read.

    Args:
        user_id: whose.
        month: such as ``2026-10``.

    Raises:
        NotFound: not a month of this account that is over for an hour (``not_found``).
    """
    user = users.get(user_id)
    zone = zones.zone(user.time_zone)
    spans = [span for span in _spans(user.created_at, zone) if span[0] == month]
    if not spans:
        raise NotFound("not_found", "There is no statement of this month.")
    book = queries.book(user_id)
    [(_, begins, ends)] = spans
    entries = book.entries(begins, ends)
    [found] = _months(book, spans, [len(entries)])
    return Statement(found, zone, user.language, user.name, user.public_id, book, entries)


def month(user_id: str, month: str, *, most: int = MOST_LINES) -> Whole:
    """Return the whole statement of a month.

    Args:
        user_id: whose.
        month: such as ``2026-10``.
        most: lines to be read at most.

    Raises:
        NotFound: as ``of``.
        Invalid: it has more lines (``statement_too_long``).
    """
    statement = of(user_id, month)
    if len(statement) > most:
        said = "This month has {lines} lines; so it has at most {limit}. Ask for CSV."
        raise Invalid("statement_too_long", said, lines=len(statement), limit=most)
    lines = [line for page in statement.pages() for line in page]
    return Whole(statement, lines, _sums(lines))


def days(user_id: str, count: int) -> list[Day]:
    """Return the last days of an account, oldest first: each begins with what the last one left.

    Args:
        user_id: whose; their time zone says when a day begins.
        count: of days, today with them; none before the account was opened.

    Raises:
        NotFound: there is no such user.
    """
    user, now = users.get(user_id), clock.now()
    zone = zones.zone(user.time_zone)
    today, first = now.astimezone(zone).date(), user.created_at.astimezone(zone).date()
    since = max(first, today - timedelta(days=count - 1))
    named = [since + timedelta(days=number) for number in range((today - since).days + 1)]
    moments = [*(zones.day_begins(day, zone) for day in named), now]
    before, *flows = queries.book(user_id).flows(moments)
    balance, found = before.change, []
    for day, begins, flow in zip(named, moments[:-1], flows, strict=True):
        opening, balance = balance, balance + flow.change
        found.append(Day(day, begins, opening, flow.grown, flow.shrunk, balance))
    return found


def entries(user_id: str, thing_id: str) -> Sequence[Line]:
    """Return what is booked of one thing of a user, oldest first; nothing before it moves money.

    Args:
        user_id: whose book.
        thing_id: of a line of activity: a deposit, a withdrawal, a transfer.

    Raises:
        NotFound: there is no such thing of theirs (``not_found``).
    """
    lines = queries.book(user_id).lines_of(thing_id)
    if lines is None:
        raise NotFound("not_found", "There is no such deposit, withdrawal or transfer.")
    return lines


def _sums(lines: Sequence[Line]) -> list[Sum]:
    sums = []
    for kind in TYPES:
        of_kind = [one for one in lines if one.type == kind]
        if of_kind:
            amount = sum((one.amount for one in of_kind), ZERO)
            fee = sum((one.fee for one in of_kind), ZERO)
            sums.append(Sum(kind, len(of_kind), amount, fee, amount - fee))
    return sums


def _spans(opened: datetime, zone: ZoneInfo) -> list[tuple[str, datetime, datetime]]:
    """Return name, beginning and end of each month that is over, oldest first."""
    first, now = opened.astimezone(zone), clock.now()
    year, number = first.year, first.month
    spans: list[tuple[str, datetime, datetime]] = []
    begins = zones.midnight(year, number, zone)
    while True:
        name = f"{year:04d}-{number:02d}"
        year, number = (year, number + 1) if number < 12 else (year + 1, 1)  # noqa: PLR2004
        ends = zones.midnight(year, number, zone)
        if ends + SETTLES > now:
            return spans
        spans.append((name, begins, ends))
        begins = ends


def _moments(spans: Sequence[tuple[str, datetime, datetime]]) -> list[datetime]:
    """Return each beginning, and the end of the last one."""
    return [*(begins for _, begins, _ in spans), *(ends for _, _, ends in spans[-1:])]


def _months(
    book: Book, spans: Sequence[tuple[str, datetime, datetime]], lines: Sequence[int]
) -> list[Month]:
    standings = book.standings(_moments(spans))
    return [
        Month(name, begins, ends, standings[place], standings[place + 1], lines[place])
        for place, (name, begins, ends) in enumerate(spans)
    ]
