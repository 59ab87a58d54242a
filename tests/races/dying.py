"""The web as it is, whose worker kills itself where a request's ``X-Die`` says so."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from flask import has_request_context, request

import wsgi
from protonpay.deposits import ordering
from protonpay.deposits import service as deposits
from protonpay.store import idempotency_rows as rows
from protonpay.transfers import service as transfers


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer, or die when everything is committed and nothing was said."""
    answer = wsgi.app(environ, start_response)
    if environ.get("HTTP_X_DIE") == "committed":
        _die()
    return answer


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying(place: Any, name: str, when: str) -> None:
    does = getattr(place, name)

    def does_and_dies(*args: Any, **kwargs: Any) -> Any:
        done = does(*args, **kwargs)
        if has_request_context() and request.headers.get("X-Die") == when:
            _die()
        return done

    setattr(place, name, does_and_dies)


_dying(transfers, "_tell", "row written")
_dying(transfers.ledger, "post", "money moved")
_dying(rows, "keep", "answer kept")
_dying(ordering, "write_down", "deposit written")
_dying(ordering, "_ask_for_page", "provider asked")
_dying(rows, "advance", "answer noted")
_dying(deposits, "open_card_deposit", "page known")
_dying(rows, "complete", "answer kept in steps")
