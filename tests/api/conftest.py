"""The application behind a real socket, for clients that know nothing but the document."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from config import Config
from protonpay.cards.registry import card_providers
from protonpay.web.limits import buckets
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse, open_house  # noqa: F401 - a fixture
from tests.conftest import PASSPHRASE
from tests.contract.card_simulators import PLAYED
from tests.listening import leave, listen
from tests.simulators import running
from tests.wallets import pools

UNCOUNTED = dict.fromkeys(
    ("auth", "read", "write", "page", "unauth", "login"), "1000000 per minute"
)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the application logs its requests."""


@dataclass(frozen=True)
class Served:
    """Where the application listens, and somebody who has an account with 1,000 USDC."""

    url: str
    house: OpenHouse
    alice: Actor


@pytest.fixture(scope="session")
def cards() -> Iterator[dict[str, dict[str, str]]]:
    """Every provider of cards, set up with somebody who plays it."""
    with ExitStack() as stack:
        yield {
            name: played.settings(stack.enter_context(running(played.module, *played.options)).url)
            for name, played in PLAYED.items()
        }


@pytest.fixture
def served(
    open_house: OpenHouse,  # noqa: F811 - the fixture
    settings: dict[str, str],
    keyring_path: Path,
    cards: dict[str, dict[str, str]],
) -> Iterator[Served]:
    """Every part that answers is there: addresses to give out, and a card provider."""
    config = Config.load(settings)
    pools.fill(keyring_path, PASSPHRASE)
    buckets.bind(**UNCOUNTED)
    card_providers.bind(cards, live=False)
    alice = make_actor(open_house.app, "Alice", funded="1000")
    server = make_server("127.0.0.1", 0, open_house.app, threaded=True, request_handler=_Quiet)
    listen(server)
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}", open_house, alice)
    finally:
        leave(server)
        card_providers.bind(config.card_providers(), live=config.production)
        buckets.bind(
            auth=config.rate_limit_auth,
            read=config.rate_limit_read,
            write=config.rate_limit_write,
            page=config.rate_limit_page,
            unauth=config.rate_limit_unauth,
            login=config.rate_limit_login,
        )
