"""Every screen opens: for its reader, in both languages, and for nobody else."""

import pytest
from flask import Flask

from tests.actors import Actor
from tests.portal.client.reader import Reader, sign_in

SCREENS = (
    "/app",
    "/app/deposit",
    "/app/withdraw",
    "/app/transfer",
    "/app/activity",
    "/app/search",
    "/app/invoices",
    "/app/invoices/new",
    "/app/statements",
    "/app/keys",
    "/app/webhooks",
    "/app/events",
    "/app/requests",
    "/app/test",
    "/app/verify",
    "/app/fees",
    "/app/addresses",
    "/app/identity",
    "/app/team",
    "/app/join",
    "/app/notifications",
    "/app/notifications/preferences",
    "/app/security",
    "/app/security/sign-ins",
    "/app/preferences",
)


def test_every_screen_opens_in_both_languages(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    for path in SCREENS:
        for language in ("en", "ru"):
            screen = reader.open(f"{path}?lang={language}")
            assert reader.status == 200, (path, screen.text)
            assert f'<html lang="{language}">' in screen.html


@pytest.mark.parametrize("path", SCREENS)
def test_who_is_signed_out_is_asked_to_sign_in(house: Flask, path: str):
    reader = Reader(house)
    answer = reader.client.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=%2Fapp")
