"""Cases and people there were before providers and levels go on as they were."""

from types import SimpleNamespace

import psycopg

from tests.conftest import migrate

BEFORE = "0041"
NAME = "identities_before"
_USER = """
    INSERT INTO users (id, public_id, name, email, email_key, password_hash, role, standing, plan,
                       created_at, language, identity_approved_at)
    VALUES (%(id)s, upper(%(id)s), 'A', %(id)s, %(id)s, 'x', 'USER', 'ACTIVE', 'default', now(),
            'en', CASE WHEN %(state)s = 'APPROVED' THEN now() END)
"""
_CASE = """
    INSERT INTO kyc_cases (id, user_id, state, person, submitted_at)
    VALUES ('case-' || %(id)s, %(id)s, %(state)s, '\\x01', now())
"""
_ASKED = """
    SELECT state, submission, provider, reference, identity_level
    FROM kyc_cases JOIN users ON users.id = user_id ORDER BY state
"""


def test_who_was_approved_is_at_the_first_level_and_who_waits_waits_for_people(
    services: SimpleNamespace,
):
    url = services.postgres.create_database(NAME)
    try:
        migrate(url, BEFORE)
        with psycopg.connect(url, autocommit=True) as connection:
            for number, state in enumerate(("APPROVED", "PENDING", "REJECTED")):
                named = {"id": f"cmuser{number}", "state": state}
                connection.execute(_USER, named)
                connection.execute(_CASE, named)
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            rows = connection.execute(_ASKED).fetchall()
            levels = connection.execute("SELECT level_limits FROM plans").fetchall()
    finally:
        services.postgres.drop_database(NAME)
    assert rows == [
        ("APPROVED", 1, "manual", None, 1),
        ("PENDING", 1, "manual", None, 0),
        ("REJECTED", 1, "manual", None, 0),
    ]
    assert levels == [({},)]
