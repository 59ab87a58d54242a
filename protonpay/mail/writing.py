"""Letters from templates: one text for each language, from which both forms are made.

A template's first line is the subject; paragraphs follow, parted by empty lines. A paragraph
that is an address of ours is a button in the HTML form, with the line above it as its words.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta

from protonpay.mail.port import Letter

LANGUAGES = ("en", "ru")
_FOLDER = Path(__file__).parent / "templates"
_BUTTON = re.compile(r"\[(?P<words>[^\]]+)\]\s*\n(?P<url>https?://\S+)")
TEST_WORDS = "TEST DATA · ТЕСТОВЫЕ ДАННЫЕ"

_texts = Environment(
    loader=FileSystemLoader(_FOLDER),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - the text form; the HTML form is escaped below
    keep_trailing_newline=False,
)
_pages = Environment(loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=True)


def names() -> list[str]:
    """Return the names of all templates."""
    return sorted(path.stem for path in (_FOLDER / LANGUAGES[0]).glob("[!_]*.txt"))


@cache
def placeholders(template: str, language: str) -> frozenset[str]:
    """Return what a template must be given.

    Raises:
        jinja2.TemplateNotFound: there is none of this name.
    """
    source, *_ = _texts.loader.get_source(_texts, f"{language}/{template}.txt")  # type: ignore[union-attr]
    return frozenset(meta.find_undeclared_variables(_texts.parse(source)))


def write(
    letter_id: str, template: str, to: str, language: str, values: Mapping[str, str], *, test: bool
) -> Letter:
    """Return a letter as it is sent.

    Args:
        letter_id: see ``Letter.id``.
        template: its name.
        to: the reader's address.
        language: one of ``LANGUAGES``.
        values: exactly what ``placeholders`` names; each is one line of it, whatever it was.
        test: whether no real money moves here; said in every letter, then.
    """
    # Somebody's name with a paragraph in it could be taken for one of ours.
    lines = {name: " ".join(value.splitlines()) for name, value in values.items()}
    whole = _texts.get_template(f"{language}/{template}.txt").render(lines).strip()
    subject, _, body = whole.partition("\n")
    paragraphs = [each.strip() for each in re.split(r"\n\s*\n", body.strip())]
    footer = _texts.get_template(f"{language}/_footer.txt").render()
    head = [TEST_WORDS] if test else []
    text = "\n\n".join([*head, *(_plain(each) for each in paragraphs), "-- ", footer]) + "\n"
    html = _pages.get_template("letter.html").render(
        language=language,
        subject=subject,
        parts=[_part(each) for each in paragraphs],
        footer=footer,
        test_words=TEST_WORDS if test else None,
    )
    return Letter(letter_id, to, language, f"[TEST] {subject}" if test else subject, text, html)


def short(template: str, language: str, values: Mapping[str, str], *, test: bool) -> str:
    """Return what a letter tells, in a few plain lines: its subject, its first words, its page.

    Args:
        template: its name.
        language: one of ``LANGUAGES``.
        values: of ``placeholders``; without a ``link``, the letter is where to read on.
        test: whether no real money moves here.
    """
    given = dict.fromkeys(placeholders(template, language), "")
    lines = {name: " ".join(value.splitlines()) for name, value in values.items()}
    whole = _texts.get_template(f"{language}/{template}.txt").render(given | lines).strip()
    subject, _, body = whole.partition("\n")
    _greeting, first, *others = (each.strip() for each in re.split(r"\n\s*\n", body.strip()))
    said = [subject, first[:1].upper() + first[1:]]
    if first.endswith(":"):
        said.append(others[0])
    onward = lines.get("link") or _texts.get_template(f"{language}/_elsewhere.txt").render()
    return "\n\n".join([*([TEST_WORDS] if test else []), *said, onward])


def _plain(paragraph: str) -> str:
    button = _BUTTON.fullmatch(paragraph)
    return f"{button['words']}:\n{button['url']}" if button else paragraph


def _part(paragraph: str) -> Mapping[str, str]:
    button = _BUTTON.fullmatch(paragraph)
    return dict(button.groupdict()) if button else {"text": paragraph}
