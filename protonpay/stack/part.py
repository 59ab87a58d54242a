"""What a stack is made of: parts, each with what it needs and how one knows that it is ready."""

import http.client
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from protonpay.stack.child import Child, Command
from protonpay.stack.service import Service

Check = Callable[[Child | None], bool]

_PROBE_SECONDS = 5


def _nothing() -> None:
    """Do nothing."""


def said_ready(child: Child | None) -> bool:
    """Ready when it has printed ``ready``."""
    return child is not None and child.has_said("ready")


@dataclass(frozen=True, slots=True)
class Part:
    """One process, or one step that runs to its end.

    Attributes:
        what: for a person.
        command: how it is started; None for a part that is only waited for.
        needs: the parts that must be ready before.
        ready: asked until it says yes; a step is ready when it has ended with status 0.
        step: whether it ends by itself; then it is not started again.
        done: a step that says yes here is left out.
        prepare: done before each start; ``furnish`` once it is ready.
        grace_seconds: how long it may take to stop.
    """

    name: str
    what: str
    command: Callable[[], Command] | None
    needs: tuple[str, ...] = ()
    ready: Check = said_ready
    step: bool = False
    done: Callable[[], bool] = bool
    prepare: Callable[[], None] = _nothing
    furnish: Callable[[], None] = _nothing
    address: str = ""
    start_seconds: float = 60.0
    grace_seconds: float = 8.0


def of_service(service: Service, what: str, address: str) -> Part:
    """Make a part of a server of somebody else's."""
    return Part(
        service.name,
        what,
        service.command,
        ready=lambda _: service.answers(),
        prepare=service.prepare,
        furnish=service.furnish,
        address=address,
        start_seconds=service.start_seconds,
        grace_seconds=service.grace_seconds,
    )


def answers(url: str, *, written_to: Path | None = None) -> Check:
    """Ready when a GET is answered with 200.

    Args:
        url: on this machine.
        written_to: keeps the last answer, for whoever asks why it is not ready.
    """

    def check(_: Child | None) -> bool:
        status, body = get(url)
        if written_to:
            written_to.write_bytes(body)
        return status == HTTPStatus.OK

    return check


def get(url: str) -> tuple[int | None, bytes]:
    """Return the status and body of an answer; None without one."""
    place = urlsplit(url)
    # Not urllib: a proxy in the environment has no business on the loopback address.
    connection = http.client.HTTPConnection(place.netloc, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", place.path or "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return None, str(error).encode()
    finally:
        connection.close()


def in_order(parts: Iterable[Part]) -> Mapping[str, Part]:
    """Return the parts by name.

    Raises:
        ValueError: two have one name, or one needs a part that does not come before it.
    """
    found: dict[str, Part] = {}
    for part in parts:
        missing = set(part.needs) - set(found)
        if missing or part.name in found:
            raise ValueError(f"{part.name}: named twice, or before {sorted(missing)}")
        found[part.name] = part
    return found
