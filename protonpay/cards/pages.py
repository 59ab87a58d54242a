"""Where a payer's browser may be sent: to the provider's own pages and nowhere else."""

import re
from typing import Any
from urllib.parse import urlsplit

from protonpay.wire.http import NoAnswer

# Browsers and parsers disagree about what is left out here, backslashes first of all.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,8000}", re.ASCII)


def page_url(value: Any, *, base_url: str, site: str | tuple[str, ...]) -> str:
    """Return the address of a hosted page.

    Args:
        value: what the provider's answer holds.
        base_url: the provider's API; the page may stand on its host, and shares its scheme.
        site: the domain under which the provider's pages stand (``tap.company``), or each.

    Raises:
        NoAnswer: not an address, or not one of the provider's.
    """
    api = urlsplit(base_url)
    try:
        page = urlsplit(value if isinstance(value, str) and _ADDRESS.fullmatch(value) else "")
        host = page.hostname or ""
    except ValueError as error:
        raise NoAnswer("a page without a readable address") from error
    sites = (site,) if isinstance(site, str) else site
    theirs = host == api.hostname or any(f".{host}".endswith(f".{name}") for name in sites)
    if page.scheme != api.scheme or not theirs:
        raise NoAnswer("a page that is not the provider's")
    return page.geturl()
