"""Faults that somebody asks for, to see what their own program makes of them.

Each answers one call and lasts some minutes, so it stands in Redis alone: an emptied Redis has
forgotten faults, and no more than that.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.store.queue import door

INTERNAL_ERROR, UNAVAILABLE = "internal_error", "unavailable"
RATE_LIMITED, ANSWER_LOST = "rate_limited", "answer_lost"
KINDS = (INTERNAL_ERROR, UNAVAILABLE, RATE_LIMITED, ANSWER_LOST)
METHODS = ("GET", "POST", "PATCH", "DELETE")
LASTS = timedelta(minutes=15)
MOST = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """What is answered to the next call that it is meant for.

    Attributes:
        kind: one of ``KINDS``; by ``ANSWER_LOST`` the call is carried out, by all others not.
        method: of the calls that it is meant for; None: any.
        route: theirs, with the names of its parts; None: any.
    """

    id: str
    kind: str
    method: str | None
    route: str | None
    created_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When it stands no more, used or not."""
        return self.created_at + LASTS

    def is_meant_for(self, method: str, route: str) -> bool:
        """Tell whether it answers such a call."""
        return self.method in (None, method) and self.route in (None, route)


def ask_for(user_id: str, *, kind: str, method: str | None, route: str | None) -> Fault:
    """Have a call of an account's API keys answered by a fault.

    Args:
        user_id: whose keys.
        kind: one of ``KINDS``.
        method: only a call with this method.
        route: only a call of this route.

    Raises:
        Conflict: as many stand as may (``too_many_faults``).
    """
    fault = Fault(ids.new_id(), kind, method, route, clock.now())
    standing(user_id)  # those that are over make room
    text = json.dumps({**asdict(fault), "created_at": fault.created_at.isoformat()})
    with door.client.pipeline() as pipe:
        pipe.hset(_place(user_id), fault.id, text)
        pipe.expire(_place(user_id), LASTS)
        pipe.hlen(_place(user_id))
        *_, count = pipe.execute()
    if count > MOST:
        door.client.hdel(_place(user_id), fault.id)
        said = "At most {limit} faults can be asked for at once."
        raise Conflict("too_many_faults", said, limit=MOST)
    return fault


def standing(user_id: str) -> Sequence[Fault]:
    """Return the faults that no call has met yet, the oldest first."""
    told = cast("dict[bytes, bytes]", door.client.hgetall(_place(user_id)))
    faults = [_read(text) for text in told.values()]
    over = [fault.id for fault in faults if fault.expires_at <= clock.now()]
    if over:
        door.client.hdel(_place(user_id), *over)
    left = [fault for fault in faults if fault.id not in over]
    return sorted(left, key=lambda fault: (fault.created_at, fault.id))


def remove(user_id: str, fault_id: str) -> None:
    """Take a fault back before a call meets it.

    Raises:
        NotFound: there is none: a call has met it, its time is over, or it is somebody else's.
    """
    if not take(user_id, fault_id):
        raise NotFound("not_found", "There is no such fault.")


def take(user_id: str, fault_id: str) -> bool:
    """Use a fault up; False if somebody else has: of several calls it answers one."""
    return bool(door.client.hdel(_place(user_id), fault_id))


def _place(user_id: str) -> str:
    return f"test:faults:{user_id}"


def _read(text: bytes) -> Fault:
    fault = Fault(**json.loads(text))
    return replace(fault, created_at=datetime.fromisoformat(str(fault.created_at)))
