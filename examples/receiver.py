"""A receiver of webhooks: verifies each, does nothing twice, says what happened.

    PROTONPAY_SECRET=whsec_... python examples/receiver.py 3000

`flask listen --forward http://127.0.0.1:3000/` posts an account's events to it and prints the
secret to verify them with. Written from docs/webhooks.md; ``protonpay/verify.py`` may be copied.
"""

import os
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from protonpay.verify import Forged, verify

SECRET = os.environ.get("PROTONPAY_SECRET", "")
LARGEST = 1_000_000
seen: set[str] = set()  # a real receiver keeps them in its database, with what it does


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what is ours, 400 to everything else."""

    def do_POST(self) -> None:
        """Take one delivery."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LARGEST))
        try:
            event = verify(body, self.headers, SECRET)
        except Forged as forged:
            print(f"refused: {forged}", flush=True)
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        name = self.headers["webhook-id"]
        again = " (again)" if name in seen else ""
        seen.add(name)
        print(f"{event['event']} {event['data']['id']}{again}", flush=True)
        self._answer(HTTPStatus.NO_CONTENT)

    def log_message(self, *_: object) -> None:
        """Say nothing more."""

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.end_headers()


def main() -> None:
    """Listen on this machine until Ctrl-C."""
    if not SECRET:
        raise SystemExit("Set PROTONPAY_SECRET to the secret of your endpoint.")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
