"""What is to run, and what is said of it: embedded, or against services of your own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config import Config
from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import BUILT_IN
from protonpay.stack import parts, ports, settings
from protonpay.stack.failures import StackError
from protonpay.stack.home import Home, read_json, write, write_json
from protonpay.stack.part import Part
from protonpay.stack.ports import LOOPBACK
from protonpay.stack.postgres import Postgres
from protonpay.stack.valkey import Valkey

_USUAL_PORT = "8000"
_LARGEST_PORT = 65_535


@dataclass(frozen=True)
class Plan:
    """A stack.

    Attributes:
        web: the web's address.
        facts: ``stack.json``, once it runs.
    """

    parts: list[Part]
    web: str
    facts: Mapping[str, Any]


def make(home: Home, environ: Mapping[str, str] = os.environ) -> Plan:
    """Plan the stack that the environment asks for.

    Raises:
        StackError: a port is no port, or taken.
        ConfigError: the settings do not make a runnable program.
    """
    if environ.get("DATABASE_URL"):
        return _deployed(home, environ)
    return _embedded(home, environ)


def _deployed(home: Home, environ: Mapping[str, str]) -> Plan:
    """Plan our processes alone, against services of somebody's own."""
    found = Config.load(environ)
    port = _asked_port(environ) or ports.free()
    ports.insist(port)
    web = f"http://{LOOPBACK}:{port}"
    env = parts.Environment({"PORT": str(port), "PROTONPAY_HOME": str(home.folder)}, web)
    processes = [parts.migrations(env, ()), *parts.ours(env, ("migrations",))]
    facts = _facts_of_web(home, web) | {
        "chains": _chains(found.rpc_urls),
        "providers": {
            "tap": found.tap_base_url,
            "yookassa": found.yookassa_base_url,
            "freedompay": found.freedompay_base_url,
        },
        "database": found.database_url,
        "redis": found.redis_url,
    }
    return Plan([*processes, _last(env, home, processes)], web, facts)


def _embedded(home: Home, environ: Mapping[str, str]) -> Plan:
    """Plan everything."""
    at = _ports(home, _asked_port(environ))
    kept = settings.kept_secrets(home)
    postgres = Postgres(
        home.folder / "postgres", port=at["postgres"], password=kept["POSTGRES_PASSWORD"]
    )
    valkey = Valkey(home.folder / "valkey", port=at["valkey"], password=kept["VALKEY_PASSWORD"])
    values = settings.as_wished(settings.embedded(home, at, postgres, valkey), environ)
    found = Config.load(values)
    write(home.settings, settings.as_file(values))
    web = f"http://{LOOPBACK}:{at['web']}"
    processes = _embedded_parts(parts.Environment(values, web), home, at, postgres, valkey)
    addresses = {name: f"http://{LOOPBACK}:{port}" for name, port in at.items()}
    facts = _facts_of_web(home, web) | {
        "chains": _chains(found.rpc_urls),
        "providers": {name: addresses[name] for name in (*PROVIDERS, "rates")},
        "mail": addresses["mail"],
        "telegram": addresses["telegram"],
        "smtp": values["SMTP_URL"],
        "receiver": f"{LOOPBACK}:{at['receiver']}",
        "database": postgres.network_url(),
        "redis": valkey.network_url(),
        "demo": {"email": settings.DEMO_EMAIL, "password": kept["DEMO_PASSWORD"]},
        "metrics": {"url": f"{web}/metrics", "token": found.metrics_token},
    }
    return Plan(processes, web, facts)


def _embedded_parts(
    env: parts.Environment, home: Home, at: Mapping[str, int], postgres: Postgres, valkey: Valkey
) -> list[Part]:
    world = parts.outside_world(env, home, at)
    tables = parts.migrations(env, ("postgres", "valkey", "keyring"), postgres.url())
    before = [*parts.servers(postgres, valkey), parts.keyring(env, home), *world, tables]
    processes = parts.ours(env, ("migrations", *parts.CHAINS))
    first = [*before, *processes, parts.seed(env, home)]
    return [*first, _last(env, home, first)]


def _last(env: parts.Environment, home: Home, others: list[Part]) -> Part:
    return parts.everything(env, home, tuple(part.name for part in others))


def _facts_of_web(home: Home, web: str) -> dict[str, Any]:
    return {
        "web": web,
        "portal": f"{web}/app",
        "api": f"{web}/api",
        "docs": f"{web}/api/docs",
        "openapi": f"{web}/api/openapi.json",
        "health": f"{web}/api/health",
        "ready": f"{web}/api/ready",
        "home": str(home.folder),
        "logs": str(home.logs),
    }


def _chains(rpc_urls: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: {"rpc": rpc_urls[name], "usdc": network.usdc, "chainId": network.chain_id}
        for name, network in BUILT_IN.items()
    }


def _ports(home: Home, asked: int) -> dict[str, int]:
    before = read_json(home.ports)
    # Another port was asked for then: its neighbours are no wish of today's.
    kept = before.get("ports", {}) if before.get("asked") == asked else {}
    chosen = ports.choose(asked, kept)
    write_json(home.ports, {"asked": asked, "ports": chosen})
    return chosen


def _asked_port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT") or _USUAL_PORT
    if not text.isascii() or not text.isdigit() or int(text) > _LARGEST_PORT:
        raise StackError(f"PORT is a number up to {_LARGEST_PORT}, or 0 for any: not {text!r}")
    return int(text)
