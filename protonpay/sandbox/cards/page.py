"""The hosted payment page of every simulated provider: plain HTML and one form."""

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from protonpay.sandbox.cards.simulator import OUTCOMES, CardSimulator

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of a simulator's pages: nothing in them runs, and nobody frames them."""


def hosted_page(simulator: CardSimulator, merchant: str) -> Blueprint:
    """Return ``/pay/<id>`` for a simulator's payments."""
    pages = Blueprint("pages", __name__, template_folder="templates")

    @pages.after_request
    def harden(response: Response) -> Response:
        response.headers.extend(HEADERS)
        return response

    @pages.get("/pay/<payment_id>")
    def show(payment_id: str) -> str:
        payment = simulator.find(payment_id)
        if payment is None:
            abort(404)
        return render_template(
            "pay.html",
            provider=simulator.title,
            merchant=merchant,
            payment=payment,
            back=simulator.back(payment),
            minutes=_minutes_left(simulator, payment["expires_ms"]),
        )

    @pages.post("/pay/<payment_id>")
    def press(payment_id: str) -> Response:
        outcome = request.form.get("outcome")
        if simulator.find(payment_id) is None:
            abort(404)
        if outcome not in OUTCOMES:
            abort(400)
        # A second press, or one on an expired page, changes nothing and leads back as well.
        return redirect(simulator.back(simulator.end(payment_id, outcome)), 303)

    return pages


def _minutes_left(simulator: CardSimulator, expires_ms: int) -> int:
    return max(-(-(expires_ms - simulator.clock.now_ms()) // 60_000), 0)
