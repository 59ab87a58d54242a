"""Every setting in one place: what is missing, malformed or unsafe is said, all at once."""

from pathlib import Path

import pytest

from config import Config, ConfigError, home

BOT = {"TELEGRAM_BOT_TOKEN": "100500:" + "a" * 35, "TELEGRAM_BOT_NAME": "@example_bot"}
PRODUCTION = {
    "DATABASE_URL": "postgresql://owner@db.internal/protonpay",
    "REDIS_URL": "redis://redis.internal:6379/0",
    "PUBLIC_URL": "https://pay.example.com",
    "SECRET_KEY": "a" * 32,
    "DATA_KEY": "b" * 32,
    "KEYRING_PATH": "/keys/keyring.json",
    "SOLANA_RPC_URL": "https://solana.example.com",
    "BASE_RPC_URL": "https://base.example.com",
    "POLYGON_RPC_URL": "https://polygon.example.com",
    "TAP_SECRET_KEY": "sk_live_of_the_merchant",
}


def problems(**changes: str) -> str:
    with pytest.raises(ConfigError) as refused:
        Config.load(PRODUCTION | changes)
    return str(refused.value)


def test_a_database_and_no_other_word_is_production():
    config = Config.load(PRODUCTION)
    assert config.production
    assert config.public_url == "https://pay.example.com"
    assert (config.rate_limit_auth, config.rate_limit_read, config.rate_limit_write) == (
        *("5 per minute", "60 per minute", "30 per minute"),
    )


def test_a_sandbox_on_services_of_ones_own_may_stay_on_this_machine():
    near = {"PROTONPAY_ENV": "sandbox", "BASE_RPC_URL": "http://127.0.0.1:8545"}
    near |= {"PUBLIC_URL": "http://127.0.0.1:8000", "TAP_BASE_URL": "http://localhost:8129/v2"}
    assert not Config.load(PRODUCTION | near).production


def test_a_bot_is_its_token_and_its_name():
    assert Config.load(PRODUCTION).telegram_bot_token is None
    config = Config.load(PRODUCTION | BOT)
    assert config.telegram_bot_name == "example_bot", "the @ is not of the name"
    assert config.telegram_base_url == "https://api.telegram.org"


def test_what_is_a_large_deposit_may_be_said_for_each_network():
    said = {"LARGE_DEPOSIT": "500", "POLYGON_LARGE_DEPOSIT": "0"}
    nodes = {"POLYGON_RPC_URL_2": "https://other.example.com"}
    config = Config.load(PRODUCTION | said | nodes)
    assert config.large_deposits == {"Solana": "500", "Base": "500", "Polygon": "0"}
    assert config.second_rpc_urls == {"Polygon": "https://other.example.com"}
    assert set(Config.load(PRODUCTION).large_deposits.values()) == {"1000"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"PROTONPAY_ENV": "staging"}, "PROTONPAY_ENV"),
        ({"HELP_URL": "javascript:alert(1)"}, "HELP_URL is not an address"),
        ({"HELP_URL": "mailto:nobody"}, "HELP_URL is not an address"),
        ({"TERMS_URL": "http://example.com/terms"}, "TERMS_URL is not an address"),
        ({"TERMS_URL": "mailto:terms@example.com"}, "TERMS_URL is not an address"),
        ({"TELEGRAM_BOT_TOKEN": "no token"}, "TELEGRAM_BOT_TOKEN is not a bot's"),
        ({**BOT, "TELEGRAM_BOT_NAME": ""}, "TELEGRAM_BOT_NAME is the bot's name"),
        ({**BOT, "TELEGRAM_PAGE_URL": "t.me"}, "TELEGRAM_PAGE_URL is not an address"),
        ({"TELEGRAM_BASE_URL": "http://127.0.0.1:1"}, "TELEGRAM_BASE_URL points to this machine"),
        ({"TELEGRAM_BASE_URL": "http://api.telegram.org"}, "TELEGRAM_BASE_URL must be https"),
        ({"PAYOUT_APPROVAL_ABOVE": "much"}, "PAYOUT_APPROVAL_ABOVE is an amount"),
        ({"SECRET_KEY": ""}, "SECRET_KEY needs at least 32"),
        ({"DATA_KEY": "b" * 31}, "DATA_KEY needs at least 32"),
        ({"SECRET_KEY": "sandbox-" + "a" * 32}, "SECRET_KEY is the sandbox's"),
        ({"DATA_KEY": "sandbox-" + "a" * 32}, "DATA_KEY is the sandbox's"),
        ({"PUBLIC_URL": "http://pay.example.com"}, "PUBLIC_URL must be https"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL must be https"),
        ({"SOLANA_RPC_URL": ""}, "SOLANA_RPC_URL is not set"),
        ({"BASE_RPC_URL": "http://127.0.0.1:8545"}, "BASE_RPC_URL points to this machine"),
        ({"POLYGON_RPC_URL": "http://[::1]:1"}, "POLYGON_RPC_URL points to this machine"),
        ({"BASE_RPC_URL_2": "http://localhost:1"}, "BASE_RPC_URL_2 points to this machine"),
        ({"LARGE_DEPOSIT": "1e3"}, "LARGE_DEPOSIT of Solana is an amount"),
        ({"BASE_LARGE_DEPOSIT": "-1"}, "LARGE_DEPOSIT of Base is an amount"),
        ({"TAP_BASE_URL": "http://localhost:8129/v2"}, "TAP_BASE_URL points to this machine"),
        ({"FX_RATES_URL": "http://127.0.0.1:8130"}, "FX_RATES_URL points to this machine"),
        ({"FX_RATES_URL": "http://rates.example.com"}, "FX_RATES_URL must be https"),
        ({"SWEEP_THRESHOLD_USDC": "-5"}, "SWEEP_THRESHOLD_USDC is an amount"),
        ({"SWEEP_THRESHOLD_USDC": "0.0"}, "SWEEP_THRESHOLD_USDC is an amount"),
        ({"SWEEP_DUST_USDC": "0.0000001"}, "SWEEP_DUST_USDC is an amount"),
        ({"SWEEP_AGE_SECONDS": "-1"}, "SWEEP_AGE_SECONDS is not negative"),
        ({"PAYOUT_LIQUIDITY_ALARM_SECONDS": "-1"}, "PAYOUT_LIQUIDITY_ALARM_SECONDS is not"),
        ({"KYC_PROVIDER": "nobody"}, "KYC_PROVIDER is one of manual"),
        ({"KYC_DOCUMENTS_KEPT_DAYS": "0"}, "KYC_DOCUMENTS_KEPT_DAYS is between 1 and"),
        ({"KYC_DOCUMENTS_KEPT_DAYS": "36526"}, "KYC_DOCUMENTS_KEPT_DAYS is between 1 and"),
        ({"WEBHOOK_ALLOW_INSECURE_TARGETS": "127.0.0.1:3000"}, "WEBHOOK_ALLOW_INSECURE_TARGETS"),
    ],
)
def test_production_refuses_what_is_unsafe(changes, told):
    assert told in problems(**changes)


def test_all_that_is_wrong_is_told_at_once():
    told = problems(SECRET_KEY="", DATA_KEY="", PUBLIC_URL="http://x", BASE_RPC_URL="")
    assert told.count(";") == 3


def test_without_a_database_the_embedded_stack_is_read(tmp_path: Path):
    lines = [f"{name}={value}" for name, value in PRODUCTION.items()]
    stack = "\n".join(["# written by make up", *lines, "PROTONPAY_ENV=sandbox", "LOG_LEVEL=DEBUG"])
    (tmp_path / "stack.env").write_text(stack)
    config = Config.load({"PROTONPAY_HOME": str(tmp_path), "LOG_LEVEL": "ERROR"})
    assert (config.environment, config.log_level) == ("sandbox", "ERROR")
    assert config.database_url == PRODUCTION["DATABASE_URL"]


def test_without_anything_it_says_what_to_do(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"DATABASE_URL and REDIS_URL not set.*make up"):
        Config.load({"PROTONPAY_HOME": str(tmp_path)})


def test_with_a_database_the_embedded_stack_is_not_read(tmp_path: Path):
    (tmp_path / "stack.env").write_text("REDIS_URL=redis://embedded\nPROTONPAY_ENV=sandbox")
    given = {"PROTONPAY_HOME": str(tmp_path), "DATABASE_URL": "postgresql://elsewhere/db"}
    with pytest.raises(ConfigError, match="REDIS_URL not set"):
        Config.load(given)


def test_a_home_is_absolute_wherever_the_program_goes():
    assert home({"PROTONPAY_HOME": "somewhere"}) == Path("somewhere").absolute()
    assert home({}).name == ".protonpay"


def test_no_secret_of_the_settings_is_shown_by_a_refusal():
    secret = "hunter2-" + "x" * 10
    told = problems(
        SECRET_KEY=secret, DATA_KEY=secret, TAP_SECRET_KEY=secret, PUBLIC_URL="http://x"
    )
    assert secret not in told
