"""Structured logs: one JSON object per line, and no secret in any of them."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRETS = re.compile(
    r"sk_(?:live|test)_[0-9A-Za-z]+"
    r"|whsec_[A-Za-z0-9+/=]+"
    r"|op_[\w-]{43}"
    r"|[0-9]{5,20}:[A-Za-z0-9_-]{30,}"  # of a Telegram bot: part of each address that is called
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|(?<=://)[^/@\s:]*:[^/@\s]*(?=@)"
)
# What Postgres says of a row that it refuses, up to what follows in a traceback.
_ROWS = re.compile(
    r"(DETAIL: +(?:Failing row contains |Key \([^)]*\)=))\(.*?"
    r"(?=\n\nThe above|\n\nDuring|\nCONTEXT:|\nHINT:|\n\[SQL|\Z)",
    re.DOTALL,
)
_SECRET_MEMBERS = frozenset(
    {"password", "secret", "token", "authorization", "rawkey", "refreshtoken", "passphrase"}
)
_HIDDEN = "[redacted]"


def redact(value: Any) -> Any:
    """Return a value with everything that looks like a secret of ours taken out."""
    if isinstance(value, str):
        return _SECRETS.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {key: _member(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def _member(key: Any, value: Any) -> Any:
    hidden = isinstance(key, str) and key.replace("_", "").lower() in _SECRET_MEMBERS
    return _HIDDEN if hidden else redact(value)


def _redact_event(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {key: _member(key, _without_rows(value)) for key, value in event.items()}


def _without_rows(value: Any) -> Any:
    return _ROWS.sub(rf"\1{_HIDDEN}", value) if isinstance(value, str) else value


_EVERYBODYS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _redact_event,
]
# One list however often it is configured: a logger that has spoken keeps the one it found.
_OURS: list[Any] = [*_EVERYBODYS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]


def configure(level: str) -> None:
    """Send our logs and those of every library to standard error, as JSON lines."""
    structlog.configure(
        processors=_OURS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_EVERYBODYS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # One line per HTTP call of a library is noise beside ours, and its URL may hold a key.
    for noisy in ("urllib3", "requests", "rq", "alembic.runtime.plugins"):
        logger = logging.getLogger(noisy)
        # Never lower than whoever uses the library has set it.
        logger.setLevel(max(logger.level, logging.WARNING))
