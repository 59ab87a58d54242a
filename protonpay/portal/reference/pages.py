"""``/docs``: the reference of the API, complete without JavaScript."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, render_template

from protonpay.cards.registry import PROVIDERS, currencies
from protonpay.chains.registry import NETWORKS
from protonpay.kernel.events import DOCUMENTED
from protonpay.locales.formats import LANGUAGES
from protonpay.portal import theme, words
from protonpay.portal.answers import page, spoken
from protonpay.portal.reference import prose
from protonpay.portal.reference.operations import Operation, Reader
from protonpay.portal.reference.prose import TONGUES, Book, Section
from protonpay.portal.words import sentence
from protonpay.web.limits import AUTH, READ, WRITE, buckets
from protonpay.web.links import links

reference = Blueprint("reference", __name__, template_folder="../templates", static_folder=None)

_BUCKETS = {
    AUTH: sentence("Authentication, by address"),
    READ: sentence("Reads of an account"),
    WRITE: sentence("Writes of an account"),
}


@dataclass(frozen=True, slots=True)
class Manual:
    """All that the page says.

    Attributes:
        operations: by what their examples are found by.
    """

    api: Book
    webhooks: Book
    operations: dict[str, Operation]
    reader: Reader

    @property
    def sections(self) -> Sequence[Section]:
        """Those of docs/api.md whose calls the page describes; errors come last.

        What a sandbox alone has is in no document of production, and neither is its section.
        """
        known = self.operations.keys()
        told = [section for section in self.api.sections if section.title != "Errors"]
        return [section for section in told if known >= set(section.keys)]

    @property
    def errors(self) -> Section:
        """How a refusal looks."""
        return next(section for section in self.api.sections if section.title == "Errors")

    def calls(self, section: Section) -> list[Operation]:
        """Return the calls that a section has examples of."""
        return [self.operations[key] for key in section.keys]

    @property
    def others(self) -> list[Operation]:
        """Calls that no section has an example of."""
        return [each for key, each in self.operations.items() if key not in self.api.examples]


class Source:
    """Where the OpenAPI document of this process is, read when the page is first asked for."""

    def __init__(self) -> None:
        self._read: Callable[[], dict[str, Any]] | None = None

    def bind(self, read: Callable[[], dict[str, Any]]) -> None:
        """Give the process its document; forgets what was made of another."""
        self._read = read
        manual.cache_clear()
        _rendered.cache_clear()

    def document(self) -> dict[str, Any]:
        """Return the document, as at ``/api/openapi.json``."""
        if self._read is None:
            raise RuntimeError("bind() first")
        return self._read()


source = Source()


@lru_cache(maxsize=1)
def manual() -> Manual:
    """Read the document and docs/ once for the process: neither changes while it runs."""
    base, reader = links.to("/api"), Reader(source.document())
    known = {operation.key: operation for operation in reader.operations()}
    return Manual(Book("api.md", base), Book("webhooks.md", base), known, reader)


@reference.get("/docs")
def shown() -> Response:
    """Show the whole reference on one page, so that the browser's own search finds all of it."""
    language = words.chosen()
    return spoken(language, page(_rendered(language, theme.chosen())))


@lru_cache(maxsize=len(LANGUAGES) * (len(theme.THEMES) + 1))
def _rendered(language: str, _theme: str) -> str:
    """Make the page once for each look: it is half a megabyte, and the same for everybody."""
    say = words.speaker(language)
    return render_template(
        "reference.html",
        lang=language,
        say=say,
        manual=manual(),
        base=links.to("/api"),
        tongues=TONGUES,
        names=(("en", "English"), ("ru", "Русский")),
        networks=NETWORKS.values(),
        providers={name: sorted(currencies(name)) for name in PROVIDERS},
        to_everybody=DOCUMENTED,
        inline=prose.inline,
        code=prose.code,
        rates=[(say(_BUCKETS[name]), *rate) for name, rate in buckets.told().items()],
    )
