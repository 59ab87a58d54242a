"""Which language a page is in."""

from tests.actors import Actor


def lang(actor: Actor, path: str, **headers: str) -> str | None:
    return actor.client.get(path, headers=headers).headers["Content-Language"]


def test_an_address_chooses_and_the_choice_is_remembered(alice: Actor):
    page = "/verify-email?token=nobodys"
    assert lang(alice, page, **{"Accept-Language": "en"}) == "en"
    assert lang(alice, f"{page}&lang=ru", **{"Accept-Language": "en"}) == "ru"
    assert lang(alice, page, **{"Accept-Language": "en"}) == "ru"
    assert lang(alice, f"{page}&lang=en") == "en"
    assert lang(alice, page, **{"Accept-Language": "ru"}) == "en"


def test_what_is_no_language_of_ours_chooses_nothing(alice: Actor):
    page = "/verify-email?token=nobodys&lang="
    for odd in ("de", "RU", "", "ru%0d%0aSet-Cookie:%20x=1"):
        assert lang(alice, page + odd, **{"Accept-Language": "ru"}) == "ru"
        assert alice.client.get_cookie("lang") is None
