"""Secrets at rest open for the right key and purpose, untouched, or not at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from protonpay.store.secrets import Safe, Unreadable, prefix

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


def test_who_seals_while_keys_are_read_anew_always_has_one():
    """Threads of a web process share the safe; its keys may be dropped and read at any moment."""
    safe = Safe()
    safe.bind("a key of enough entropy")
    keys = {1: safe.fresh_key(1), 2: safe.fresh_key(2)}
    safe.bind("a key of enough entropy", kept=lambda: keys)

    def work(number: int) -> str:
        safe.forget()
        return safe.open(safe.seal(f"{SECRET} {number}", PURPOSE), PURPOSE)

    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(work, range(400)))
    assert opened == [f"{SECRET} {number}" for number in range(400)]
    assert safe.seal(SECRET, PURPOSE).startswith(prefix(2))


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
