"""House rules that a reader should be able to rely on without checking."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("protonpay/**/*.py"), *ROOT.glob("workers/**/*.py")])
LONGEST_FILE, LONGEST_FUNCTION = 400, 50
EXACT = ("protonpay/kernel/", "protonpay/ledger/", "protonpay/cards/", "protonpay/fx/")
ROOMS = (
    "api_keys",
    "auth",
    "deposits",
    "invoices",
    "kyc",
    "notifications",
    "overview",
    "payouts",
    "plans",
    "test_mode",
    "transfers",
    "users",
    "wallets",
    "webhooks",
)
MAY_DIVIDE = {"protonpay/kernel/money.py", "protonpay/kernel/fiat.py"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _money_files() -> Iterator[Path]:
    rooms = tuple(f"protonpay/{room}/" for room in ROOMS)
    return (path for path in SOURCES if _name(path).startswith((*EXACT, *rooms)))


def test_the_only_commit_stands_in_the_store():
    found = {
        _name(path)
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    }
    # The Solana simulator keeps its own archive in SQLite: another program's database.
    ours = {name for name in found if not name.startswith("protonpay/sandbox/")}
    assert ours == {"protonpay/store/db.py"}


def test_only_who_deletes_a_row_makes_those_wait_who_refer_to_it():
    """FOR UPDATE does; ``store.db.LOCK`` does not, and is enough for everybody else."""
    found = {
        _name(path)
        for path in SOURCES
        for line in path.read_text().splitlines()
        if re.search(r"\bFOR UPDATE\b|with_for_update(?!\(\*\*(db\.)?LOCK|=LOCK)", line)
    }
    deleting = {"protonpay/store/expired.py", "protonpay/store/idempotency_rows.py"}
    assert found == deleting | {"protonpay/store/db.py"}  # which says so


def test_who_locks_a_row_that_may_be_at_hand_reads_it_anew():
    """``get`` returns what the session has read before, though it waits for who changes it."""
    calls = [
        (_name(path), node.lineno, {each.arg for each in node.keywords})
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
    ]
    locking = [call for call in calls if "with_for_update" in call[2]]
    assert locking
    assert [call[:2] for call in locking if "populate_existing" not in call[2]] == []


def test_no_float_and_no_division_where_money_is():
    found = set()
    for path in _money_files():
        for node in ast.walk(_tree(path)):
            called = node.func.id if _calls_a_name(node) else ""
            divides = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
            if called in {"float", "round"} or divides:
                found.add(f"{_name(path)}:{node.lineno}")
    assert found == set()


def _calls_a_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def test_files_and_functions_stay_small():
    every = [*SOURCES, *ROOT.glob("*.py")]
    files = [_name(p) for p in every if len(p.read_text().splitlines()) > LONGEST_FILE]
    functions = [
        f"{_name(path)}:{node.name}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert files + functions == []


def test_a_rooms_models_are_imported_by_the_room_and_by_the_overview_only():
    graph = grimp.build_graph("protonpay", "workers")
    strangers = [
        f"{importer} -> protonpay.{room}.models"
        for room in ROOMS
        if f"protonpay.{room}.models" in graph.modules
        for importer in graph.find_modules_that_directly_import(f"protonpay.{room}.models")
        if not importer.startswith((f"protonpay.{room}.", "protonpay.overview.queries"))
    ]
    assert strangers == []


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc"])
def test_no_file_is_named_after_nothing(word: str):
    assert [_name(path) for path in SOURCES if word in (path.stem, path.parent.name)] == []


def test_every_module_says_what_it_is():
    assert [_name(path) for path in SOURCES if not ast.get_docstring(_tree(path))] == []


def test_imports_stand_at_the_top():
    inside = [
        f"{_name(path)}:{function.name}"
        for path in SOURCES
        for function in ast.walk(_tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []
