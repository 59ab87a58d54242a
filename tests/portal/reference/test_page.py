"""/docs: every call, every event and every example, on a page of ours alone."""

import json
import re
from functools import cache
from typing import Any

import pytest
from flask import Flask

from protonpay.kernel.events import NAMES
from protonpay.portal.reference import prose
from protonpay.portal.reference.operations import example_key, kind_of
from protonpay.portal.reference.pages import Source, manual
from protonpay.portal.words import speaker
from protonpay.web.limits import buckets
from tests.api import reference as examples
from tests.portal.test_pay_page import Page


@cache
def html(app: Flask, language: str = "en") -> str:
    answer = app.test_client().get("/docs", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return app.test_client().get("/api/openapi.json").get_json()


def test_every_call_is_told_once_with_its_members(app: Flask, document: dict[str, Any]):
    text = html(app)
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if method != "parameters":
                assert text.count(f'id="{told["operationId"]}"') == 1, path
    order = document["components"]["schemas"]["PayoutOrder"]["properties"]
    article = text.partition('id="payouts_withdraw"')[2].partition("</article>")[0]
    assert all(f"<code>{name}</code>" in article for name in order)
    assert article.count(">required<") == 3
    assert "<code>withdrawals:write</code>" in article
    assert "Idempotency-Key" in article
    assert "<code>payout.walletAddress</code>" in article


def test_every_example_is_shown_in_each_language_with_this_installations_address(app: Flask):
    known = manual().api.examples
    assert {example_key(*name.split(" ", 1)) for name in examples.marked()} == known.keys()
    assert known.keys() <= manual().operations.keys()
    for example in known.values():
        assert [*example.programs] == ["sh", "python", "js"], example.key
        assert all("https://protonpay.org/api" not in text for text in example.programs.values())
    assert html(app).count('class="sample of-js"') == len(known)


def test_the_rates_are_those_of_the_settings(app: Flask):
    limits = html(app).partition('id="limits"')[2].partition("</section>")[0]
    for count, span in buckets.told().values():
        assert f"{count} requests · {span} s" in limits.replace(",", "")


def test_it_is_made_once_for_each_look(app: Flask):
    client = app.test_client()
    dark, light = (client.get(f"/docs?theme={each}").text for each in ("dark", "light"))
    assert ('data-theme="dark"' in dark, 'data-theme="light"' in light) == (True, True)
    assert client.get("/docs?theme=dark").text == dark


def test_every_event_has_its_words_and_a_payload():
    events = manual().webhooks.events
    assert {event.name for event in events} == set(NAMES)
    for event in events:
        assert json.loads(event.body)["event"] == event.name
        assert event.said


def test_every_anchor_is_there_once_and_no_link_leads_nowhere(app: Flask):
    page = Page(html(app))
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert sorted(ids) == sorted(set(ids))
    within = {link["href"] for link in page.all("a") if (link["href"] or "").startswith("#")}
    assert {f"#{one}" for one in ids} >= within
    others = {link["href"] for link in page.all("a")} - within
    assert {"/app", "/api/openapi.json", "/api/docs", "?lang=ru"} <= others


def test_nothing_of_others_is_loaded_and_nothing_is_inline(app: Flask):
    answer = app.test_client().get("/docs")
    page = Page(answer.get_data(as_text=True))
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert page.all("script") == [{"src": "/static/reference.js", "type": "module"}]
    assert page.all("style") == page.all("iframe") == page.all("img")[1:] == []
    assert all((link["href"] or "").startswith("/static/") for link in page.all("link"))
    assert not [given for _, given in page.elements if "style" in given]


def test_the_chrome_is_in_russian_and_says_what_is_not(app: Flask):
    russian = html(app, "ru")
    for said in ("Справочник API", "Назад в портал", "Тело запроса"):
        assert said in russian
    counts = re.findall(r">(?:<span[^>]*>[^<]*</span>)?(\d+) (вызов\w*)</summary>", russian)
    assert len(counts) > 5
    say = speaker("ru")
    assert [" ".join(each) for each in counts] == [
        say("{count} calls", count=int(number)) for number, _ in counts
    ]
    assert "Request body" not in russian
    assert 'class="prose" lang="en"' in russian


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "text"),
        ({"type": ["string", "number"]}, "text or number"),
        ({"type": ["string", "null"], "format": "date-time"}, "time"),
        ({"type": "array", "items": {"type": "integer"}}, "list of whole number"),
        ({"type": "array", "items": {"$ref": "#/x"}}, "list"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}, "text or number"),
        ({"properties": {}}, "object"),
        ({}, "any"),
    ],
)
def test_types_in_words(schema: dict[str, Any], said: str):
    assert kind_of(schema) == said


def test_html_in_a_document_is_text():
    assert "<script" not in prose.inline("<script>alert(1)</script> `x`")
    assert "<b>" not in prose.code("<b>$TOKEN</b>")
    assert "<var>$TOKEN</var>" in prose.code("<b>$TOKEN</b>")


def test_without_a_document_it_says_so():
    with pytest.raises(RuntimeError):
        Source().document()


def test_anchors_are_those_of_github():
    assert prose.slug("When it does not work") == "when-it-does-not-work"
    assert re.fullmatch(r"[\w-]+", prose.slug("`payout.failed`"))
