"""A part of a list, newest first: every list is cut the same way, whatever its rows are.

Keyset on ``(created_at, id)``: a row that arrives while somebody turns pages moves nothing that
they have still to see, and a page deep in a history costs what the first one does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, DateTime, and_, cast, literal, select, tuple_, union_all
from sqlalchemy.orm import aliased

from protonpay.store.db import Base, db

_NOW_ON = "infinity"
_EVER = "-infinity"

Row = TypeVar("Row", bound=Base)

WINDOW = """
    (created_at, id) < (CAST(%(before)s AS timestamptz), %(before_id)s)
    AND created_at >= CAST(%(since)s AS timestamptz)
"""
"""The rows of a part, as a condition in SQL: a range of an index that ends in the two columns."""

NEWEST_FIRST = "ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
"""The order of every list, and where it is cut."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last row a caller has seen; the next page begins after it."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows of a list are wanted.

    Attributes:
        limit: at most so many.
        after: where the page before ended.
        since: not older than this; ``until``: older than this, so that two spans that meet
            share no row.
    """

    limit: int
    after: Position | None = None
    since: datetime | None = None
    until: datetime | None = None

    def as_parameters(self) -> dict[str, Any]:
        """Return what ``WINDOW`` and ``NEWEST_FIRST`` ask for."""
        before, before_id = self._end()
        since = self.since or _EVER
        return {"limit": self.limit, "before": before, "before_id": before_id, "since": since}

    def condition(self, model: Any) -> ColumnElement[bool]:
        """Return the same window over the columns of a model."""
        before, before_id = self._end()
        end = tuple_(_moment(before), literal(before_id))
        return and_(
            tuple_(model.created_at, model.id) < end,
            model.created_at >= _moment(self.since or _EVER),
        )

    def _end(self) -> tuple[datetime | str, str]:
        """Return what every row of the part is older than."""
        if self.after is not None:
            return self.after.created_at, self.after.id
        # Said even where there is no end: so the planner takes the index of the order, whatever
        # it believes of a user whose rows came in after it last counted.
        return self.until or _NOW_ON, ""


def _moment(value: datetime | str) -> ColumnElement[datetime]:
    return cast(value, DateTime(timezone=True))


def newest_first(
    model: type[Row], part: Part, *of: ColumnElement[bool], each: Sequence[ColumnElement[bool]] = ()
) -> Sequence[Row]:
    """Return a part of a list of models.

    Args:
        model: with ``created_at`` and ``id``.
        part: which rows.
        of: whose list it is: the head of an index that goes on with the two columns.
        each: a row must meet one of these, and meets no two; each is read from an index of its
            own, so that what is rare in a long history is found as fast as what is not.
    """
    columns: Any = model
    newest = (columns.created_at.desc(), columns.id.desc())
    wanted = select(model).where(*of, part.condition(columns))
    wanted = wanted.order_by(*newest).limit(part.limit)
    if each:
        found: Any = aliased(model, union_all(*(wanted.where(one) for one in each)).subquery())
        newest = (found.created_at.desc(), found.id.desc())
        wanted = select(found).order_by(*newest).limit(part.limit)
    return db.session.scalars(wanted).all()
