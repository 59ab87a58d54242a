"""A source of exchange rates: ``python -m protonpay.sandbox.rates --listen 127.0.0.1:9301``.

``GET /latest.json`` answers in the form of openexchangerates.org, as of now. Levers:
``POST /_sim/rates`` changes rates (``{"KWD": "0.31"}``, null takes one away), ``POST
/_sim/age`` makes them old (``{"seconds": 3600}``), ``POST /_sim/faults`` lets the next call
go wrong as those of the card simulators do.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Response, abort, jsonify, request

from protonpay.kernel import clock
from protonpay.sandbox import server
from protonpay.sandbox.cards.faults import Faults

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def _usual() -> dict[str, str]:
    # Near the real ones; decimal text, because that is how they are printed.
    return {
        "AED": "3.6725",
        "BHD": "0.376",
        "EGP": "49.85",
        "EUR": "0.8612",
        "KGS": "87.45",
        "KWD": "0.30695",
        "KZT": "526.31",
        "OMR": "0.3845",
        "RUB": "81.2345",
        "SAR": "3.75",
        "USD": "1",
        "UZS": "12045.67",
    }


@dataclass
class _Market:
    """Units for one dollar, and how old they are made to look."""

    rates: dict[str, str] = field(default_factory=_usual)
    age_seconds: int = 0

    def document(self) -> str:
        timestamp = clock.to_epoch_ms(clock.now()) // 1000 - self.age_seconds
        rates = ", ".join(f'"{currency}": {rate}' for currency, rate in self.rates.items())
        return f'{{"timestamp": {timestamp}, "base": "USD", "rates": {{{rates}}}}}'


def create_app() -> Flask:
    """Return the source, with every rate at its usual value and fresh."""
    app = Flask(__name__)
    market = _Market()
    faults = Faults(lambda status: Response("{}", status, mimetype="application/json"))
    source = Blueprint("source", __name__)
    faults.guard(source)

    @source.get("/latest.json")
    def latest() -> Response:
        return Response(market.document(), mimetype="application/json")

    app.register_blueprint(source)
    app.register_blueprint(_levers(market, faults))
    return app


def _levers(market: _Market, faults: Faults) -> Blueprint:
    sim = Blueprint("levers", __name__, url_prefix="/_sim")

    @sim.get("")
    def about() -> Response:
        return Response(__doc__, mimetype="text/plain")

    @sim.post("/rates")
    def change() -> Response:
        for currency, rate in _body().items():
            if rate is None:
                market.rates.pop(currency, None)
            elif _CURRENCY.fullmatch(currency) and _NUMBER.fullmatch(str(rate)):
                market.rates[currency] = str(rate)
            else:
                abort(400, "a currency and its rate in decimals, or null")
        return jsonify(market.rates)

    @sim.post("/age")
    def age() -> Response:
        market.age_seconds = int(_body().get("seconds", 0))
        return jsonify(seconds=market.age_seconds)

    @sim.post("/faults")
    def fault() -> Response:
        faults.add(_body())
        return jsonify(faults.waiting())

    return sim


def _body() -> dict[str, Any]:
    body = json.loads(request.get_data(), parse_float=str)
    return body if isinstance(body, dict) else {}


def main() -> None:
    """Run the source."""
    server.serve(create_app(), server.options(__doc__ or "").parse_args().listen)


if __name__ == "__main__":
    main()
