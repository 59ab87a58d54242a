"""Whether this installation can do its work now, part by part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from protonpay.chains.registry import NETWORKS
from protonpay.store import beats
from protonpay.store.db import db, release
from protonpay.store.jobs import QUEUES, TELEGRAM
from protonpay.store.queue import door
from protonpay.telegram import service as telegram
from protonpay.wallets import service as wallets

_OLDEST_BEAT_SECONDS = 20
_OLDEST_HEAD_SECONDS = 30
_OLDEST_LOOK_SECONDS = 120
_VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing the work needs.

    Attributes:
        detail: what is wrong, or how things stand; no address, no secret.
    """

    ok: bool
    detail: str


def parts() -> Mapping[str, Part]:
    """Look at every part; one that cannot be looked at is not ready."""
    looks: Mapping[str, Callable[[], Part]] = {
        "database": _database,
        "redis": _redis,
        "migrations": _migrations,
        "workers": _workers,
        "chains": _chains,
        "watches": _watches,
        "addresses": _addresses,
    }
    return {name: _look(look) for name, look in looks.items()}


def newest_migration() -> str:
    """Return the revision this code was written against."""
    return max(path.stem.split("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def _look(look: Callable[[], Part]) -> Part:
    try:
        return look()
    except (SQLAlchemyError, redis.RedisError) as error:
        return Part(ok=False, detail=type(error).__name__)
    finally:
        release()


def _database() -> Part:
    db.session.execute(text("SELECT 1"))
    return Part(ok=True, detail="answers")


def _redis() -> Part:
    door.client.ping()
    return Part(ok=True, detail="answers")


def _migrations() -> Part:
    applied = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    newest = newest_migration()
    return Part(ok=applied == newest, detail=f"{applied} of {newest}")


def _workers() -> Part:
    ages = beats.queue_ages()
    # Where there is no bot, nothing waits for who serves it.
    served = [name for name in QUEUES if name != TELEGRAM or telegram.line.bot is not None]
    late = [name for name in served if ages.get(name, 10**6) > _OLDEST_BEAT_SECONDS]
    return Part(ok=not late, detail=f"silent: {', '.join(late)}" if late else "all queues served")


def _addresses() -> Part:
    short = [family for family, free in wallets.free_addresses().items() if not free]
    return Part(ok=not short, detail=f"none free: {', '.join(short)}" if short else "enough free")


def _watches() -> Part:
    ages = wallets.watch_ages()
    late = [name for name in NETWORKS if ages.get(name, 10**6) > _OLDEST_LOOK_SECONDS]
    told = f"deposits not seen: {', '.join(late)}" if late else "all networks looked through"
    return Part(ok=not late, detail=told)


def _chains() -> Part:
    heads = beats.chain_heads()
    late = [
        name for name in NETWORKS if name not in heads or heads[name]["age"] > _OLDEST_HEAD_SECONDS
    ]
    return Part(ok=not late, detail=f"silent: {', '.join(late)}" if late else "all nodes answer")
