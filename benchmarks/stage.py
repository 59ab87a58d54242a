"""What is measured: the product's own processes on services of their own, with a crowd in it."""

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from flask import Flask

from config import Config
from protonpay.api_keys import service as api_keys
from protonpay.app import create_app
from protonpay.auth.service import SESSION_LIFE
from protonpay.cards.registry import PROVIDERS
from protonpay.chains import keyring
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import ids
from protonpay.kernel.scopes import FULL
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.stack import ports, postgres, valkey
from protonpay.store.db import transaction
from protonpay.web import tokens

ROOT = Path(__file__).parents[1]
_START_SECONDS = 120
_BALANCE = 10**12

# Straight into the tables: a thousand registrations over HTTP would measure argon2.
PEOPLE = """
    INSERT INTO users (id, public_id, name, email, email_key, password_hash, role, standing, plan,
                       language, created_at)
    SELECT id, 'PP-' || upper(right(id, 8)), 'Bench', id || '@example.com', id || '@example.com',
           '', 'USER', 'ACTIVE', 'default', 'en', now()
    FROM unnest(%(ids)s::text[]) AS u (id);
"""
_SESSIONS = """
    INSERT INTO auth_sessions (id, user_id, created_at, used_at, ends_at, address, agent)
    SELECT id, id, now(), now(), now() + %(life)s, '', '' FROM unnest(%(ids)s::text[]) AS u (id)
"""
# Through the posting function like any other money, a hundred people at a time.
_FUND = """
    SELECT ledger_post('gift:bench:' || id, 'gift', ARRAY['equity:capital'],
                       ARRAY['user:' || id || ':available'], ARRAY[%(micro)s::bigint])
    FROM unnest(%(ids)s::text[]) AS u (id)
"""
_CAPITAL = """
    SELECT ledger_post('capital:bench', 'capital', ARRAY['custody:Base'],
                       ARRAY['equity:capital'], ARRAY[%(micro)s::bigint])
"""


@dataclass(frozen=True)
class Person:
    """A user with a session and a token."""

    id: str
    token: str

    @property
    def email(self) -> str:
        """What others pay them by."""
        return f"{self.id}@example.com"


@dataclass(frozen=True)
class Stage:
    """Everything a measurement needs."""

    postgres: postgres.Postgres
    environ: Mapping[str, str]
    app: Flask
    port: int
    web: subprocess.Popen[bytes]
    passphrase: str

    @property
    def signing_environ(self) -> Mapping[str, str]:
        """What the process with the keys is started with."""
        return {**self.environ, "KEYRING_PASSPHRASE": self.passphrase}

    @property
    def addresses(self) -> keyring.PublicAddresses:
        """Our wallets."""
        return keyring.public_addresses(Path(self.environ["KEYRING_PATH"]))

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect as the owner of the tables."""
        return psycopg.connect(self.environ["DATABASE_URL"], autocommit=True)

    def people(self, count: int) -> list[Person]:
        """Make users with sessions, tokens and a million USDC each."""
        made = [ids.new_id() for _ in range(count)]
        with self.connect() as connection:
            connection.execute(PEOPLE, {"ids": made})
            connection.execute(_SESSIONS, {"ids": made, "life": SESSION_LIFE})
            with self.app.app_context(), transaction():
                for user_id in made:
                    ledger.open_accounts(chart.of_user(user_id))
            connection.execute(_FUND, {"ids": made, "micro": _BALANCE})
        with self.app.app_context():
            return [Person(user_id, tokens.issue_access(user_id, user_id)) for user_id in made]

    def keys(self, people: Sequence[Person]) -> list[str]:
        """Make an API key for each."""
        with self.app.app_context():
            return [
                api_keys.create(person.id, name="Bench", permissions=[FULL]).raw_key
                for person in people
            ]


@contextmanager
def set_up(folder: Path, nodes: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """Run services, web, worker and scheduler as they run in production, fsync on.

    Args:
        folder: where everything is kept.
        nodes: network → its node; without them there are no chains.
    """
    with ExitStack() as stack:
        database = stack.enter_context(postgres.running(folder / "postgres"))
        queue = stack.enter_context(valkey.running(folder / "valkey"))
        passphrase = secrets.token_hex(16)
        keyring.create(folder / "keyring.json", passphrase)
        port = ports.free()
        environ = settings(database, queue, folder, port) | _rpc_urls(nodes or {})
        database.furnish()
        run(environ, "flask", "--app", "wsgi", "db", "upgrade")
        app = create_app(Config.load(environ))
        with app.app_context(), transaction():
            ledger.open_accounts(chart.of_house(list(NETWORKS), list(PROVIDERS)))
        web = stack.enter_context(
            running(environ, "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
        )
        stack.enter_context(
            running(environ, "flask", "--app", "wsgi", "worker", "maintenance", "webhooks")
        )
        stack.enter_context(running(environ, "flask", "--app", "wsgi", "scheduler"))
        _wait_for(f"http://127.0.0.1:{port}/api/health")
        stage = Stage(database, environ, app, port, web, passphrase)
        with stage.connect() as connection:
            connection.execute(_CAPITAL, {"micro": 2**62})
        yield stage


def settings(
    database: postgres.Postgres, queue: valkey.Valkey, folder: Path, port: int
) -> dict[str, str]:
    """Return the environment of every process, without nodes."""
    return {
        "PATH": os.environ["PATH"],
        "PROTONPAY_ENV": "sandbox",
        "PORT": str(port),
        "DATABASE_URL": database.url(),
        "REDIS_URL": queue.url(),
        "SECRET_KEY": secrets.token_hex(32),
        "DATA_KEY": secrets.token_hex(32),
        # Reads are measured one reader at a time; writes keep the document's limit.
        "RATE_LIMIT_READ": "1000000 per minute",
        "KEYRING_PATH": str(folder / "keyring.json"),
    }


def _rpc_urls(nodes: Mapping[str, str]) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"
    return {f"{name.upper()}_RPC_URL": nodes.get(name, nowhere) for name in NETWORKS}


def run(environ: Mapping[str, str], *command: str) -> None:
    """Run a program to its end."""
    subprocess.run(_program(*command), env=environ, cwd=ROOT, check=True, capture_output=True)


@contextmanager
def running(environ: Mapping[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, or a module of our own (``benchmarks.…``), until the block ends."""
    process = subprocess.Popen(
        _program(*command),
        env=environ,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _program(name: str, *arguments: str) -> list[str]:
    if "." in name:
        return [sys.executable, "-m", name, *arguments]
    return [str(Path(sys.executable).parent / name), *arguments]


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def cpu_seconds(parent: int) -> float:
    """Return the CPU time that a process's children have used so far."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return cpu_of([int(child) for child in children])


def cpu_of(processes: Iterable[int]) -> float:
    """Return the seconds of CPU that processes have used so far."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
