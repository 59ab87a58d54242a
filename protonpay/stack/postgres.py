"""Postgres of our own: made once, started in a tenth of a second, as safe as its disk.

Time limits are not set here but by whoever connects (``store/db.py``: lock and statement
timeouts of the program, none for a migration), because a server of your own has none either.
"""

import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from protonpay.stack import orphans, ports, programs
from protonpay.stack.account import tethered
from protonpay.stack.child import Command
from protonpay.stack.failures import StackError, StartFailed
from protonpay.stack.service import Service

DATABASE = "protonpay"
ROLE = "protonpay"
"""Owns the database and makes the program's group role; no superuser."""
SUPERUSER = "proton"

_INITDB_SECONDS = 120
_SETTINGS = {
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiling costs more than any of our queries takes
    "log_checkpoints": "off",
}
_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Tests ask of every table at once what it holds; of few rows, helpers cost more than they do.
    "max_parallel_workers_per_gather": "0",
}


class Postgres(Service):
    """A Postgres server in a folder.

    Attributes:
        port: of the loopback address; the socket's name has it too.
        durable: false for tests: twice as fast, and a power cut may break it.
    """

    name = "postgres"

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        password: str,
        durable: bool = True,
        log: Path | None = None,
    ) -> None:
        super().__init__(folder, log=log)
        self.port = port
        self.durable = durable
        self._password = password

    @cached_property
    def data(self) -> Path:
        """The database cluster itself."""
        return self.account.lodge(self.folder / "cluster") / "data"

    def url(self, database: str = DATABASE, *, user: str = ROLE) -> str:
        """Return an address for this machine's own processes, by socket, without a password."""
        place = quote(str(self.sockets), safe="/")
        return f"postgresql://{user}@/{database}?host={place}&port={self.port}"

    def network_url(self, database: str = DATABASE) -> str:
        """Return an address for any client on this machine, by TCP, with the password."""
        who = f"{ROLE}:{quote(self._password, safe='')}"
        return f"postgresql://{who}@{ports.LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster, unless there is one, and end what a killed run left behind."""
        data = self.data
        if not data.exists():
            self._initialise(data)
        made_by = data.joinpath("PG_VERSION").read_text().strip()
        here = programs.version(self._programs / "postgres")
        if made_by != here.partition(".")[0]:
            raise StackError(
                f"{data} was made by Postgres {made_by}, and this is Postgres {here}: "
                "dump it with the old one, or move it away to start anew."
            )
        self._end_previous(data)

    def command(self) -> Command:
        """Return how the server is started. SIGINT is its word for a fast, clean end."""
        settings = _SETTINGS | ({} if self.durable else _FORGETFUL)
        settings["listen_addresses"] = ports.LOOPBACK
        settings["port"] = str(self.port)
        settings["unix_socket_directories"] = str(self.sockets)
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            (str(self._programs / "postgres"), "-D", str(self.data), *flags),
            env={"LC_ALL": "C"},
            who=self.account.who,
            stop=signal.SIGINT,
        )

    def answers(self) -> bool:
        """Tell whether a query is answered."""
        try:
            self.query("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def furnish(self) -> None:
        """Make our role and our database, where they are missing."""
        if not self.query("SELECT FROM pg_roles WHERE rolname = %s", ROLE):
            self.order("CREATE ROLE {} LOGIN CREATEROLE", ROLE)
        self.order("ALTER ROLE {} PASSWORD {}", ROLE, sql.Literal(self._password))
        if not self.query("SELECT FROM pg_database WHERE datname = %s", DATABASE):
            self.create_database(DATABASE)

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database of our role's, as a copy of another to which nobody is connected.

        Returns:
            Its address.
        """
        # By the log is what a crash survives; as files costs a sixth of it.
        how: LiteralString = "WAL_LOG" if self.durable else "FILE_COPY"
        statement = "CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY " + how
        self.order(statement, name, ROLE, template)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it; content with none of that name."""
        self.order("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def query(self, statement: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """Ask as the superuser, in the database ``postgres``."""
        with self._connection() as connection:
            return connection.execute(statement, values).fetchall()

    def order(self, statement: LiteralString, *names: "str | sql.Literal") -> None:
        """Order as the superuser; a name is quoted as an identifier."""
        quoted = [sql.Identifier(name) if isinstance(name, str) else name for name in names]
        with self._connection() as connection:
            connection.execute(sql.SQL(statement).format(*quoted))

    def _connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(
            self.url("postgres", user=SUPERUSER), connect_timeout=2, autocommit=True
        )

    @cached_property
    def _programs(self) -> Path:
        return self.account.program(programs.postgres(), "bin/postgres") / "bin"

    def _initialise(self, data: Path) -> None:
        # Under another name until it is whole: an interruption leaves nothing that looks ready.
        unfinished = data.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        program = [
            *(str(self._programs / "initdb"), "-D", str(unfinished), "-U", SUPERUSER),
            # The socket's folder is closed to other users; whoever comes by TCP has a password.
            *("--auth-local=trust", "--auth-host=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C", "--data-checksums"),
            *(() if self.durable else ("--no-sync",)),
        ]
        with self.log.open("ab") as output:
            made = subprocess.run(
                tethered(program, self.account.who),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                timeout=_INITDB_SECONDS,
            )
        if made.returncode != 0:
            raise StartFailed("initdb", f"ended with status {made.returncode}", self.log)
        unfinished.rename(data)

    def _end_previous(self, data: Path) -> None:
        # Every process of a server works in its data folder; backends outlive it for a moment.
        orphans.end(lambda: orphans.working_in(data), signal.SIGINT, self.grace_seconds)
        # A process id may have been given to another program since: then Postgres would refuse.
        data.joinpath("postmaster.pid").unlink(missing_ok=True)
        for stale in self.sockets.glob(".s.PGSQL.*"):
            stale.unlink()


@contextmanager
def running(folder: Path, *, durable: bool = True, port: int | None = None) -> Iterator[Postgres]:
    """Run a server in a folder for as long as the block lasts.

    Raises:
        StackError: it cannot run here, or did not start.
    """
    password = secrets.token_hex(16)
    server = Postgres(folder, port=port or ports.free(), password=password, durable=durable)
    with server:
        yield server
