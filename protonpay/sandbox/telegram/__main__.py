"""``python -m protonpay.sandbox.telegram --listen 127.0.0.1:9304 --token 123456:sandbox-…``."""

from argparse import Namespace

from flask import Flask

from protonpay.sandbox import server
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.store import Store
from protonpay.sandbox.telegram.api import refusal, telegram_api
from protonpay.sandbox.telegram.messenger import Messenger
from protonpay.sandbox.telegram.page import chat_page, levers


def create_app(given: Namespace) -> Flask:
    """Return the simulator of one bot."""
    messenger = Messenger(Store(given.state), Faults(refusal), token=given.token, name=given.name)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.register_blueprint(telegram_api(messenger))
    app.register_blueprint(levers(messenger))
    app.register_blueprint(chat_page(messenger))
    return app


def main() -> None:
    """Run the simulator."""
    parser = server.options(__doc__ or "")
    parser.add_argument("--token", required=True, metavar="NUMBER:SECRET")
    parser.add_argument("--name", default="protonpay_sandbox_bot", help="of the bot, without the @")
    given = parser.parse_args()
    server.serve(create_app(given), given.listen)


main()
