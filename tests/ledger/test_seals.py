"""The chain over the book: every committed entry once, without gaps, and no past rewritten."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from protonpay.kernel.money import ZERO
from protonpay.ledger import audit, entries, seals
from protonpay.ledger import service as ledger
from protonpay.store import db
from tests.committed import OpenHouse
from tests.ledger.book import new_user, post, usdc
from tests.patience import until

CHAIN = "the chain of seals holds"


def _transfers(count: int) -> tuple[str, str]:
    ada, ben = new_user("100"), new_user()
    for number in range(count):
        post(entries.transfer(f"{ada}{number}", ada, ben, usdc("1"), usdc("0.25")))
    return ada, ben


def _sealed() -> list[str]:
    """References in the order of the chain."""
    return [json.loads(text)[2] for _, _, text in seals.export()]


@contextmanager
def _posting(open_house: OpenHouse, reference: str) -> Iterator[None]:
    """Post in a transaction that stays open as long as the block runs, then commits."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with open_house.app.app_context(), db.transaction():
            ledger.post(entries.capital(reference, "Base", usdc("1")))
            begun.set()
            assert go_on.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert begun.wait(30)
        yield
    finally:
        go_on.set()
        thread.join()


def test_the_chain_is_what_anybody_computes_from_its_export(open_house: OpenHouse):
    ada, ben = _transfers(3)
    seals.seal_all()
    previous, lines = bytes(32), list(seals.export())
    for place, (position, shown, text) in enumerate(lines, 1):
        assert position == place
        previous = hashlib.sha256(previous + text.encode()).digest()
        assert shown == previous.hex()
    assert [json.loads(text)[2] for *_, text in lines] == [
        f"deposit:{ada}:credit",
        *(f"transfer:{ada}{number}" for number in range(3)),
    ]
    assert json.loads(lines[1][2])[5:] == [
        *("1", f"user:{ada}:available", f"user:{ben}:available", "1000000"),
        *("2", f"user:{ada}:available", "revenue:fees", "250000"),
    ]
    assert seals.hash_at(4) == previous
    assert seals.hash_at(0) == seals.GENESIS
    assert seals.hash_at(5) is None


def test_what_a_reference_holds_is_hashed_as_json_writes_it(open_house: OpenHouse):
    odd = 'a "quoted"\\ \n\t\x01 тест €😀 /'
    with open_house.superuser() as above:
        above.execute("INSERT INTO journal_entries (reference, kind) VALUES (%s, 'gift')", (odd,))
    seals.seal_all()
    (_, _, text) = list(seals.export())[-1]
    assert json.loads(text)[2] == odd
    assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def test_batches_make_the_same_chain_as_one(open_house: OpenHouse):
    _transfers(7)
    sizes = []
    while (done := seals.seal(3)).entries:
        sizes.append((done.entries, done.whole))
    assert sizes == [(3, False), (3, False), (2, True)]
    assert seals.check(1, 8) == []
    assert len(_sealed()) == seals.length() == 8


def test_an_entry_that_commits_late_has_a_later_place_and_none_is_left_out(open_house: OpenHouse):
    ada, _ = _transfers(1)
    post(entries.capital("start", "Base", usdc("50")))
    seals.seal_all()
    with _posting(open_house, "late"):
        post(entries.gift("early", ada, usdc("1")))
        for _ in range(3):
            seals.seal_all()
        assert _sealed()[-1] == "gift:early"
        settled = db.execute("SELECT settled FROM ledger_seal_mark", {}).fetchone()[0]
        db.release()
    post(entries.gift("after", ada, usdc("1")))
    for _ in range(3):
        seals.seal_all()
    assert _sealed()[-3:] == ["gift:early", "capital:late", "gift:after"]
    ids = db.execute(
        "SELECT array_agg(entry_id ORDER BY position) FROM ledger_seals WHERE position > 3", {}
    ).fetchone()[0]
    assert ids[1] < ids[0] < ids[2]
    assert settled < ids[1]
    now = db.execute("SELECT settled FROM ledger_seal_mark", {}).fetchone()[0]
    assert now == ids[2]


def test_the_lag_is_of_the_oldest_entry_that_has_no_seal(open_house: OpenHouse):
    _transfers(2)
    assert seals.lag().entries == 3
    seals.seal_all()
    assert seals.lag() == seals.Lag(0, 0)
    post(entries.capital("waits", "Base", usdc("5")))
    post(entries.capital("young", "Base", usdc("5")))
    with open_house.superuser() as above:
        above.execute("SET session_replication_role = replica")
        # Those that are sealed are older still, and do not count.
        above.execute("UPDATE journal_entries SET posted_at = now() - interval '1 day'")
        above.execute(
            "UPDATE journal_entries SET posted_at = now() - interval '90 s'"
            " WHERE reference LIKE 'capital:%'"
        )
        above.execute(
            "UPDATE journal_entries SET posted_at = now() + interval '1 day'"
            " WHERE reference = 'capital:young'"
        )
    lag = seals.lag()
    assert lag.entries == 2
    # Only how slow this machine is can make it more.
    assert 90 <= lag.seconds < 390
    assert seals.seal(1).entries == 1
    # The clock of who posted may be ahead: that is no lag.
    assert seals.lag() == seals.Lag(1, 0)


def test_a_dump_that_another_server_restored_goes_on(open_house: OpenHouse):
    ada, _ = _transfers(2)
    seals.seal_all()
    with open_house.superuser() as above:
        above.execute("UPDATE ledger_seal_mark SET seen_before = 1::bigint << 60")
    post(entries.payout_hold("p", ada, usdc("1")))
    for _ in range(2):
        seals.seal_all()
    assert _sealed()[-1] == "payout:p:hold"
    row = db.execute(
        "SELECT settled, seen, seen_before < 1::bigint << 60 FROM ledger_seal_mark", {}
    )
    settled, seen, ours = row.fetchone()
    assert (settled, ours) == (seen, True)


def test_many_post_and_several_seal_at_once(open_house: OpenHouse):
    ada, ben = _transfers(1)
    pairs = ((ada, ben), (ben, ada))

    def pay(worker: int) -> None:
        for number in range(20):
            sender, recipient = pairs[number % 2]
            post(entries.transfer(f"w{worker}n{number}", sender, recipient, usdc("0.01"), ZERO))

    def seal() -> None:
        for _ in range(40):
            seals.seal(7)
            db.release()

    works = [*(lambda n=n: pay(n) for n in range(6)), seal, seal]
    assert open_house.inside_at_once(works) == [None] * 8

    def whole() -> bool:
        # What is under way in another database of this server holds the last ones back, too.
        seals.seal_all()
        db.release()
        return seals.length() == 2 + 6 * 20

    until(whole, what="every entry in the chain")
    assert len(set(_sealed())) == 2 + 6 * 20
    assert audit.findings(whole_chain=True) == []


def test_the_cut_is_the_book_at_its_position(open_house: OpenHouse):
    ada, ben = _transfers(2)
    post(entries.payout_hold("p", ada, usdc("10")))
    seals.seal_all()
    post(entries.transfer("beyond", ada, ben, usdc("5"), ZERO))
    late = new_user("3")
    cut = seals.cut()
    assert (cut.position, cut.hash) == (4, seals.hash_at(4))
    assert cut.balances == {ada: usdc("97.5"), ben: usdc("2"), late: ZERO}
    # Part of what followed is sealed: the cut stays where the book was at rest.
    assert not seals.seal(1).whole
    assert seals.cut() == cut
    seals.seal_all()
    assert seals.cut().balances == {ada: usdc("92.5"), ben: usdc("7"), late: usdc("3")}


def test_a_debt_is_told_apart_and_taken_off_nobody(open_house: OpenHouse):
    ada, ben = new_user("10"), new_user("10")
    refund = entries.Refund(usdc("4"), ZERO, 4)
    with db.transaction():
        ledger.open_accounts(ledger.chart.of_debtor(ada))
        ledger.post(entries.payout_hold("p", ada, usdc("10")))
        ledger.post(entries.card_refund(ada, "tap", ada, refund, there=ZERO))
    seals.seal_all()
    cut = seals.cut()
    assert cut.balances == {ada: usdc("10"), ben: usdc("10")}
    assert cut.debts == usdc("4")


TAMPERED = {
    "kind": "UPDATE journal_entries SET kind = 'gift' WHERE id = {entry}",
    "time": "UPDATE journal_entries SET posted_at = posted_at - interval '1 us' WHERE id = {entry}",
    "amount": "UPDATE postings SET micro = micro + 1 WHERE entry_id = {entry} AND position = 2",
    "destination": (
        "UPDATE postings SET destination = (SELECT id FROM ledger_accounts"
        " WHERE address = 'equity:capital') WHERE entry_id = {entry} AND position = 2"
    ),
    "a posting more": (
        "INSERT INTO postings SELECT entry_id, 3, source, destination, 1 FROM postings"
        " WHERE entry_id = {entry} AND position = 2"
    ),
    "a posting less": "DELETE FROM postings WHERE entry_id = {entry} AND position = 2",
    "the seal": "UPDATE ledger_seals SET hash = sha256('') WHERE entry_id = {entry}",
    "the entry is gone": "DELETE FROM journal_entries WHERE id = {entry}",
}


@pytest.mark.parametrize("tampered", TAMPERED)
def test_what_was_rewritten_is_found_and_named(open_house: OpenHouse, tampered: str):
    ada, _ = _transfers(3)
    seals.seal_all()
    entry = f"(SELECT id FROM journal_entries WHERE reference = 'transfer:{ada}1')"
    with open_house.superuser() as above:
        (number,) = above.execute(f"SELECT {entry}").fetchone()
        above.execute("SET session_replication_role = replica")
        above.execute(TAMPERED[tampered].format(entry=number))
    broken = seals.check(1, 4)
    assert broken[0].position == 3
    assert f"entry {number}" in broken[0].entry
    found = {finding.invariant: finding.detail for finding in audit.findings()}
    assert f"entry {number}" in found[CHAIN]


def test_who_renames_an_account_rewrites_its_entries(open_house: OpenHouse):
    ada, _ = _transfers(1)
    seals.seal_all()
    with open_house.superuser() as above:
        above.execute(
            "UPDATE ledger_accounts SET address = 'user:mallory:available' WHERE address = %s",
            (f"user:{ada}:available",),
        )
    assert [broken.position for broken in seals.check(1, 2)] == [1, 2]


def test_the_walk_over_the_chain_comes_round(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(seals, "_CHECKED_AT_ONCE", 2)
    _transfers(4)
    seals.seal_all()
    with open_house.superuser() as above:
        above.execute("SET session_replication_role = replica")
        above.execute("UPDATE ledger_seals SET hash = sha256('') WHERE position = 5")
    found = [[broken.position for broken in seals.check_next()] for _ in range(6)]
    assert found == [[], [], [5], [], [], [5]]
    assert [broken.position for broken in seals.check_all()] == [5]


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_seals SET hash = sha256('')", "DELETE FROM ledger_seals"]
)
def test_seals_are_append_only_for_their_owner_too(open_house: OpenHouse, statement: str):
    _transfers(1)
    seals.seal_all()
    with open_house.superuser() as above, pytest.raises(psycopg.errors.RaiseException):
        above.execute(statement)
    assert seals.check(1, 2) == []
