"""Events to deliveries, deliveries to receivers."""

from protonpay.webhooks import delivery, service
from workers.job import drain, periodic

_EVENTS = 500
_DELIVERIES = 20


@periodic("events.dispatch")
def dispatch() -> None:
    """Write down who hears of what happened."""
    drain(lambda: service.dispatch(_EVENTS), _EVENTS)


@periodic("webhooks.deliver")
def deliver() -> None:
    """Attempt what is due."""
    drain(lambda: delivery.deliver_due(_DELIVERIES), _DELIVERIES)
