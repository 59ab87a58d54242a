"""The book, three chains and the card providers agree to the millionth; what does not is a case."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from Crypto.Hash import keccak

from protonpay.chains.registry import NETWORKS
from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import Rpc
from protonpay.stack.postgres import SUPERUSER
from tests.flows import desk
from tests.flows.city import OUTSIDE, PATIENCE, City, Resident
from tests.patience import until

pytestmark = pytest.mark.slow

WALLETS = {
    "Solana": "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv",
    "Base": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "Polygon": "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
}
# Where FiatToken keeps balances, by address.
_BALANCES = 9
WORDS = ("--reason", "the test has mended it", "--by", "olga")


@pytest.fixture
def superuser(city: City, services: Any) -> Iterator["psycopg.Connection[Any]"]:
    """The one whom nothing stops."""
    name = urlsplit(city.environ["DATABASE_URL"]).path.removeprefix("/")
    url = services.postgres.url(name, user=SUPERUSER)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def _table(city: City, *only: str) -> dict[str, list[str]]:
    """Return the printed lines: rail → compared, book, world, difference, state, what differs."""
    lines = _reconcile(city, *only).splitlines()
    return {line.split()[0]: line.split(maxsplit=6)[1:] for line in lines[1:]}


def _reconcile(city: City, *only: str) -> str:
    done = desk.typed(city.environ, "ops", "reconcile", *only)
    assert done.code in (0, 1, 3), done.err
    return done.out


def _state(city: City, rail: str) -> str:
    return _table(city, "--rail", rail)[rail][4]


def _address(user: Resident, network: str) -> str:
    return user.post("/client/deposit/crypto", network=network)["deposit"]["address"]


def _paid(city: City, user: Resident, network: str, micro: int) -> str:
    address, before = _address(user, network), user.balance
    _pay(city, network, address, micro)
    until(lambda: user.balance != before, PATIENCE)
    return address


def _asked(city: City, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(city.environ["DATABASE_URL"]) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def _one_case(city: City, rail: str, kind: str) -> Iterator[None]:
    """Assert that this makes one case, of this kind, and stops this rail alone."""
    until(lambda: _state(city, rail) == "ok", PATIENCE)
    yield
    until(lambda: _state(city, rail) == "DIFFERS", PATIENCE)
    standing = "SELECT state, rail, kind FROM reconciliation_cases WHERE state <> 'RESOLVED'"
    assert _asked(city, standing) == [("OPEN", rail, kind)]
    assert city.stopped() == [rail]


def _mended(city: City, rail: str, kind: str) -> None:
    """Assert that what is mended closes its case, and that the rail is opened by a person only."""
    until(lambda: _state(city, rail) == "ok", PATIENCE)
    newest = city.flask("ops", "cases", "--all")
    assert re.match(rf"\d+  RESOLVED .*  {rail}  {kind}  ", newest)
    assert "not there any more" in newest
    assert city.stopped() == [rail]
    city.flask("ops", "payouts", "resume", "--network", rail, *WORDS)
    assert city.stopped() == []


def test_with_traffic_under_way_there_is_no_difference(city: City):
    users = {network: city.resident("Busy", funded="100") for network in NETWORKS}
    for network, user in users.items():
        _paid(city, user, network, 1_234_567)
        payout = {"amount": 20, "walletAddress": WALLETS[network], "network": network}
        user.post("/client/withdraw", **payout)
        _pay(city, network, _address(user, network), 42)
    for _ in range(2):
        table = _table(city)
        assert {cells[3] for cells in table.values() if cells[4] == "ok"} <= {"0.00"}
        assert "DIFFERS" not in {cells[4] for cells in table.values()}
    until(lambda: {cells[4] for cells in _table(city).values()} == {"ok"}, PATIENCE)
    assert city.stopped() == []


def test_a_transfer_out_of_a_deposit_address_behind_our_back(city: City):
    user = city.resident("Robbed")
    address = _paid(city, user, "Base", 5_000_000)
    with _one_case(city, "Base", "address_deficit"):
        _rob(city, address, 2_000_001)
    said = user.post("/client/withdraw", amount=1, walletAddress=WALLETS["Base"], network="Base")
    until(lambda: "1 waiting: payouts_paused" in city.flask("ops", "payouts", "status"), PATIENCE)
    _hand_back(city, address, 5_000_000)
    _mended(city, "Base", "address_deficit")
    assert user.wait_for_end(said["payout"]["id"])["status"] == "COMPLETED"


def test_a_custody_balance_that_somebody_has_written(city: City, superuser: Any):
    write = (
        "UPDATE ledger_balances SET micro = micro + %s WHERE account_id ="
        " (SELECT id FROM ledger_accounts WHERE address = 'custody:Polygon')"
    )
    with _one_case(city, "Polygon", "balance_tampered"):
        superuser.execute(write, (1,))
    superuser.execute(write, (-1,))
    _mended(city, "Polygon", "balance_tampered")


def test_a_deposits_rows_are_lost(city: City, superuser: Any):
    user, network = city.resident("Forgotten"), "Solana"
    address = _paid(city, user, network, 3_000_003)
    lost: dict[str, str] = {}
    with _one_case(city, network, "credit_without_transfer"):
        for table, where in (
            ("deposits", "incoming_id IN (SELECT id FROM incoming WHERE address = %s)"),
            ("incoming", "address = %s"),
        ):
            query = f"DELETE FROM {table} WHERE {where} RETURNING to_jsonb({table})::text"
            ((lost[table],),) = superuser.execute(query, (address,)).fetchall()
    assert f'"address": "{address}"' in city.flask("ops", "cases")
    for table in ("incoming", "deposits"):
        restore = (
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s::jsonb)"
        )
        superuser.execute(restore, (lost[table],))
    _mended(city, network, "credit_without_transfer")


def _pay(city: City, network: str, address: str, micro: int) -> str:
    of = NETWORKS[network]
    return OUTSIDE[of.family].send_usdc(city.parts.nodes[network], of.usdc, address, micro)


def _rob(city: City, address: str, micro: int) -> None:
    """Move USDC out of an address on Base as somebody who has its key."""
    rpc = Rpc(city.parts.nodes["Base"])
    rpc("anvil_setBalance", address, hex(10**18))
    rpc("anvil_impersonateAccount", address)
    data = abi.call("transfer(address,uint256)", WALLETS["Base"], micro)
    rpc("eth_sendTransaction", {"from": address, "to": NETWORKS["Base"].usdc, "data": data})


def _hand_back(city: City, address: str, micro: int) -> None:
    """Set a balance on Base by the chain's own memory, where no event tells of it."""
    of, key = NETWORKS["Base"], bytes.fromhex(address[2:].rjust(64, "0"))
    slot = keccak.new(digest_bits=256, data=key + _BALANCES.to_bytes(32, "big")).hexdigest()
    rpc = Rpc(city.parts.nodes["Base"])
    rpc("anvil_setStorageAt", of.usdc, f"0x{slot}", f"0x{micro:064x}")
    rpc("anvil_mine", "0x5")
