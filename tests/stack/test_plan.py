"""The plan of a stack: every part, its settings, and what is said of it."""

import pytest

from config import Config, ConfigError
from protonpay.stack import plan
from protonpay.stack.home import Home, read_json

PASSPHRASE = "KEYRING_PASSPHRASE"


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    made.folder.mkdir()
    made.logs.mkdir()
    return made


@pytest.fixture
def embedded(home):
    return plan.make(home, {"PORT": "0"})


def test_stack_json_says_where_everything_is(embedded):
    facts = embedded.facts
    assert facts["api"] == f"{facts['web']}/api"
    assert facts["chains"]["Base"]["chainId"] == 8453
    assert facts["chains"]["Polygon"]["chainId"] == 137
    assert facts["chains"]["Solana"]["chainId"] is None
    assert facts["chains"]["Base"]["usdc"] == "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
    assert all(chain["rpc"].startswith("http://127.0.0.1:") for chain in facts["chains"].values())
    assert facts["database"].startswith("postgresql://protonpay:")
    assert facts["redis"].startswith("redis://:")
    names = ("mail", "smtp", "telegram", "receiver", "docs", "demo", "health", "logs")
    assert all(facts[name] for name in names)


def test_the_settings_it_writes_are_the_ones_the_program_reads(home, embedded):
    read = Config.load({"PROTONPAY_HOME": str(home.folder)})
    assert read.public_url == embedded.web
    assert read.environment == "sandbox"
    assert read.tap_base_url == f"{embedded.facts['providers']['tap']}/v2"
    assert read.webhook_allow_insecure_targets == {embedded.facts["receiver"]}
    assert home.settings.stat().st_mode & 0o777 == 0o600


def test_only_who_signs_gets_the_passphrase(embedded):
    gets = {}
    for part in embedded.parts:
        if part.command and part.name not in ("postgres", "valkey"):
            gets[part.name] = bool(part.command().env[PASSPHRASE])
    assert {name for name, found in gets.items() if found} == {"keyring", "signer"}


def test_ports_are_the_same_the_next_time(home, embedded):
    assert plan.make(home, {"PORT": "0"}).facts["chains"] == embedded.facts["chains"]


def test_another_port_moves_its_neighbours(home, embedded):
    port = read_json(home.ports)["ports"]["receiver"]
    moved = plan.make(home, {"PORT": str(port)})
    assert moved.web == f"http://127.0.0.1:{port}"
    assert read_json(home.ports)["asked"] == port


def test_a_setting_of_the_one_who_starts_it_wins(home):
    asked = {"PORT": "0", "BASE_RPC_URL": "http://127.0.0.1:7"}
    assert plan.make(home, asked).facts["chains"]["Base"]["rpc"] == "http://127.0.0.1:7"


def test_against_services_of_your_own_only_ours_runs(home):
    secrets = dict.fromkeys(("SECRET_KEY", "DATA_KEY"), "x" * 40)
    nodes = {f"{name}_RPC_URL": "https://node.example" for name in ("SOLANA", "BASE", "POLYGON")}
    environ = {
        "DATABASE_URL": "postgresql://u:p@db.example/pay",
        "REDIS_URL": "redis://queue.example/0",
        "PUBLIC_URL": "https://pay.example",
        "PORT": "0",
    }
    own = plan.make(home, {**environ, **secrets, **nodes})
    names = [part.name for part in own.parts]
    assert names == ["migrations", "web", "signer", "workers", "scheduler", "ready"]
    assert own.facts["database"] == environ["DATABASE_URL"]
    assert not home.settings.exists()
    with pytest.raises(ConfigError, match="PUBLIC_URL must be https"):
        plan.make(home, {**environ, **secrets, **nodes, "PUBLIC_URL": "http://pay.example"})
