"""``python -m protonpay.sandbox.freedompay --listen 127.0.0.1:9302 --secret-key …``."""

from argparse import Namespace

from flask import Blueprint, Flask, Response, abort, jsonify, request

from protonpay.sandbox import server
from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.levers import levers
from protonpay.sandbox.cards.page import hosted_page
from protonpay.sandbox.cards.store import Store
from protonpay.sandbox.freedompay.api import freedompay_api, refusal
from protonpay.sandbox.freedompay.shop import FreedomPayShop

_REPEATS = ("same", "second", "unique")


def create_app(given: Namespace) -> Flask:
    """Return the simulator of one shop, its callbacks already on their way."""
    store = Store(given.state)
    faults = Faults(lambda status: refusal(status, given.secret_key))
    shop = FreedomPayShop(store, Clock(store), faults, given.secret_key)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.register_blueprint(freedompay_api(shop, given.merchant_id))
    app.register_blueprint(hosted_page(shop, given.merchant))
    app.register_blueprint(levers(shop))
    app.register_blueprint(_settings_of_the_shop(shop))
    shop.callbacks.start()
    return app


def _settings_of_the_shop(shop: FreedomPayShop) -> Blueprint:
    settings = Blueprint("shop", __name__, url_prefix="/_sim")

    @settings.post("/repeats")
    def repeats() -> Response:
        """Say what a second order under the same id gets."""
        wanted = (request.get_json(silent=True) or {}).get("repeats")
        if wanted not in _REPEATS:
            abort(400, f"repeats is one of {', '.join(_REPEATS)}")
        shop.repeats = wanted
        return jsonify(repeats=wanted)

    return settings


def main() -> None:
    """Run the simulator."""
    parser = server.options(__doc__ or "")
    parser.add_argument("--merchant-id", default="500001")
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--merchant", default="Proton Pay", help="as the page calls it")
    given = parser.parse_args()
    server.serve(create_app(given), given.listen)


main()
