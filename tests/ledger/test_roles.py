"""What the database lets the program do to the book, whatever the program tries.

What holds, exactly. Every connection of the program is switched to ``protonpay_app`` as it
opens. Under that role no statement writes the book but through its functions, and ``RESET
ROLE`` stays there. It is a guard against slips and injected expressions; a login that *owns*
the tables can leave it on purpose (``SET ROLE NONE``), and even then entries and postings are
append-only. Where that is not enough, ``DATABASE_URL`` names a login that owns nothing and is
only a member of the role: the program needs no more, and nothing leads out of it.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import ZERO
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.store import db
from protonpay.store.db import APPLICATION_ROLE
from tests.ledger import book
from tests.ledger.book import available, new_user, usdc

SLIPS = {
    "ledger_accounts": "may_go_negative = true",
    "ledger_balances": "micro = 1",
    "ledger_pending": "micro = 1",
    "journal_entries": "kind = 'gift'",
    "postings": "micro = 1",
    "ledger_seals": "hash = sha256('')",
    "ledger_seal_mark": "position = 1",
}
WRITES = {
    "insert": "INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table}",
    "update": "UPDATE {table} SET {slip}",
    "update of nothing": "UPDATE {table} SET {slip} WHERE false",
    "insert or update": (
        "INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table} "
        "ON CONFLICT ON CONSTRAINT pk_{table} DO UPDATE SET {slip}"
    ),
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table} CASCADE",
}


def _write(verb: str, table: str) -> str:
    return WRITES[verb].format(table=table, slip=SLIPS[table])


def _as_program(statement: str) -> None:
    with db.transaction():
        db.execute(statement, {})


def _as_owner(statement: str) -> None:
    with db.transaction():
        db.execute("SET LOCAL ROLE NONE", {})
        db.execute(statement, {})


@pytest.mark.usefixtures("house")
class TestTheProgram:
    def test_speaks_as_the_application_role(self):
        assert db.execute("SELECT current_user", {}).fetchone() == (APPLICATION_ROLE,)

    @pytest.mark.parametrize("table", book.TABLES)
    @pytest.mark.parametrize("verb", WRITES)
    def test_may_not_write_the_book_by_hand(self, verb: str, table: str):
        new_user("10")
        before = book.whole()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _as_program(_write(verb, table))
        assert book.whole() == before

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER TABLE postings DISABLE TRIGGER append_only",
            "DROP TRIGGER append_only ON postings",
            "ALTER TABLE ledger_balances DROP CONSTRAINT ck_ledger_balances_not_below_zero",
            "DROP TABLE postings CASCADE",
            "DROP FUNCTION ledger_fold(integer)",
            "ALTER FUNCTION ledger_fold(integer) SECURITY INVOKER",
            "SELECT ledger_fold_account(1)",
            "SELECT setval('ledger_accounts_id_seq', 1)",
            "SET session_replication_role = replica",
            "ALTER TABLE postings OWNER TO protonpay_app",
            "CREATE TABLE public.anything (id int)",
            "CREATE SCHEMA elsewhere",
            "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ],
    )
    def test_may_not_change_the_rules(self, statement: str):
        before = book.whole()
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType)):
            _as_program(statement)
        assert book.whole() == before

    def test_cannot_slip_its_own_tables_under_the_functions(self):
        user, other = new_user("10"), new_user()
        with db.transaction():
            db.execute("CREATE TEMP TABLE ledger_balances (LIKE public.ledger_balances)", {})
            db.execute("CREATE TEMP TABLE ledger_accounts (LIKE public.ledger_accounts)", {})
            db.execute("SET LOCAL search_path = pg_temp, public", {})
            with pytest.raises(Invalid), db.db.session.begin_nested():
                ledger.post(entries.transfer("t1", user, other, usdc("11"), ZERO))
            ledger.post(entries.transfer("t2", user, other, usdc("4"), ZERO))
            db.execute("DROP TABLE pg_temp.ledger_balances, pg_temp.ledger_accounts", {})
        assert (available(user), available(other)) == (usdc("6"), usdc("4"))


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("table", ["journal_entries", "postings"])
@pytest.mark.parametrize("verb", sorted(WRITES.keys() - {"insert"}))
def test_what_was_booked_stays_even_for_the_owner(verb: str, table: str):
    new_user("10")
    before = book.whole()
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        _as_owner(_write(verb, table))
    assert book.whole() == before


@pytest.fixture
def as_the_program(settings: dict[str, str]) -> Iterator["psycopg.Connection[Any]"]:
    """A connection as the program opens one, of a login that owns the tables."""
    options = f"-c role={APPLICATION_ROLE}"
    with psycopg.connect(settings["DATABASE_URL"], options=options, autocommit=True) as line:
        yield line


def _role(line: "psycopg.Connection[Any]") -> str:
    found = line.execute("SELECT current_user").fetchone()
    return str(found[0]) if found else ""


@pytest.mark.parametrize("reset", ["RESET ROLE", "RESET ALL", "SET role = DEFAULT", "DISCARD ALL"])
def test_resetting_a_connection_leaves_it_in_the_role(as_the_program, reset: str):
    as_the_program.execute(reset)
    assert _role(as_the_program) == APPLICATION_ROLE


def test_a_login_that_owns_the_tables_can_leave_the_role_on_purpose(as_the_program):
    """The limit of the guard: see the top of this page for what to do about it."""
    as_the_program.execute("SET ROLE NONE")
    assert _role(as_the_program) == "protonpay"


@pytest.fixture
def member(services: Any, settings: dict[str, str]) -> Iterator[str]:
    """The address of the same database for a login that owns nothing."""
    server = services.postgres
    server.order("CREATE ROLE {} LOGIN", "only_a_member")
    server.order("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE", APPLICATION_ROLE, "only_a_member")
    database = settings["DATABASE_URL"].partition("@/")[2].partition("?")[0]
    try:
        yield server.url(database, user="only_a_member")
    finally:
        server.order("DROP ROLE {}", "only_a_member")


@pytest.mark.parametrize(
    "way_out",
    [
        "SET ROLE NONE",
        "SET ROLE protonpay",
        "SET ROLE proton",
        "SET SESSION AUTHORIZATION protonpay",
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET ROLE",
    ],
)
def test_nothing_leads_a_mere_member_to_the_book(member: str, way_out: str):
    with psycopg.connect(member, options=f"-c role={APPLICATION_ROLE}", autocommit=True) as line:
        try:
            line.execute(way_out)
        except psycopg.errors.InsufficientPrivilege:
            assert _role(line) == APPLICATION_ROLE
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            line.execute("UPDATE ledger_balances SET micro = micro + 1")


def test_a_mere_member_is_all_the_program_needs(house, member: str):
    options = f"-c role={APPLICATION_ROLE}"
    with psycopg.connect(member, options=options) as line:
        accounts = [chart.available("x"), chart.custody("Somewhere")]
        line.execute("SELECT ledger_open(%s::text[], %s::boolean[])", (accounts, [False, True]))
        posted = line.execute(
            "SELECT balances FROM ledger_post('r', 'gift', %s, %s, %s::bigint[])",
            ([accounts[1]], [accounts[0]], [5]),
        ).fetchone()
        assert posted == ([-5],)
        assert line.execute("SELECT ledger_fold(10)").fetchone() == (2,)
        assert line.execute("SELECT ledger_balance(%s)", (accounts[0],)).fetchone() == (5,)
        assert line.execute("SELECT version_num FROM alembic_version").fetchone()
        line.execute("SELECT FROM users, plans, outbox, events")
        line.rollback()


def _grants(query: str) -> set[tuple[str, ...]]:
    return set(db.execute(query, {}).fetchall())


def test_the_role_may_read_the_tables_of_the_book_and_nothing_else(house):
    query = """
        SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
        AND (c.relname ~ '^(ledger_|journal_|postings)')
    """
    assert _grants(query) == {(table, "SELECT") for table in book.TABLES}


def test_the_role_may_call_these_functions_and_nobody_else_any(house):
    query = """
        SELECT p.proname, r.rolname FROM pg_proc p, aclexplode(p.proacl) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.pronamespace = 'public'::regnamespace AND a.grantee <> p.proowner
    """
    names = (
        *("ledger_open", "ledger_post", "ledger_balance", "ledger_fold", "ledger_claim"),
        *(
            "ledger_line_up",
            "ledger_post_all",
            "ledger_seal",
            "ledger_entry_text",
            "make_months",
            "drop_months",
        ),
    )
    assert _grants(query) == {(name, APPLICATION_ROLE) for name in names}


def test_functions_that_act_as_the_owner_look_names_up_where_nobody_can_put_any(house):
    query = """
        SELECT proname, proconfig[1] FROM pg_proc
        WHERE prosecdef AND pronamespace = 'public'::regnamespace
    """
    names = (
        *("ledger_open", "ledger_post", "ledger_fold", "ledger_claim", "ledger_seal"),
        *("ledger_line_up", "ledger_post_all"),
        *("make_months", "drop_months"),
    )
    assert _grants(query) == {(name, "search_path=pg_catalog, pg_temp") for name in names}
