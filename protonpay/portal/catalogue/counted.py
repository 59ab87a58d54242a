"""Sentences that count: each form that a language has for a number."""

from collections.abc import Mapping
from typing import NamedTuple


class English(NamedTuple):
    """1 day; 0, 2, 1.5 days."""

    one: str
    other: str


class Russian(NamedTuple):
    """1, 21 день; 2, 3, 4 дня; 0, 5, 11 дней; 1,5 дня."""

    one: str
    few: str
    many: str
    other: str


class Counted(NamedTuple):
    """A sentence of a ``{count}`` in each language."""

    en: English
    ru: Russian


def counted(en: tuple[str, str], ru: tuple[str, str, str, str]) -> tuple[str, Counted]:
    """Return a sentence that counts under its name, which is the English of many."""
    return en[1], Counted(English(*en), Russian(*ru))


Sentences = Mapping[str, str]
"""The Russian of a sentence, by its English."""
