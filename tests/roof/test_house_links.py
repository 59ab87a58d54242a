"""Where people ask for help and what they agree to: settings, linked from every page."""

import pytest

from tests.another_app import another_app

SAID = {"HELP_URL": "mailto:help@example.com", "TERMS_URL": "https://example.com/terms"}


@pytest.mark.parametrize(
    "path", ["/", "/login", "/register", "/pay/cmnobodysinvoice00000000000", "/docs"]
)
def test_linked_from_every_page_where_they_are_set(settings: dict[str, str], path: str):
    with another_app(settings, **SAID) as app:
        page = app.test_client().get(path).get_data(as_text=True)
    for word, url in (("Help", SAID["HELP_URL"]), ("Terms", SAID["TERMS_URL"])):
        assert page.count(f'<a href="{url}" rel="noreferrer">{word}</a>') == 1
    with another_app(settings) as app:
        page = app.test_client().get(path).get_data(as_text=True)
    assert "Help</a>" not in page
    assert "Terms</a>" not in page
