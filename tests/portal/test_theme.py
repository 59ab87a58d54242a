"""Light and dark: one list of colours, and who chooses."""

import re

from protonpay.portal import theme
from tests.actors import Actor
from tests.portal.test_catalogue import PORTAL

STYLES = PORTAL / "static"


def test_the_dark_list_is_the_same_in_both_places_and_whole():
    text = (STYLES / "tokens.css").read_text()
    light, dark, chosen = (
        dict(re.findall(r"--([\w-]+): (#\w+);", block))
        for block in re.findall(r"{([^{}]*--[^}]*)}", text)
    )
    assert dark == chosen
    assert light.keys() == dark.keys()
    assert len(light) > 20


def test_every_token_that_is_used_is_there():
    tokens = set(re.findall(r"--([\w-]+):", (STYLES / "tokens.css").read_text()))
    for path in STYLES.glob("*.css"):
        text = path.read_text()
        own = set(re.findall(r"--([\w-]+):", text))
        assert set(re.findall(r"var\(--([\w-]+)\)", text)) - tokens - own == set(), path.name


def _theme(actor: Actor, query: str = "") -> str | None:
    found = re.search(
        r'<html[^>]* data-theme="(\w+)"', actor.client.get(f"/components{query}").text
    )
    return found[1] if found else None


def test_an_address_chooses_and_the_choice_is_remembered(alice: Actor):
    assert _theme(alice) is None
    assert [_theme(alice, "?theme=dark"), _theme(alice)] == ["dark", "dark"]
    assert [_theme(alice, "?theme=purple"), _theme(alice)] == [None, "dark"]
    assert [_theme(alice, "?theme=auto"), _theme(alice)] == [None, None]
    assert theme.THEMES == ("light", "dark")
