"""Finding people, and making new ones."""

import pytest
from sqlalchemy import text

from protonpay.kernel.errors import Conflict, Forbidden, NotFound
from protonpay.kernel.states import IllegalMove
from protonpay.store.db import db, transaction
from protonpay.users import service
from protonpay.users.models import User
from tests.actors import Actor
from tests.unchanged import nothing_changes


def _create(email: str) -> User:
    return service.create(name="Eve", email=email, password_hash="x", plan="default", language="en")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("john@example.com", "JOHN@Example.COM"),
        ("straße@example.com", "STRASSE@example.com"),
        ("ｊｏｈｎ@example.com", "john@example.com"),  # noqa: RUF001 - full width
        ("caf\u00e9@example.com", "cafe\u0301@example.com"),
    ],
)
def test_one_key_for_every_spelling_of_an_address(one: str, other: str):
    assert service.email_key(one) == service.email_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("john@example.com", "john+tag@example.com"),
        ("john.doe@example.com", "johndoe@example.com"),
        ("john@example.com", "john@example.org"),
        ("john@example.com", " john@example.com"),
    ],
)
def test_what_differs_for_a_mail_server_differs_for_us(one: str, other: str):
    assert service.email_key(one) != service.email_key(other)


def test_a_user_is_made_in_the_callers_transaction_only(house: object):
    with nothing_changes(), pytest.raises(RuntimeError):
        _create("eve@example.com")


def test_a_user_goes_with_the_transaction_that_made_it(house: object):
    with nothing_changes(), pytest.raises(NotFound), transaction():
        service.lock(_create("eve@example.com").id + "x")


def test_a_taken_address_is_a_conflict_and_the_transaction_goes_on(alice: Actor):
    with transaction() as session:
        with pytest.raises(Conflict, match="email_taken"):
            _create(alice.email.upper())
        assert session.execute(text("SELECT 1")).scalar() == 1


def test_people_are_found_by_id_and_by_address(alice: Actor):
    assert service.get(alice.id).email == alice.email
    found = service.find_by_email(alice.email.title())
    assert found is not None
    assert found.id == alice.id
    assert service.find_by_email("nobody@example.com") is None
    with pytest.raises(NotFound, match="not_found"):
        service.get("cmnobody0000")


def test_both_sides_of_a_payment_are_found_at_once(alice: Actor, bob: Actor):
    for identifier in (bob.email, bob.email.upper(), bob.public_id):
        sender, recipient = service.find_parties(alice.id, identifier)
        assert (sender.user_id, sender.email, sender.public_id, sender.plan) == (
            *(alice.id, alice.email, alice.public_id, "default"),
        )
        assert recipient is not None
        assert (recipient.user_id, recipient.email, recipient.public_id) == (
            *(bob.id, bob.email, bob.public_id),
        )


@pytest.mark.parametrize("identifier", ["nobody@example.com", "PP-00000000", "", "%", "' OR 1=1--"])
def test_nobody_is_found_for_what_nobody_has(alice: Actor, identifier: str):
    assert service.find_parties(alice.id, identifier)[1] is None


def test_a_public_id_is_upper_case_as_it_is_printed(alice: Actor, bob: Actor):
    assert service.find_parties(alice.id, bob.public_id.lower())[1] is None


def test_who_is_suspended_neither_sends_nor_receives(alice: Actor, bob: Actor):
    with transaction():
        service.set_standing(bob.id, "SUSPENDED")

    assert service.find_parties(alice.id, bob.email)[1] is None
    with pytest.raises(Forbidden, match="account_suspended"):
        service.find_parties(bob.id, alice.email)
    with pytest.raises(Forbidden, match="account_suspended"):
        service.find_parties("cmnobody0000", alice.email)


def test_a_lock_reads_the_row_as_it_is_now(alice: Actor):
    """A row read before may be older than the lock."""
    before = service.get(alice.id)
    db.session.execute(
        text("UPDATE users SET standing = 'SUSPENDED' WHERE id = :id"), {"id": alice.id}
    )
    assert before.standing == "ACTIVE"

    with transaction():
        assert service.lock(alice.id).standing == "SUSPENDED"


def test_a_lock_needs_a_transaction_and_a_user(house: object):
    with pytest.raises(RuntimeError):
        service.lock("cmnobody0000")
    with pytest.raises(NotFound), transaction():
        service.lock("cmnobody0000")


def test_a_standing_moves_through_its_table(alice: Actor):
    with transaction():
        service.set_standing(alice.id, "ACTIVE")
        service.set_standing(alice.id, "SUSPENDED")
        service.set_standing(alice.id, "SUSPENDED")
        with pytest.raises(IllegalMove):
            service.set_standing(alice.id, "DELETED")
    assert service.get(alice.id).standing == "SUSPENDED"
