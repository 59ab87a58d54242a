"""docs/*.md as parts of a page: sections with their text, and the examples that tests have run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from protonpay.portal.reference.operations import example_key

DOCS = Path(__file__).parents[3] / "docs"
TONGUES = {"sh": "curl", "python": "Python", "js": "JavaScript"}
"""The languages of an example, in the order in which they are shown."""

_WRITTEN_FOR = "https://protonpay.org/api"
_EXAMPLE = re.compile(r"<!-- (GET|POST|PUT|PATCH|DELETE) (\S+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
_EVENT = re.compile(r"<!-- event (\S+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
_ANY_MARK = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_BLOCK = re.compile(r"```(\w+)[^\n]*\n(.*?)\n```", re.DOTALL)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_EVENT_HEAD = re.compile(r"^### `([^`]+)`\n\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
# Text only: what is HTML in it is shown, not taken.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Example:
    """A call as a program in each language, and its answer, as a test has seen it."""

    key: str
    programs: Mapping[str, str]
    answer: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document.

    Attributes:
        parts: texts and keys of examples, in their order.
    """

    title: str
    parts: Sequence[Markup | str]

    @property
    def anchor(self) -> str:
        """Where it is found on the page, as on GitHub."""
        return slug(self.title)

    @property
    def keys(self) -> list[str]:
        """The examples of the section."""
        return [part for part in self.parts if not isinstance(part, Markup)]


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the catalogue: what it tells, and a body of it."""

    name: str
    said: Markup
    body: str


@dataclass(slots=True)
class Book:
    """A document of docs/, read once.

    Attributes:
        base: the address of the API that examples shall name.
    """

    name: str
    base: str
    examples: dict[str, Example] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = (DOCS / self.name).read_text().replace(_WRITTEN_FOR, self.base)
        titles, bodies = _SECTION.findall(text), _SECTION.split(text)[2::2]
        for title, body in zip(titles, bodies, strict=True):
            self.sections.append(Section(title, list(self._parts(body))))

    def _parts(self, body: str) -> Iterator[Markup | str]:
        if _EVENT.search(body):
            self.events = [_event(name, told) for name, told in _EVENT_HEAD.findall(body)]
            body = body.partition("\n### ")[0]
        start = 0
        for mark in _EXAMPLE.finditer(body):
            yield from _text(body[start : mark.start()])
            start = mark.end()
            example = _example(mark)
            self.examples[example.key] = example
            yield example.key
        yield from _text(body[start:])


def slug(title: str) -> str:
    """Return a title's anchor."""
    return re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))


def inline(text: str) -> Markup:
    """Return a line of Markdown as HTML."""
    return Markup(_markdown.renderInline(text))  # noqa: S704 - Markdown without HTML


def _text(markdown: str) -> Iterator[Markup]:
    markdown = _ANY_MARK.sub("", markdown).strip()
    if markdown:
        yield _rendered(markdown)


def _rendered(markdown: str) -> Markup:
    tokens = _markdown.parse(markdown)
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slug(tokens[at + 1].content))
        for each in token.children or ():
            _lead_within(each)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    # What scrolls sideways has to be reached by the keyboard, too.
    html = html.replace("<table>", '<div class="scroll" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
    return Markup(html)  # noqa: S704 - Markdown without HTML


def _lead_within(token: Token) -> None:
    """Let a link to another document lead to its place on this page; one to none is not lost."""
    target = str(token.attrs.get("href", ""))
    if token.type != "link_open" or target.startswith(("#", "http")):
        return
    name, _, anchor = target.partition("#")
    within = {"webhooks.md": "in-five-minutes", "api.md": anchor}
    token.attrs["href"] = f"#{anchor or within.get(name, '')}" if name in within else "#top"


def _example(mark: re.Match[str]) -> Example:
    blocks = dict(_BLOCK.findall(mark[3]))
    programs = {tongue: blocks[tongue] for tongue in TONGUES if tongue in blocks}
    return Example(example_key(mark[1], mark[2]), programs, blocks.get("json"))


def _event(name: str, told: str) -> Event:
    body = _EVENT.search(told)
    blocks = _BLOCK.findall(body[2]) if body else []
    said = _ANY_MARK.sub("", _EVENT.sub("", told)).strip()
    return Event(name, _rendered(said), blocks[0][1] if blocks else "")


def code(text: str) -> Markup:
    """Return a program as HTML, its capitals of the environment marked as yours to fill in."""
    marked = re.sub(
        r"(\$[A-Z_]+|os\.environ\[&#39;[A-Z_]+&#39;\])", r"<var>\1</var>", str(escape(text))
    )
    return Markup(marked)  # noqa: S704 - escaped above
