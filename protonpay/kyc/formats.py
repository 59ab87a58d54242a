"""What a document may be: told by how its bytes begin, never by a name or by what is said of it."""

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"

_BEGINNINGS = (
    # ISO/IEC 10918-1 B.1.1.3: start of image, and the first byte of the marker behind it.
    (b"\xff\xd8\xff", JPEG),
    # W3C PNG 5.2 and 5.3: the signature, and IHDR, which is 13 bytes long, as the first chunk.
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", PNG),
    # ISO 32000-1 7.5.2; readers that look further into a file for it are no reason to.
    (b"%PDF-", PDF),
)
MEDIA_TYPES = tuple(media_type for _, media_type in _BEGINNINGS)


def media_type_of(content: bytes) -> str | None:
    """Return the media type that a content's beginning tells, None if it is none of ours."""
    found = (name for beginning, name in _BEGINNINGS if content.startswith(beginning))
    return next(found, None)
