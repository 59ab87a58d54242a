"""A person at the portal, without a browser: opens pages, fills in the forms that stand there."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask import Flask
from werkzeug.test import TestResponse

from tests.actors import PASSWORD, Actor


@dataclass
class Shown:
    """A form of a page.

    Attributes:
        fields: what would be sent, as it stands: hidden and filled-in values, the first options.
        seen: the names of fields that a person fills in or picks.
    """

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


class Screen(HTMLParser):
    """What a page shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Shown] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.html = html
        self._form: Shown | None = None
        self._select = ""
        self.feed(html)
        self.text = " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Shown(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif self._form is not None:
            self._take(tag, given)

    def _take(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None
        fields, name = self._form.fields, given.get("name", "")
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            self._form.seen.add(name)
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            fields[name] = given.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in given or self._select not in fields):
            fields[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def form(self, action: str) -> Shown:
        """Return the form that is sent to an address."""
        found = [each for each in self.forms if each.action == action]
        assert found, (action, [each.action for each in self.forms])
        return found[0]


class Reader:
    """A browser with cookies, and the page it is at."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.answer: TestResponse | None = None
        self.at = Screen("")

    def open(self, path: str, language: str = "en") -> Screen:
        """Open a page, wherever it leads to."""
        return self._see(self.client.get(path, headers={"Accept-Language": language}))

    def send(self, action: str, **filled: str | list[str]) -> Screen:
        """Fill in a form of this page and send it; what it leads to is opened."""
        form = self.at.form(action)
        values = {**form.fields, **filled}
        if form.method == "get":
            return self._see(self.client.get(action, query_string=values))
        return self._see(self.client.post(action, data=values))

    def again(self, action: str, fields: dict[str, str]) -> TestResponse:
        """Send what was sent before once more, and follow nothing."""
        return self.client.post(action, data=fields)

    @property
    def status(self) -> int:
        assert self.answer is not None
        return self.answer.status_code

    def _see(self, answer: TestResponse) -> Screen:
        while answer.status_code in {302, 303} and answer.headers["Location"].startswith("/"):
            answer = self.client.get(answer.headers["Location"])
        self.answer = answer
        self.at = Screen(answer.get_data(as_text=True))
        return self.at


def sign_in(app: Flask, actor: Actor, password: str = PASSWORD) -> Reader:
    """Sign an account in at the portal, and open no page yet."""
    reader = Reader(app)
    form = reader.open("/login").form("/login")
    reader.again("/login", {**form.fields, "email": actor.email, "password": password})
    return reader
