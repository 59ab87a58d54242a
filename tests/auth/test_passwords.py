"""How passwords are kept, and which are good enough."""

import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.auth import passwords as module
from protonpay.auth.passwords import Cost, Passwords, check_strength
from protonpay.kernel.errors import Invalid, Unavailable

CHEAP = Cost(memory_kib=8, rounds=1)


@pytest.fixture
def keeper() -> Passwords:
    made = Passwords()
    made.set_cost(CHEAP)
    return made


def test_the_cost_is_the_least_that_owasp_asks_for():
    hashed = Passwords().hash("a password")

    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_same_password_is_never_hashed_alike(keeper: Passwords):
    assert keeper.hash("a password") != keeper.hash("a password")


def test_only_the_password_itself_matches(keeper: Passwords):
    stored = keeper.hash("a password")

    assert keeper.matches(stored, "a password")
    for other in ("", "A password", "a password ", "a passwor", "a\u00a0password"):
        assert not keeper.matches(stored, other)


def test_characters_that_look_alike_are_other_characters(keeper: Passwords):
    stored = keeper.hash("caf\u00e9 au lait")

    assert not keeper.matches(stored, "cafe\u0301 au lait")


def test_nobody_has_a_password(keeper: Passwords):
    assert not keeper.matches(None, "nobody has this password")
    assert not keeper.matches("not a hash", "not a hash")


def test_a_hash_of_another_cost_is_outdated(keeper: Passwords):
    stored = keeper.hash("a password")
    assert not keeper.is_outdated(stored)

    keeper.set_cost(Cost(memory_kib=16, rounds=1))

    assert keeper.is_outdated(stored)
    assert keeper.matches(stored, "a password")


def test_one_is_hashed_at_a_time_and_who_waits_too_long_is_told(
    keeper: Passwords, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0)
    with keeper._one:
        for work in (lambda: keeper.hash("x"), lambda: keeper.matches(None, "x")):
            with pytest.raises(Unavailable, match="busy") as refused:
                work()
            assert refused.value.retry_after == 2
    assert keeper.matches(keeper.hash("x"), "x")


def test_a_turn_is_given_back_whatever_happens(keeper: Passwords):
    with pytest.raises(UnicodeEncodeError):
        keeper.hash("\ud800")

    done = threading.Thread(target=keeper.hash, args=("x",))
    done.start()
    done.join(5)
    assert not done.is_alive()


@pytest.mark.parametrize(
    "password",
    [
        "securePassword123",  # the API document's own example
        "correct horse battery staple",
        "x7!Kq9$mZp2w",
        "пароль, который никто не знает",
        "  spaces around it  ",
        "demo-0123456789ab",
    ],
)
def test_good_enough(password: str):
    check_strength(password, email="john@example.com", name="John Doe")


@pytest.mark.parametrize(
    ("password", "email", "name"),
    [
        ("sebastianmueller", "x@example.com", "Sebastian Mueller"),
        ("SebastianMueller1", "x@example.com", "Sebastian Mueller"),
        ("wonderful.address", "wonderful.address@example.com", "X"),
        ("wonderful.address@example.com", "wonderful.address@example.com", "X"),
        ("protonpayprotonpay", "x@example.com", "X"),
    ],
)
def test_what_its_owners_friends_would_try_first_is_weak(password: str, email: str, name: str):
    with pytest.raises(Invalid, match="weak_password"):
        check_strength(password, email=email, name=name)


_ODD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=12, max_size=40)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(password=_ODD | st.from_regex(r"[\d\s./_-]{12,30}", fullmatch=True), name=_ODD)
def test_every_text_is_judged(password: str, name: str):
    """zxcvbn looks for dates, keyboards and repeats; no text may trip it."""
    with suppress(Invalid):
        check_strength(password, email="a@b.de", name=name)
