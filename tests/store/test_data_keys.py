"""Keys of secrets at rest change while everything runs: nothing is lost, nothing stays behind."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select, update

from protonpay.kernel import clock
from protonpay.kyc import documents
from protonpay.kyc import service as kyc
from protonpay.mail.models import LetterRow
from protonpay.store import data_keys
from protonpay.store.data_keys import DataKey
from protonpay.store.db import Base, db, transaction
from protonpay.store.secrets import FRESH_SECONDS, Safe, Unreadable, prefix, safe
from protonpay.store.types import Sealed
from protonpay.webhooks.models import SECRET_PURPOSE, RetiringSecret, WebhookEndpoint
from tests.actors import make_actor
from tests.committed import OpenHouse, open_house
from tests.kyc.papers import PDF, upload
from tests.kyc.test_kyc import CASE

__all__ = ["open_house"]

FIRST, SECOND = "the first data key of the tests " * 2, "the second data key of the tests " * 2

NO_SECRETS = {
    "audit_entries.hash": "a digest",
    "audit_entries.previous_hash": "a digest",
    "data_keys.sealed": "sealed under DATA_KEY, and anew by each change",
    "deposit_addresses.proof": "the notary's signature",
    "email_tokens.digest": "a digest",
    "events.core": "what the account is told",
    "idempotency_keys.body": "an answer without its secrets",
    "idempotency_keys.fingerprint": "a digest",
    "invitations.digest": "a digest",
    "ledger_seal_mark.cut_hash": "a digest",
    "ledger_seal_mark.hash": "a digest",
    "ledger_seals.hash": "a digest",
    "outbid_sends.raw": "signed for a public chain",
    "passkey_challenges.challenge": "random, and said to whoever asks",
    "passkeys.credential_id": "a name",
    "passkeys.public_key": "public",
    "payout_attempts.raw": "signed for a public chain",
    "proof_heads.chain_hash": "published",
    "proof_heads.hash": "published",
    "proof_heads.previous_hash": "published",
    "proof_heads.reserves_hash": "published",
    "proof_heads.root": "published",
    "proof_nodes.nodes": "digests and sums without names",
    "provider_callbacks.body": "what a provider told us",
    "recovery_codes.digest": "a digest",
    "sweep_batches.raw": "signed for a public chain",
    "telegram_codes.digest": "a digest",
}
"""Why bytes of a table are not sealed."""


@pytest.fixture
def bound(open_house: OpenHouse) -> Iterator[OpenHouse]:
    """The safe on the keys of a database of its own."""
    before = safe._masters, safe._kept
    safe.bind(FIRST, kept=partial(data_keys.kept, open_house.url))
    yield open_house
    safe._masters, safe._kept = before
    safe.forget()


@dataclass(frozen=True)
class Anna:
    """A user with secrets in four tables: of a webhook, of a person, a document, in a letter."""

    id: str
    secret: str


@pytest.fixture
def anna(bound: OpenHouse) -> Anna:
    made = make_actor(bound.app, "Anna")
    told = made.post(
        "/client/webhooks", {"url": "https://example.com/hook", "events": ["deposit.confirmed"]}
    )
    assert upload(made, PDF + b"\xff\x00").status_code == 200
    assert made.post("/client/kyc", CASE).status_code == 200
    return Anna(made.id, told.get_json()["webhook"]["secret"])


def _columns() -> dict[str, int]:
    done = {}
    for line in data_keys.reseal():
        assert line.unreadable == 0, line
        done[line.column] = line.done
    return done


def _endpoint_secret() -> str:
    with transaction() as session:
        return safe.open(session.scalars(select(WebhookEndpoint.secret)).one(), SECRET_PURPOSE)


def test_every_column_of_bytes_is_sealed_or_said_why_not():
    for models in (Path(__file__).parents[2] / "protonpay").glob("*/models.py"):
        importlib.import_module(f"protonpay.{models.parent.name}.models")
    columns = {
        f"{table.name}.{column.name}": column.type
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary | Sealed)
    }
    open_ones = {name for name, kind in columns.items() if not isinstance(kind, Sealed)}
    assert open_ones == set(NO_SECRETS)
    assert len(columns) > len(open_ones)


def test_a_new_key_seals_everything_anew_and_nothing_is_lost(anna: Anna):
    assert data_keys.used(None) >= 3
    version = data_keys.add()
    done = _columns()
    assert done["webhook_endpoints.secret"] == 1
    assert done["kyc_cases.person"] == 1
    assert done["kyc_documents.content"] == 1
    assert done["letters.content"] >= 1
    assert data_keys.used(None) == 0
    assert data_keys.used(version) == sum(done.values())
    assert _endpoint_secret() == anna.secret
    assert [one.person.full_name for one in kyc.waiting()] == [CASE["fullName"]]
    (document,) = documents.submitted(anna.id)
    assert documents.opened(document.id).content == PDF + b"\xff\x00"
    # Again: there is nothing left to do.
    assert set(_columns().values()) == {0}


def test_a_second_key_takes_over_from_the_first_which_is_dropped_a_day_later(
    anna: Anna, monkeypatch: pytest.MonkeyPatch
):
    first = data_keys.add()
    _columns()
    second = data_keys.add()
    assert data_keys.drop_unused() == [], "the first still seals"
    _columns()
    assert data_keys.drop_unused() == [], "somebody may still seal with it"
    later = clock.now() + data_keys.KEPT + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert data_keys.drop_unused() == [first]
    assert list(data_keys.versions()) == [second]
    safe.forget()
    assert _endpoint_secret() == anna.secret


def test_a_key_that_seals_something_is_never_dropped(anna: Anna, monkeypatch: pytest.MonkeyPatch):
    first = data_keys.add()
    _columns()
    data_keys.add()
    later = clock.now() + data_keys.KEPT + timedelta(days=400)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert data_keys.drop_unused() == []
    assert first in data_keys.versions()
    assert _endpoint_secret() == anna.secret


def test_another_process_opens_at_once_and_seals_with_the_new_key_after_a_few_seconds(
    bound: OpenHouse,
):
    seconds = [100.0]
    other = Safe(monotonic=lambda: seconds[0])
    other.bind(FIRST, kept=partial(data_keys.kept, bound.url))
    before = other.seal("sesame", "door")
    version = data_keys.add()
    fresh = safe.seal("sesame", "door")
    assert fresh.startswith(prefix(version))
    assert other.open(fresh, "door") == "sesame"
    stale = Safe(monotonic=lambda: seconds[0])
    stale.bind(FIRST, kept=partial(data_keys.kept, bound.url))
    assert stale.seal("x", "door").startswith(prefix(version))
    newer = data_keys.add()
    seconds[0] += FRESH_SECONDS - 1
    assert stale.seal("x", "door").startswith(prefix(version))
    seconds[0] += 1
    assert stale.seal("x", "door").startswith(prefix(newer))
    assert safe.open(before, "door") == "sesame"


def test_a_changed_data_key_is_taken_over(anna: Anna, bound: OpenHouse):
    data_keys.add()
    _columns()
    safe.bind(SECOND, previous=FIRST, kept=partial(data_keys.kept, bound.url))
    assert _endpoint_secret() == anna.secret
    data_keys.add()
    _columns()
    safe.bind(SECOND, kept=partial(data_keys.kept, bound.url))
    assert _endpoint_secret() == anna.secret
    safe.bind(FIRST, kept=partial(data_keys.kept, bound.url))
    with pytest.raises(Unreadable):
        _endpoint_secret()


def test_a_lost_data_key_makes_no_new_key(anna: Anna, bound: OpenHouse):
    data_keys.add()
    safe.bind("another text altogether, of enough length", kept=partial(data_keys.kept, bound.url))
    with pytest.raises(Unreadable):
        data_keys.add()
    with transaction() as session:
        assert session.scalars(select(DataKey.version)).all() == [1]


def test_what_no_key_opens_stays_as_it_is_and_is_said(anna: Anna):
    with transaction() as session:
        session.execute(update(WebhookEndpoint).values(secret=b"\x02\x00\x00\x00\x09nonsense"))
    data_keys.add()
    lines = {line.column: line for line in data_keys.reseal()}
    assert lines["webhook_endpoints.secret"].unreadable == 1
    assert lines["webhook_endpoints.secret"].done == 0
    with transaction() as session:
        left = session.scalars(select(WebhookEndpoint.secret)).one()
    assert left == b"\x02\x00\x00\x00\x09nonsense"


def test_a_secret_that_changes_while_it_is_sealed_anew_keeps_its_change(
    anna: Anna, monkeypatch: pytest.MonkeyPatch
):
    data_keys.add()
    read = data_keys._reseal

    def rotated_meanwhile(column, found):
        if column.table.name == WebhookEndpoint.__tablename__:
            with transaction() as session:
                session.execute(
                    update(WebhookEndpoint).values(secret=safe.seal("changed", SECRET_PURPOSE))
                )
        return read(column, found)

    monkeypatch.setattr(data_keys, "_reseal", rotated_meanwhile)
    assert _columns()["webhook_endpoints.secret"] == 0
    assert _endpoint_secret() == "changed"


def test_more_rows_than_a_batch_are_all_sealed_anew(anna: Anna, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(RetiringSecret.__table__.c.secret.type, "at_once", 3)
    with transaction() as session:
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        session.add_all(
            RetiringSecret(
                endpoint_id=endpoint.id,
                secret=safe.seal(f"old {number}", SECRET_PURPOSE),
                retired_at=clock.now(),
                ends_at=clock.now(),
            )
            for number in range(10)
        )
    version = data_keys.add()
    assert _columns()["webhook_retiring_secrets.secret"] == 10
    with transaction() as session:
        sealed = session.scalars(select(RetiringSecret.secret).order_by(RetiringSecret.id)).all()
    assert all(one.startswith(prefix(version)) for one in sealed)
    assert [safe.open(one, SECRET_PURPOSE) for one in sealed] == [f"old {n}" for n in range(10)]


def test_what_was_erased_stays_empty(anna: Anna):
    with transaction() as session:
        session.execute(update(LetterRow).values(content=b""))
    data_keys.add()
    assert _columns()["letters.content"] == 0
    assert set(db.session.scalars(select(LetterRow.content))) == {b""}


def test_two_at_once_make_two_keys(bound: OpenHouse):
    made = bound.inside_at_once([data_keys.add, data_keys.add])
    assert sorted(made) == [1, 2]
    assert sorted(data_keys.versions()) == [1, 2]


def test_the_command_does_it_all(anna: Anna, bound: OpenHouse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("protonpay.cli.keys.time.sleep", lambda _seconds: None)
    run = bound.app.test_cli_runner().invoke
    told = run(args=["ops", "rotate-key"])
    assert told.exit_code == 0, told.output
    assert "key 1 seals from now on" in told.output
    assert "webhook_endpoints.secret" in told.output
    shown = run(args=["ops", "keys"]).output
    assert "DATA_KEY           0 sealed" in shown
    assert "key 1" in shown
