"""``python -m protonpay.sandbox.tap --listen 127.0.0.1:9300 --secret-key sk_test_…``."""

from pathlib import Path

from flask import Flask

from protonpay.sandbox import server
from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.levers import levers
from protonpay.sandbox.cards.page import hosted_page
from protonpay.sandbox.cards.store import Store
from protonpay.sandbox.tap.account import TapAccount
from protonpay.sandbox.tap.api import refusal, tap_api


def create_app(secret_key: str, merchant: str, folder: Path | None) -> Flask:
    """Return the simulator of one merchant account, its callbacks already on their way."""
    store = Store(folder)
    account = TapAccount(store, Clock(store), Faults(refusal), secret_key)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.register_blueprint(tap_api(account, secret_key))
    app.register_blueprint(hosted_page(account, merchant))
    app.register_blueprint(levers(account))
    account.callbacks.start()
    return app


def main() -> None:
    """Run the simulator."""
    parser = server.options(__doc__ or "")
    parser.add_argument("--secret-key", required=True, metavar="sk_test_…")
    parser.add_argument("--merchant", default="Proton Pay", help="as the page calls it")
    given = parser.parse_args()
    server.serve(create_app(given.secret_key, given.merchant, given.state), given.listen)


main()
