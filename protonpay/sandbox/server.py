"""What every simulator's process shares: its options, its server, and the word ``ready``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _Handler(WSGIRequestHandler):
    # One request each: a connection that breaks off is not waited on for another.
    protocol_version = "HTTP/1.0"

    # One line per request on stderr says nothing that /_sim does not.
    @override
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def options(about: str) -> argparse.ArgumentParser:
    """Return the options every simulator takes; more may be added."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--state", type=Path, metavar="DIR", help="kept across restarts")
    return parser


def serve(app: "WSGIApplication", listen: str) -> None:
    """Serve until the process is ended; say ``ready`` on stdout once connections are taken."""
    host, _, port = listen.rpartition(":")
    server = make_server(host, int(port), app, threaded=True, request_handler=_Handler)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()
