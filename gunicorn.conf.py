"""How the web is served; each setting with its reason.

Settings of one's own: PORT, BIND, WEB_CONCURRENCY, WEB_THREADS, FORWARDED_ALLOW_IPS.
"""

import os
from socket import socket

from gunicorn import util
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from prometheus_client import multiprocess
from typing_extensions import override

from protonpay.kernel import ids, problems
from protonpay.telemetry import logs

# Loopback: a proxy that speaks TLS stands in front, or a developer sits here.
bind = f"{os.environ.get('BIND') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"

# Two processes of four threads did best on two cores. A process
# is a core's worth of Python; threads wait for Postgres. Config reads WEB_THREADS as well: a
# thread has one database connection.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)

# Each process imports for itself: pools and sockets are made after the fork, never shared, and a
# reload (HUP) loads new code.
preload_app = False

# Longer than a proxy or a client library keeps an idle connection (60 s is usual): the one that
# closes must not be us, or a request is lost on the way.
keepalive = 75
worker_connections = 1000
backlog = 2048

# A worker that says nothing for so long is replaced; threads keep the sign of life apart from
# slow requests. On TERM what is running may finish: no request takes longer than this.
timeout = 30
graceful_timeout = 20

# Our longest URL is a cursor, our longest header a token: more is an attack or a mistake.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# Who may say what the client's address and scheme were; the application counts hops itself
# (TRUSTED_PROXIES).
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"

# And nobody may say which path was asked for: by default gunicorn takes SCRIPT_NAME from the proxy,
# which may hand on what its own caller has sent, and has let the path through that it saw.
forwarder_headers = ""

# The sign of life is a file that is touched: on a disk a busy one would make workers look dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 - memory

# Nobody speaks to it, and its usual place below $HOME is shared by every gunicorn of a user.
control_socket_disable = True

# The application logs each request itself, with its id and without its secrets.
accesslog = None
loglevel = (os.environ.get("LOG_LEVEL") or "info").lower()


class logger_class(Logger):  # noqa: N801 - the setting's name
    """What gunicorn has to say takes the application's way: JSON, one line each."""

    @override
    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        logs.configure(cfg.loglevel.upper())


def write_problem(client: socket, status: int, reason: str, mesg: str) -> None:  # noqa: ARG001 - gunicorn's own names
    """Answer what is no HTTP as every other error is answered, without quoting it."""
    code = problems.PROTOCOL_CODES.get(status, "malformed_request")
    request_id = ids.new_request_id()
    body = problems.body(status, code, f"{reason}.", instance="", request_id=request_id).encode()
    head = [
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        f"Content-Type: {problems.MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    ]
    util.write_nonblock(client, "\r\n".join([*head, "", ""]).encode() + body)


# What gunicorn refuses never reaches the application; its own page would be HTML.
util.write_error = write_problem


def child_exit(server: Arbiter, worker: Worker) -> None:  # noqa: ARG001 - gunicorn's own names
    """Forget the live gauges of a worker that has ended (Prometheus, several processes)."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)
