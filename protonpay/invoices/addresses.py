"""Addresses of a seller's own site, as an invoice may name them: checked once, when it is made."""

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from protonpay.kernel.errors import Invalid

_PLAIN = frozenset(map(chr, range(0x21, 0x7F))) - set('\\"<>^`{|}')
"""What an address is written with (RFC 3986); another alphabet is percent-encoded or punycode."""


def redirect(url: str | None) -> str | None:
    """Return where a payer goes back to, as it was told.

    Raises:
        Invalid: not an http or https address with a host and without credentials
            (``invalid_url``).
    """
    if url is not None:
        _parts(url, "redirectUrl")
    return url


def origin(url: str | None) -> str | None:
    """Return the origin of a site that may frame the pay page: ``https://shop.example.com``.

    Raises:
        Invalid: it is more or less than an origin (``invalid_url``).
    """
    if url is None:
        return None
    parts = _parts(url, "embedOrigin")
    said = f"{parts.scheme}://{parts.netloc}"
    if url.removesuffix("/") != said or "*" in said or ";" in said or "," in said:
        raise _invalid("embedOrigin", "Must be an origin: scheme, host and port, without a path.")
    return said


def back_to(url: str, invoice_id: str) -> str:
    """Return a redirect with the invoice's id: it says which, and never that it was paid."""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != _NAME]
    return parts._replace(query=urlencode([*kept, (_NAME, invoice_id)])).geturl()


_NAME = "invoiceId"


def site_of(url: str) -> str:
    """Return the front page of the site that a redirect leads to."""
    return urlsplit(url)._replace(path="/", query="", fragment="").geturl()


def _parts(url: str, member: str) -> SplitResult:
    refusal = _invalid(
        member, "Must be an http or https address with a host and without credentials."
    )
    try:
        parts = urlsplit(url)
        # Reading the port says whether it is one.
        named = parts.hostname is not None and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        raise refusal from None
    if not named or parts.scheme not in ("http", "https") or not _PLAIN.issuperset(url):
        raise refusal
    return parts


def _invalid(member: str, said: str) -> Invalid:
    return Invalid("invalid_url", said, fields={"json": {member: [said]}})
