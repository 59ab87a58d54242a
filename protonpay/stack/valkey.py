"""Valkey of our own: the queue's alarm clock and the rate limits, kept on disk every second."""

import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import redis

from protonpay.stack import orphans, ports, programs
from protonpay.stack.child import Command
from protonpay.stack.service import Service


class Valkey(Service):
    """A Valkey (or Redis) server in a folder.

    Attributes:
        port: of the loopback address.
        durable: false for tests: nothing is written to disk.
    """

    name = "valkey"

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
        """What it keeps."""
        return self.account.lodge(self.folder / "data")

    @property
    def socket(self) -> Path:
        """The address for processes of this machine's own."""
        return self.sockets / "valkey.sock"

    def url(self, database: int = 0) -> str:
        """Return an address for this machine's own processes, by socket."""
        return f"unix://:{self._password}@{self.socket}?db={database}"

    def network_url(self, database: int = 0) -> str:
        """Return an address for any client on this machine, by TCP."""
        return f"redis://:{self._password}@{ports.LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Write its settings, and end what a killed run left behind."""
        orphans.end(lambda: orphans.working_in(self.data), signal.SIGTERM, self.grace_seconds)
        settings = self.data / "valkey.conf"
        settings.touch(mode=0o600)
        settings.write_text("".join(f"{name} {value}\n" for name, value in self._settings()))
        self.account.give(settings)

    def command(self) -> Command:
        """Return how the server is started."""
        program = programs.valkey()
        tree = self.account.program(program.parent, program.name)
        return Command(
            (str(tree / program.name), str(self.data / "valkey.conf")), who=self.account.who
        )

    def answers(self) -> bool:
        """Tell whether a PING is answered."""
        client = redis.Redis.from_url(self.url(), socket_timeout=2, socket_connect_timeout=2)
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # loading is a ConnectionError, too
            return False
        finally:
            client.close()

    def furnish(self) -> None:
        """Nothing is expected in it."""

    def _settings(self) -> list[tuple[str, str]]:
        # Queues must not be evicted: a full memory is an error that is seen.
        return [
            ("bind", ports.LOOPBACK),
            ("port", str(self.port)),
            ("unixsocket", f'"{self.socket}"'),
            ("unixsocketperm", "700"),
            ("requirepass", self._password),
            ("dir", f'"{self.data}"'),
            ("daemonize", "no"),
            ("databases", "16"),
            ("maxmemory-policy", "noeviction"),
            ("save", '""'),
            ("appendonly", "yes" if self.durable else "no"),
            ("appendfsync", "everysec"),
            # Its environment holds the mark of whose it is; a new title would overwrite it.
            ("set-proc-title", "no"),
        ]


@contextmanager
def running(folder: Path, *, durable: bool = True, port: int | None = None) -> Iterator[Valkey]:
    """Run a server in a folder for as long as the block lasts.

    Raises:
        StackError: it cannot run here, or did not start.
    """
    password = secrets.token_hex(16)
    server = Valkey(folder, port=port or ports.free(), password=password, durable=durable)
    with server:
        yield server
