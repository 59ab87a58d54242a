"""GET /pay/<id>: whatever follows the slash, a person gets a page."""

import pytest

from tests.actors import Actor
from tests.invoices.asking import ask

PATHS = ["%00", "cm%00", "%ff%fe", "%ED%A0%80", "a" * 5000, "'%20OR%201=1--", f"cm{'a' * 23}", "CM"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:12])
def test_what_is_no_invoice_is_said_on_a_page(bob: Actor, path: str):
    answer = bob.client.get(f"/pay/{path}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "No such invoice" in answer.text


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_description_is_text_and_never_a_template(bob: Actor, language: str):
    made = ask(bob, description="{seller} {0.__class__} {{ 7 * 7 }} <script>alert(1)</script>")
    page = bob.client.get(f"/pay/{made.id}", headers={"Accept-Language": language}).text
    assert "{seller} {0.__class__} {{ 7 * 7 }} &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.count("<script") == 1, "ours"
