"""Signs of life: which queues were served lately, and how far the chains are."""

import json
from collections.abc import Mapping
from typing import Any

import redis
import structlog

from protonpay.kernel import clock
from protonpay.store.queue import door

log = structlog.get_logger(__name__)

_QUEUES = "beats:queues"
_CHAINS = "beats:chains"


def beat(queue: str) -> None:
    """Note that a worker of a queue is at work."""
    door.client.hset(_QUEUES, queue, str(_now()))


def queue_ages() -> Mapping[str, int]:
    """Return the seconds since each queue was last served."""
    now = _now()
    return {name: now - int(at) for name, at in _read(_QUEUES).items()}


def note_head(network: str, *, latest: int, small: int, finalized: int, finalized_at: int) -> None:
    """Note how far a network's node is (``chains.port.ChainHead``), and when that was seen."""
    seen = {
        "latest": latest,
        "small": small,
        "finalized": finalized,
        "finalizedAt": finalized_at,
        "seenAt": _now(),
    }
    door.client.hset(_CHAINS, network, json.dumps(seen))


def known_heads() -> Mapping[str, dict[str, Any]]:
    """Return ``chain_heads``; of none while Redis does not answer."""
    try:
        return chain_heads()
    except redis.RedisError as error:
        log.warning("no_heads_without_redis", error=repr(error))
        return {}


def chain_heads() -> Mapping[str, dict[str, Any]]:
    """Return what was last noted of each network, with its ``age`` in seconds."""
    now = _now()
    heads = {name: json.loads(text) for name, text in _read(_CHAINS).items()}
    return {name: {**head, "age": now - head["seenAt"]} for name, head in heads.items()}


def _read(key: str) -> Mapping[str, str]:
    stored = door.client.hgetall(key)
    return {name.decode(): value.decode() for name, value in stored.items()}  # type: ignore[union-attr] # the synchronous client answers a dict


def _now() -> int:
    return clock.to_epoch_ms(clock.now()) // 1000
