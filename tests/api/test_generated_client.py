"""A client that a generator made of ``docs/openapi.json`` is typed, and does what it says."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.actors import PASSWORD
from tests.api.conftest import Served

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
JOURNEY = Path(__file__).with_name("generated_client_journey.py")
# Formatting what nobody reads takes longer than making it.
SETTINGS = "post_hooks: []\n"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the package ``protonpay_client``; a warning is a failure."""
    folder = tmp_path_factory.mktemp("generated")
    settings = folder / "settings.yml"
    settings.write_text(SETTINGS)
    program = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    source = ["--path", str(ROOT / "docs" / "openapi.json"), "--config", str(settings)]
    target = ["--output-path", str(folder / "protonpay_client"), "--fail-on-warning"]
    made = subprocess.run(
        [*program, *source, *target], check=False, capture_output=True, text=True, cwd=folder
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture
def journey(generated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(generated))
    monkeypatch.syspath_prepend(str(JOURNEY.parent))
    yield importlib.import_module(JOURNEY.stem)
    for name in [each for each in sys.modules if each.startswith("protonpay_client")]:
        del sys.modules[name]
    del sys.modules[JOURNEY.stem]


def test_a_program_over_the_client_passes_mypy_in_strict_mode(generated: Path, tmp_path: Path):
    options = ["--strict", "--follow-imports=silent", f"--cache-dir={tmp_path / 'mypy'}"]
    program = [sys.executable, "-m", "mypy", "--config-file=", *options, str(JOURNEY)]
    checked = subprocess.run(program, check=False, capture_output=True, text=True, cwd=generated)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_money_moves_through_the_generated_client(served: Served, journey: ModuleType):
    receiver = journey.register(
        served.url, name="Bob", email="bob@generated.example", password=PASSWORD
    )
    signed_in = journey.login(served.url, email=served.alice.email, password=PASSWORD)

    seen = journey.travel(served.url, signed_in.token, receiver)

    assert (signed_in.user.id, signed_in.user.balance_usdc) == (served.alice.id, "1000.00")
    assert seen.before == "1000.00"
    assert seen.transfer.transfer.to_user == receiver.user.public_id
    assert (seen.transfer.transfer.amount, seen.transfer.new_balance) == ("25.50", "974.50")
    assert (seen.again.to_dict(), seen.replayed) == (seen.transfer.to_dict(), "true")
    assert (seen.payout.payout.amount, seen.payout.payout.status) == ("50.00", "PENDING")
    assert seen.payout_later.payout.id == seen.payout.payout.id
    assert seen.activity == ["WITHDRAWAL OUT 50.00", "TRANSFER OUT 25.50"]
    assert seen.pages == 2
    assert (seen.refused.status, seen.refused.code) == (400, "insufficient_balance")
    assert seen.refused.message == "На балансе недостаточно средств."
