"""Every part of Proton Pay, as data: what runs, what it needs, when it is ready."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from protonpay.chains.keyring import is_current
from protonpay.chains.registry import BUILT_IN
from protonpay.stack import programs
from protonpay.stack.child import Command
from protonpay.stack.home import Home
from protonpay.stack.part import Part, answers, of_service
from protonpay.stack.ports import LOOPBACK
from protonpay.stack.postgres import Postgres
from protonpay.stack.settings import DEMO_EMAIL, PASSPHRASE, kept_secrets
from protonpay.stack.valkey import Valkey

ROOT = Path(__file__).parents[2]
_VERSIONS = ROOT / "migrations" / "versions"
_BIN = Path(sys.executable).parent
CHAINS = tuple(name.lower() for name in BUILT_IN)
# Signing has a process of its own: the passphrase is in no other.
# Two watch: a node that hangs holds up one network, not the others.
_OTHER_QUEUES = ("cards", "webhooks", "watch", "watch", "maintenance", "mail", "telegram")


@dataclass(frozen=True, slots=True)
class Environment:
    """What every process of ours gets.

    Attributes:
        settings: what ``config.py`` reads.
        web: the web's address.
    """

    settings: Mapping[str, str]
    web: str

    def run(self, *program: str, signs: bool = False) -> Command:
        """Return a command of ours; only who signs is given the passphrase."""
        env: dict[str, str | None] = {
            **self.settings,
            "PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONUNBUFFERED": "1",
        }
        if not signs:
            env[PASSPHRASE] = None
        return Command(program, env=env, folder=ROOT)

    def python(self, *arguments: str, signs: bool = False) -> Command:
        """Return a command of this interpreter's."""
        return self.run(sys.executable, *arguments, signs=signs)

    def flask(self, *arguments: str, signs: bool = False) -> Command:
        """Return a command of the application's."""
        return self.python("-m", "flask", "--app", "wsgi", *arguments, signs=signs)


def servers(postgres: Postgres, valkey: Valkey) -> list[Part]:
    """Return the embedded servers."""
    database = programs.version(programs.postgres() / "bin" / "postgres")
    queue = programs.version(programs.valkey())
    return [
        of_service(postgres, f"PostgreSQL {database}", f"{LOOPBACK}:{postgres.port}"),
        of_service(valkey, f"Valkey {queue}", f"{LOOPBACK}:{valkey.port}"),
    ]


def outside_world(env: Environment, home: Home, ports: Mapping[str, int]) -> list[Part]:
    """Return the chains, the card providers, the rates, the mail and Telegram of a sandbox."""
    mail = ("--smtp", f"{LOOPBACK}:{ports['smtp']}", "--http", f"{LOOPBACK}:{ports['mail']}")
    return [
        *(_chain(env, home, name, ports[name.lower()]) for name in BUILT_IN),
        *_card_providers(env, home, ports),
        _simulator(env, "rates", "Exchange rates, simulated", ports["rates"], "rates"),
        Part(
            "mail",
            "Mail sink",
            lambda: env.python("-m", "protonpay.sandbox.mail", *mail),
            address=f"http://{LOOPBACK}:{ports['mail']}",
        ),
        _simulator(
            *(env, "telegram", "Telegram, simulated", ports["telegram"], "telegram"),
            *("--token", env.settings["TELEGRAM_BOT_TOKEN"]),
            *("--name", env.settings["TELEGRAM_BOT_NAME"]),
            *("--state", str(home.folder / "telegram")),
        ),
    ]


def _card_providers(env: Environment, home: Home, ports: Mapping[str, int]) -> list[Part]:
    options = {
        "tap": ("Tap", ()),
        # Its callbacks go where its own pages say.
        "yookassa": ("YooKassa", ("--notify", f"{env.web}/api/callbacks/yookassa")),
        "freedompay": ("FreedomPay", ()),
    }
    return [
        _simulator(
            *(env, name, f"{title}, simulated", ports[name], name),
            *("--secret-key", env.settings[f"{name.upper()}_SECRET_KEY"]),
            *("--state", str(home.folder / name)),
            *own,
        )
        for name, (title, own) in options.items()
    ]


def keyring(env: Environment, home: Home) -> Part:
    """Return the step that makes the custody keys, once."""
    make = ("-m", "protonpay.chains.keyring", "renew", str(home.keyring))
    return Part(
        "keyring",
        "Custody keys made",
        lambda: env.python(*make, signs=True),
        step=True,
        done=lambda: is_current(home.keyring),
    )


def migrations(env: Environment, needs: tuple[str, ...], url: str | None = None) -> Part:
    """Return the step that brings the tables up to date.

    Args:
        env: of our processes.
        needs: what must be there before.
        url: an embedded database, which is asked whether there is anything to do.
    """
    return Part(
        "migrations",
        "Tables up to date",
        lambda: env.flask("db", "upgrade"),
        needs=needs,
        step=True,
        done=lambda: url is not None and is_migrated(url),
        start_seconds=600,
    )


def ours(env: Environment, needs: tuple[str, ...]) -> list[Part]:
    """Return the processes that are Proton Pay itself: the same in production."""
    return [
        Part(
            "web",
            "Portal and API (gunicorn)",
            lambda: env.python("-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"),
            needs=needs,
            ready=answers(f"{env.web}/api/health"),
            address=env.web,
        ),
        Part(
            "signer",
            "Worker for payouts, holds the keys",
            lambda: env.flask("worker", "chain", signs=True),
            needs=needs,
        ),
        Part(
            "workers",
            f"Workers for {', '.join(dict.fromkeys(_OTHER_QUEUES))}",
            lambda: env.flask("worker", *_OTHER_QUEUES),
            needs=needs,
        ),
        Part(
            "scheduler",
            "Rings for periodic work",
            lambda: env.flask("scheduler"),
            needs=needs,
        ),
    ]


def seed(env: Environment, home: Home) -> Part:
    """Return the step that fills treasuries and makes the demo account."""
    password = kept_secrets(home)["DEMO_PASSWORD"]
    account = ("--demo-email", DEMO_EMAIL, "--demo-password", password)
    return Part(
        "seed",
        "Treasuries and demo account",
        lambda: env.flask("sandbox", "seed", *account),
        needs=("migrations", *CHAINS),
        step=True,
    )


def everything(env: Environment, home: Home, needs: tuple[str, ...]) -> Part:
    """Return the last word: the application's own opinion of whether it can work."""
    return Part(
        "ready",
        "Database, queue, workers and chains",
        None,
        needs=needs,
        ready=answers(f"{env.web}/api/ready", written_to=home.log("ready")),
        start_seconds=90,
    )


def is_migrated(url: str) -> bool:
    """Tell whether a database has the newest migration."""
    newest = max(path.stem.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.Error:
        return False
    return found == (newest,)


def _chain(env: Environment, home: Home, name: str, port: int) -> Part:
    network = BUILT_IN[name]
    options = ["--usdc", network.usdc, "--state", str(home.folder / name.lower())]
    what = f"{name}, a chain of its own"
    if network.chain_id:
        options += ["--chain-id", str(network.chain_id)]
        what += f", id {network.chain_id}"
    if network.family == "solana":
        options += ["--slot-ms", "200"]  # as long as mainnet's
    return _simulator(env, name.lower(), what, port, network.family, *options)


def _simulator(
    env: Environment, name: str, what: str, port: int, module: str, *options: str
) -> Part:
    listen = ("--listen", f"{LOOPBACK}:{port}")
    return Part(
        name,
        what,
        lambda: env.python("-m", f"protonpay.sandbox.{module}", *listen, *options),
        address=f"http://{LOOPBACK}:{port}",
    )
