"""``/_sim``: how a test, or a curious person, moves a simulator. No secret guards it."""

from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from protonpay.sandbox.cards.faults import FAULTS, Faults
from protonpay.sandbox.cards.simulator import ALTERABLE, KIND, OUTCOMES, SCRIPT, CardSimulator
from protonpay.sandbox.cards.store import Document

_ABOUT = f"""\
Levers of a simulated card provider. Bodies and answers are JSON.

GET    /_sim                               this page
GET    /_sim/payments                      the latest payments
DELETE /_sim/payments                      the merchant has an account without any
GET    /_sim/payments/<id>                 one of them
POST   /_sim/payments/<id>/outcome         {{"outcome": "paid"}}: the button, without the page;
                                           also after the page has expired (a late success)
POST   /_sim/payments/<id>/alter           what the status call says from now on, of
                                           {", ".join(ALTERABLE)}
POST   /_sim/payments/<id>/refund          {{"amount": "5.000"}}, or {{}} for all of it
POST   /_sim/payments/<id>/chargeback      the same, as a bank would
POST   /_sim/payments/<id>/callback        send its callback again, with a script
POST   /_sim/payments/<id>/script          how its callbacks behave, of {", ".join(SCRIPT)}
POST   /_sim/script                        the same for the next payment
GET    /_sim/words                         what the provider calls each outcome
GET    /_sim/callbacks[?payment=<id>]      what was sent, when, and what was answered
POST   /_sim/clock                         {{"advance_seconds": 1800}}
GET    /_sim/faults                        those that wait
POST   /_sim/faults                        {{"fault": "status", "call": "create", "times": 1}}
DELETE /_sim/faults

A call is create, fetch, list, refund, refunds or *. The faults:

"""


def levers(simulator: CardSimulator) -> Blueprint:
    """Return the levers of a simulator."""
    sim = Blueprint("levers", __name__, url_prefix="/_sim")

    @sim.get("")
    def about() -> Response:
        faults = "\n".join(f"{name:18} {what}" for name, what in FAULTS.items())
        return Response(f"{_ABOUT}{faults}\n", mimetype="text/plain")

    _of_the_account(sim, simulator)
    _of_payments(sim, simulator)
    _of_callbacks(sim, simulator)
    _of_the_world(sim, simulator)
    return sim


def _of_the_account(sim: Blueprint, simulator: CardSimulator) -> None:
    @sim.delete("/payments")
    def forget_payments() -> Response:
        simulator.store.forget(KIND)
        return jsonify({})


def _of_payments(sim: Blueprint, simulator: CardSimulator) -> None:
    @sim.get("/payments")
    def payments() -> Response:
        return jsonify(simulator.store.newest(KIND, 100))

    @sim.get("/payments/<payment_id>")
    def payment(payment_id: str) -> Response:
        return jsonify(_existing(simulator, payment_id))

    @sim.post("/payments/<payment_id>/outcome")
    def outcome(payment_id: str) -> Response:
        _existing(simulator, payment_id)
        wanted = body().get("outcome")
        if wanted not in OUTCOMES:
            abort(400, f"outcome is one of {', '.join(OUTCOMES)}")
        return jsonify(simulator.end(payment_id, wanted, late=True))

    @sim.post("/payments/<payment_id>/<any(alter, script):part>")
    def change(payment_id: str, part: str) -> Response:
        allowed = ALTERABLE if part == "alter" else tuple(SCRIPT)
        changes = _body_of(allowed)
        with simulator.store.lock:
            found = _existing(simulator, payment_id)
            found["altered" if part == "alter" else part].update(changes)
            simulator.save(found)
        return jsonify(found)

    @sim.post("/payments/<payment_id>/<any(refund, chargeback):reason>")
    def refund(payment_id: str, reason: str) -> Response:
        _existing(simulator, payment_id)
        return jsonify(simulator.refund(payment_id, body().get("amount"), reason))

    @sim.post("/payments/<payment_id>/callback")
    def callback(payment_id: str) -> Response:
        found = _existing(simulator, payment_id)
        script = {**SCRIPT, "delay_ms": 0, **_body_of(tuple(SCRIPT))}
        simulator.announce({**found, "script": script})
        return jsonify(script)


def _of_callbacks(sim: Blueprint, simulator: CardSimulator) -> None:
    @sim.post("/script")
    def script() -> Response:
        simulator.script_next(_body_of(tuple(SCRIPT)))
        return jsonify({**SCRIPT, **body()})

    @sim.get("/words")
    def words() -> Response:
        return jsonify(simulator.words)

    @sim.get("/callbacks")
    def callbacks() -> Response:
        return jsonify(simulator.callbacks.of(request.args.get("payment")))


def _of_the_world(sim: Blueprint, simulator: CardSimulator) -> None:
    @sim.post("/clock")
    def clock() -> Response:
        simulator.clock.advance(float(body().get("advance_seconds", 0)))
        simulator.look_around()
        simulator.callbacks.look_again()
        return jsonify(now_ms=simulator.clock.now_ms())

    of_faults(sim, simulator.faults)


def of_faults(sim: Blueprint, faults: Faults) -> None:
    """Add the levers of what can go wrong with the next calls."""

    @sim.get("/faults")
    def waiting() -> Response:
        return jsonify(faults.waiting())

    @sim.post("/faults")
    def fault() -> Response:
        try:
            faults.add(body())
        except ValueError as error:
            abort(400, str(error))
        return jsonify(faults.waiting())

    @sim.delete("/faults")
    def forget() -> Response:
        faults.clear()
        return jsonify([])


def body() -> dict[str, Any]:
    """Return what a lever was given."""
    given = request.get_json(force=True, silent=True)
    return given if isinstance(given, dict) else {}


def _body_of(allowed: tuple[str, ...]) -> dict[str, Any]:
    given = body()
    unknown = set(given) - set(allowed)
    if unknown:
        abort(400, f"not one of {', '.join(allowed)}: {', '.join(sorted(unknown))}")
    return given


def _existing(simulator: CardSimulator, payment_id: str) -> Document:
    payment = simulator.find(payment_id)
    if payment is None:
        abort(404, "there is no such payment")
    return payment
