"""Secrets at rest open for the right key and purpose, untouched, or not at all."""

import pytest

from protonpay.store.secrets import Safe, Unreadable

SECRET, PURPOSE = "whsec_sesame — ключ", "webhook endpoint secret"


def _safe(key: str = "a key of enough entropy") -> Safe:
    made = Safe()
    made.bind(key)
    return made


def test_what_is_sealed_opens_again():
    assert _safe().open(_safe().seal(SECRET, PURPOSE), PURPOSE) == SECRET
    assert _safe().open(_safe().seal("", PURPOSE), PURPOSE) == ""


def test_nothing_of_the_secret_shows_and_no_two_seals_are_alike():
    safe = _safe()
    sealed = {safe.seal(SECRET, PURPOSE) for _ in range(50)}
    assert len(sealed) == 50
    assert not any(b"sesame" in one for one in sealed)


def test_a_seal_belongs_to_its_purpose():
    sealed = _safe().seal(SECRET, PURPOSE)
    with pytest.raises(Unreadable):
        _safe().open(sealed, "another column")


def test_a_seal_belongs_to_its_key():
    sealed = _safe().seal(SECRET, PURPOSE)
    with pytest.raises(Unreadable):
        _safe("another key of enough entropy").open(sealed, PURPOSE)


def test_no_changed_byte_goes_unnoticed():
    safe = _safe()
    sealed = safe.seal(SECRET, PURPOSE)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Unreadable):
            safe.open(bytes(changed), PURPOSE)


def test_no_missing_or_added_byte_goes_unnoticed():
    safe = _safe()
    sealed = safe.seal(SECRET, PURPOSE)
    for wrong in [sealed[:length] for length in range(len(sealed))] + [sealed + b"\x00"]:
        with pytest.raises(Unreadable):
            safe.open(wrong, PURPOSE)


def test_a_safe_without_a_key_does_nothing():
    with pytest.raises(RuntimeError, match="bound by create_app"):
        Safe().seal(SECRET, PURPOSE)
    with pytest.raises(RuntimeError, match="bound by create_app"):
        Safe().open(_safe().seal(SECRET, PURPOSE), PURPOSE)
