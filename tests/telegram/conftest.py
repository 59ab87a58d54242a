"""A Telegram of the tests' own, spoken to over HTTP, and a bot of it in this process."""

from collections.abc import Iterator

import pytest

from protonpay.store import db
from protonpay.telegram.bot import Bot
from protonpay.telegram.service import line
from tests.actors import Actor
from tests.committed import open_house
from tests.moments import Moments
from tests.simulators import running
from tests.telegram.chats import Telegram

__all__ = ["open_house"]

TOKEN = "100500:a-token-of-the-tests"


@pytest.fixture(scope="session")
def simulator() -> Iterator[Telegram]:
    with running("protonpay.sandbox.telegram", "--token", TOKEN, "--name", "tests_bot") as found:
        yield Telegram(found)


@pytest.fixture
def telegram(simulator: Telegram) -> Iterator[Telegram]:
    """The simulator without faults, and this process's bot with it."""
    simulator.forget_faults()
    simulator.fetch_all()
    bot = Bot(simulator.url, TOKEN, wait_seconds=0)
    line.bind(bot, f"{simulator.url}/tests_bot")
    yield simulator
    line.bind(None, "")


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


@pytest.fixture
def _nothing_before(alice: Actor) -> None:
    """Begin behind the letters of Alice's registration."""
    with db.transaction():
        db.execute("DELETE FROM letters", {})
