"""Text as a QR code."""

import segno


def svg(text: str) -> str:
    """Return a QR code as SVG to be put into a page: it scales, and needs no other file."""
    # Level M: still read when an eighth of it is worn or covered.
    code = segno.make(text, error="m", micro=False)
    # White beneath it: on a dark page it would not be read.
    return str(code.svg_inline(border=4, light="#fff", omitsize=True))
