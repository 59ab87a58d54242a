"""A transaction that a payer names: what its network says, and that it is asked again."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.invoices import lookups
from protonpay.invoices.lookups import Told
from protonpay.invoices.models import InvoiceLookup
from protonpay.invoices.states import LOOKUP_TRIES
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.reconciliation.explaining import Explained, Explanation, Verdict
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.store.outbox import OutboxRow
from tests.actors import Actor
from tests.invoices.asking import Asked, ask
from tests.unchanged import nothing_changes
from workers import invoices as jobs

EVM = "0x" + "aB" * 32
SOLANA = "3QE8gqFDRwWa3pUsSVBcQPDtUnQUNU2zPoeT8QwFGj2LReRZs74AwEz9wTDqC47d5qbE8Kk2RHK1W8KtHKSMFt6f"


@pytest.fixture
def made(bob: Actor) -> Asked:
    return ask(bob)


def told(made: Asked, verdict: str, *, mine: bool = True, asset: str = "USDC") -> Told:
    return Told(verdict, f"invoice {made.id}" if mine else "invoice another", asset)


def state(row: InvoiceLookup) -> str:
    return db.session.get_one(InvoiceLookup, row.id, populate_existing=True).state


def ordered(row: InvoiceLookup) -> int:
    rows = db.session.scalars(select(OutboxRow).filter_by(job="invoices.look_up")).all()
    return len([one for one in rows if one.args == {"lookup_id": row.id}])


@pytest.mark.parametrize(
    ("said", "tx_hash", "network"),
    [
        (EVM, EVM.lower(), "Base"),
        (f" https://basescan.org/tx/{EVM}#logs ", EVM.lower(), "Base"),
        (SOLANA, SOLANA, "Solana"),
        (f"https://solscan.io/tx/{SOLANA}?cluster=x", SOLANA, "Solana"),
    ],
)
def test_a_hash_is_found_in_what_is_pasted(made: Asked, said: str, tx_hash: str, network: str):
    row = lookups.look_for(made.id, said)
    assert (row.tx_hash, row.network, row.state) == (tx_hash, network, "LOOKING")
    assert ordered(row) == 1


@pytest.mark.parametrize("said", ["", "0x", EVM[:-1], EVM + "0", "0x" + "g" * 64, "a b", "1" * 90])
def test_what_is_no_hash_is_refused_and_changes_nothing(made: Asked, said: str):
    with nothing_changes(), pytest.raises(Invalid) as refusal:
        lookups.look_for(made.id, said)
    assert refusal.value.code == "not_a_transaction"


def test_named_twice_it_is_one_and_there_are_not_many(made: Asked):
    first = lookups.look_for(made.id, EVM)
    with nothing_changes():
        assert lookups.look_for(made.id, EVM.upper().replace("X", "x")).id == first.id
    for number in range(9):
        lookups.look_for(made.id, f"0x{number:064x}")
    with nothing_changes():
        with pytest.raises(Conflict):
            lookups.look_for(made.id, f"0x{99:064x}")
        with pytest.raises(NotFound):
            lookups.look_for(f"c{'a' * 24}", EVM)


MEANINGS = {
    "CREDITED": ("FOUND", "ELSEWHERE"),
    "ON_HOLD": ("FOUND", "ELSEWHERE"),
    "RETURNED": ("FOUND", "ELSEWHERE"),
    "WAITS": ("COMING", "ELSEWHERE"),
    "NOT_READ_YET": ("COMING", "ELSEWHERE"),
    "NOT_RECORDED": ("COMING", "ELSEWHERE"),
    "VANISHED": ("NOT_FOUND", "ELSEWHERE"),
    "NOTHING_MOVED": ("ELSEWHERE", "ELSEWHERE"),
    "LOOK_ALIKE": ("WRONG_TOKEN", "ELSEWHERE"),
    "OTHER_TOKEN": ("WRONG_TOKEN", "ELSEWHERE"),
    "NATIVE_COIN": ("WRONG_TOKEN", "ELSEWHERE"),
    **dict.fromkeys(
        ("OUR_PAYOUT", "OUR_SWEEP", "OUR_WALLET", "NOBODYS_YET", "NOT_OURS"),
        ("ELSEWHERE", "ELSEWHERE"),
    ),
    "FAILED": ("FAILED", "FAILED"),
    "PENDING": ("COMING", "COMING"),
    "NOT_FOUND": ("NOT_FOUND", "NOT_FOUND"),
    "UNKNOWN": ("LOOKING", "LOOKING"),
}


def test_every_verdict_has_a_meaning():
    assert set(MEANINGS) == set(Verdict)


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize("verdict", MEANINGS)
def test_what_a_verdict_means_to_its_payer(made: Asked, verdict: str, *, mine: bool):
    row = lookups.look_for(made.id, EVM)
    again = lookups.take(row.id, "Polygon", [told(made, verdict, mine=mine, asset="0xcoin")])
    becomes = MEANINGS[verdict][not mine]
    assert state(row) == becomes
    assert row.coin == ("0xcoin" if becomes == "WRONG_TOKEN" else None)
    assert row.network == ("Base" if becomes == "LOOKING" else "Polygon")
    assert isinstance(again, Later) == (becomes in ("LOOKING", "COMING", "NOT_FOUND"))
    assert (lookups.asked(row.id) is None) == (again is None)


def test_unknown_is_kept_and_asked_again_and_takes_nothing_back(made: Asked):
    row = lookups.look_for(made.id, EVM)
    lookups.take(row.id, "Base", [told(made, "WAITS")])
    again = lookups.take(row.id, "Base", [told(made, "UNKNOWN")])
    assert (state(row), again) == ("COMING", Later(20, "asked again"))


def test_it_is_not_asked_for_ever_and_asked_anew_by_who_wants_it(made: Asked):
    row = lookups.look_for(made.id, EVM)
    waits = [lookups.take(row.id, "Base", [told(made, "NOT_FOUND")]) for _ in range(LOOKUP_TRIES)]
    assert [wait is None for wait in waits] == [False] * (LOOKUP_TRIES - 1) + [True]
    assert max(wait.seconds for wait in waits if wait) == 300
    assert sum(wait.seconds for wait in waits if wait) > 7000
    lookups.look_for(made.id, EVM)
    assert ordered(row) == 2
    lookups.take(row.id, "Base", [told(made, "CREDITED")])
    assert state(row) == "FOUND"
    lookups.look_for(made.id, EVM)
    assert ordered(row) == 2, "what is known is not asked"


def test_of_several_the_one_that_is_ours_counts(made: Asked):
    row = lookups.look_for(made.id, EVM)
    both = [
        told(made, "OTHER_TOKEN", asset="0xcoin"),
        told(made, "CREDITED"),
        told(made, "NOT_OURS"),
    ]
    lookups.take(row.id, "Base", both)
    assert state(row) == "FOUND"


def test_the_job_asks_the_network_and_notes_what_it_said(
    house: Flask, made: Asked, monkeypatch: Any
):
    row = lookups.look_for(made.id, EVM)

    def explain(network: str, tx_hash: str) -> Explanation:
        assert (network, tx_hash) == ("Base", EVM.lower())
        line = Explained(Verdict.NATIVE_COIN, holder=f"invoice {made.id}", asset="native")
        return Explanation("Polygon", tx_hash, None, 7, [line])

    monkeypatch.setattr("protonpay.reconciliation.explaining.explain", explain)
    assert jobs.look_up.__wrapped__(row.id) is None
    assert (state(row), row.network, row.coin) == ("WRONG_TOKEN", "Polygon", "native")
    listed = house.test_cli_runner().invoke(args=["ops", "misdirected"]).output
    assert f"{row.id}  " in listed
    assert f"invoice {made.id}\n    native on Polygon, transaction {EVM.lower()}" in listed
    monkeypatch.delattr("protonpay.reconciliation.explaining.explain")
    assert jobs.look_up.__wrapped__(row.id) is None, "nothing is asked twice"
