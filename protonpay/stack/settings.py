"""The settings of an embedded stack: addresses as they are, secrets made once and kept."""

import secrets
from collections.abc import Callable, Mapping

from protonpay.chains.registry import BUILT_IN
from protonpay.stack.home import Home, read_json, write_json
from protonpay.stack.ports import LOOPBACK
from protonpay.stack.postgres import Postgres
from protonpay.stack.valkey import Valkey

DEMO_EMAIL = "demo@protonpay.example"
BOT_NAME = "protonpay_sandbox_bot"
PASSPHRASE = "KEYRING_PASSPHRASE"  # noqa: S105 - the name of a setting


def _sandbox_secret() -> str:
    # Production refuses what begins like this.
    return f"sandbox-{secrets.token_hex(32)}"


_SECRETS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": _sandbox_secret,
    "DATA_KEY": _sandbox_secret,
    PASSPHRASE: _sandbox_secret,
    "METRICS_TOKEN": _sandbox_secret,
    "TAP_SECRET_KEY": lambda: f"sk_test_{secrets.token_hex(16)}",
    "YOOKASSA_SECRET_KEY": lambda: f"test_{secrets.token_hex(16)}",
    "FREEDOMPAY_SECRET_KEY": lambda: f"sandbox-{secrets.token_hex(16)}",
    "TELEGRAM_BOT_TOKEN": lambda: f"100500:sandbox-{secrets.token_hex(16)}",
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(16),
    "VALKEY_PASSWORD": lambda: secrets.token_hex(16),
    "DEMO_PASSWORD": lambda: f"demo-{secrets.token_hex(6)}",
}


def kept_secrets(home: Home) -> Mapping[str, str]:
    """Return the stack's secrets, making those that are missing."""
    kept = read_json(home.secrets)
    missing = {name: make() for name, make in _SECRETS.items() if name not in kept}
    if missing:
        kept |= missing
        write_json(home.secrets, kept)
    return kept


def embedded(
    home: Home, ports: Mapping[str, int], postgres: Postgres, valkey: Valkey
) -> dict[str, str]:
    """Return every setting of the program, by the name ``config.py`` reads it under."""
    kept = kept_secrets(home)
    at = {part: f"http://{LOOPBACK}:{port}" for part, port in ports.items()}
    return {
        "PROTONPAY_ENV": "sandbox",
        "PROTONPAY_HOME": str(home.folder),
        "DATABASE_URL": postgres.url(),
        "REDIS_URL": valkey.url(),
        "PORT": str(ports["web"]),
        "PUBLIC_URL": at["web"],
        "KEYRING_PATH": str(home.keyring),
        **{f"{name.upper()}_RPC_URL": at[name.lower()] for name in BUILT_IN},
        "TAP_BASE_URL": f"{at['tap']}/v2",
        "YOOKASSA_BASE_URL": f"{at['yookassa']}/v3",
        "YOOKASSA_SHOP_ID": "100500",
        "YOOKASSA_NETWORKS": f"{LOOPBACK}/32",
        "FREEDOMPAY_BASE_URL": at["freedompay"],
        "FREEDOMPAY_MERCHANT_ID": "500001",
        "FX_RATES_URL": f"{at['rates']}/latest.json",
        "SMTP_URL": f"smtp://{LOOPBACK}:{ports['smtp']}",
        "TELEGRAM_BASE_URL": at["telegram"],
        "TELEGRAM_PAGE_URL": at["telegram"],
        "TELEGRAM_BOT_NAME": BOT_NAME,
        "WEBHOOK_ALLOW_INSECURE_TARGETS": f"{LOOPBACK}:{ports['receiver']}",
        "PROMETHEUS_MULTIPROC_DIR": str(home.metrics),
        **{name: kept[name] for name in _SECRETS if not name.endswith("_PASSWORD")},
    }


def as_wished(ours: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return our settings with those of the person who starts the stack in their place.

    Webhook targets are added to; port and home were wished for already.
    """
    names = set(ours) - {"PORT", "PROTONPAY_HOME"}
    wished = {name: environ[name] for name in names if environ.get(name)}
    targets = "WEBHOOK_ALLOW_INSECURE_TARGETS"
    if targets in wished:
        wished[targets] = f"{ours[targets]} {wished[targets]}"
    return {**ours, **wished}


def as_file(settings: Mapping[str, str]) -> str:
    """Print settings as ``config.py`` reads them."""
    lines = [f"{name}={value}" for name, value in sorted(settings.items())]
    about = "# The settings of the embedded stack, written by `make up`. Private: it has secrets."
    return "\n".join([about, *lines, ""])
