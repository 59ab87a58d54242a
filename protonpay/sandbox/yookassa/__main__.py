"""``python -m protonpay.sandbox.yookassa --listen 127.0.0.1:9301 --secret-key test_…``."""

from argparse import Namespace

from flask import Blueprint, Flask, Response, jsonify, request

from protonpay.sandbox import server
from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.faults import Faults
from protonpay.sandbox.cards.levers import levers
from protonpay.sandbox.cards.page import hosted_page
from protonpay.sandbox.cards.store import Store
from protonpay.sandbox.yookassa.api import refusal, yookassa_api
from protonpay.sandbox.yookassa.shop import YooKassaShop


def create_app(given: Namespace) -> Flask:
    """Return the simulator of one shop, its notifications already on their way."""
    store = Store(given.state)
    shop = YooKassaShop(store, Clock(store), Faults(refusal), given.notify)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.register_blueprint(yookassa_api(shop, given.shop_id, given.secret_key))
    app.register_blueprint(hosted_page(shop, given.merchant))
    app.register_blueprint(levers(shop))
    app.register_blueprint(_shops_own_pages(shop))
    shop.callbacks.start()
    return app


def _shops_own_pages(shop: YooKassaShop) -> Blueprint:
    pages = Blueprint("shop", __name__, url_prefix="/_sim")

    @pages.post("/notifications")
    def notifications() -> Response:
        """Set whom the shop notifies, as its owner does on YooKassa's pages."""
        shop.notify_url = str((request.get_json(silent=True) or {}).get("url", ""))
        return jsonify(url=shop.notify_url)

    return pages


def main() -> None:
    """Run the simulator."""
    parser = server.options(__doc__ or "")
    parser.add_argument("--shop-id", default="100500")
    parser.add_argument("--secret-key", required=True, metavar="test_…")
    parser.add_argument("--notify", default="", metavar="URL", help="where notifications go")
    parser.add_argument("--merchant", default="Proton Pay", help="as the page calls it")
    given = parser.parse_args()
    server.serve(create_app(given), given.listen)


main()
