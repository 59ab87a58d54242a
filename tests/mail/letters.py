"""The letters that wait to be sent, opened: what they say, where they lead."""

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from protonpay.mail.models import LetterRow
from protonpay.mail.port import Letter
from protonpay.mail.service import _letter as opened
from protonpay.store.db import db

_LINK = re.compile(r"https?://\S+")


def waiting(to: str) -> Sequence[Letter]:
    """Return the letters that wait for an address, oldest first."""
    rows = db.session.scalars(
        select(LetterRow)
        .where(LetterRow.state == "PENDING")
        .order_by(LetterRow.created_at, LetterRow.id)
    )
    return [letter for letter in map(opened, rows) if letter.to == to]


def letters(to: str) -> Sequence[str]:
    """Return the names of the letters that wait for an address, oldest first."""
    ours = {letter.id for letter in waiting(to)}
    rows = db.session.scalars(select(LetterRow).order_by(LetterRow.created_at, LetterRow.id))
    return [row.template for row in rows if row.id in ours]


def token_of(letter: Letter) -> str:
    """Return what the link of a letter proves it with."""
    (link,) = _LINK.findall(letter.text)
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return token


def page_of(letter: Letter) -> str:
    """Return the path that the link of a letter leads to."""
    (link,) = _LINK.findall(letter.text)
    return urlsplit(link).path
