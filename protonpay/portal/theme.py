"""Light or dark: as the system is, unless a page's address has chosen; a cookie remembers it."""

from flask import Response, request

THEMES = ("light", "dark")
SWITCH = "theme"
"""In an address: one of the themes, or ``auto`` for the system's. The cookie has the same name."""

_REMEMBERED = 31_536_000  # s


def chosen() -> str:
    """Return the theme that was chosen, or nothing for the system's."""
    told = request.args.get(SWITCH) or request.cookies.get(SWITCH, "")
    return told if told in THEMES else ""


def given() -> dict[str, str]:
    """Give every template the theme of its page."""
    return {"theme": chosen()}


def remember(response: Response) -> None:
    """Keep what this page's address has chosen."""
    told = request.args.get(SWITCH)
    if told in THEMES:
        response.set_cookie(SWITCH, told, max_age=_REMEMBERED, samesite="Lax")
    if told == "auto":
        response.delete_cookie(SWITCH, samesite="Lax")
