"""Test payments as rows, and the job that sends them."""

from protonpay.kernel import clock, ids
from protonpay.store import db
from tests.actors import Actor

_PAYMENT = """
    INSERT INTO test_payments (id, user_id, network, address, amount_micro, state, created_at)
    VALUES (%(id)s, %(user)s, 'Base', %(address)s, 5000000, 'PENDING', %(at)s)
"""
ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"


def paid_in_test(of: Actor) -> str:
    """Have somebody have asked for a payment; no job sends it."""
    payment_id = ids.new_id()
    values = {"id": payment_id, "user": of.id, "address": ADDRESS, "at": clock.now()}
    with db.transaction():
        db.execute(_PAYMENT, values)
    return payment_id
