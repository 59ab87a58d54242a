"""`flask ops egress check`: says what can be reached from here, and fails if that is inside."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from protonpay.wire import egress
from protonpay.wire.egress import Look, Met
from protonpay.wire.guard import allowed
from tests.cli.test_ops import Terminal, flask

__all__ = ["flask"]

Place = tuple[str, int]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def walled(stack: ExitStack) -> Place:
    """A place that does not answer: its queue is full, and more are dropped, as by a wall."""
    full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    place: Place = full.getsockname()
    for _ in range(4):
        one = stack.enter_context(socket.socket())
        one.settimeout(0)
        one.connect_ex(place)
    return place


@pytest.fixture
def listening(stack: ExitStack) -> Place:
    place: Place = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()
    return place


@pytest.fixture
def empty() -> Place:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        place: Place = gone.getsockname()
        return place


@pytest.fixture
def behind_a_wall(monkeypatch: pytest.MonkeyPatch, walled: Place) -> None:
    monkeypatch.setattr(egress, "INSIDE", (walled,))
    monkeypatch.setattr(egress, "look_at_ourselves", lambda seconds: egress.look([walled], seconds))


def named(place: Place) -> str:
    return f"{place[0]}:{place[1]}"


def test_open_refused_and_nothing_are_told_apart(listening: Place, empty: Place, walled: Place):
    assert egress.look([listening, empty, walled], 0.2) == [
        Look(*listening, Met.OPEN),
        Look(*empty, Met.REFUSED),
        Look(*walled, Met.NOTHING),
    ]


def test_every_place_it_tries_is_one_where_no_webhook_goes():
    assert [place for place in egress.INSIDE if allowed(place[0])] == []


def test_a_machine_without_a_wall_reaches_itself():
    found = egress.look_at_ourselves(2)
    assert Met.OPEN in {each.met for each in found if each.host == "127.0.0.1"}


@pytest.mark.usefixtures("behind_a_wall")
def test_behind_a_wall_it_is_content(flask: Terminal, listening: Place, walled: Place):
    said = flask.says("ops", "egress", "check", "--seconds", "0.2", "--but", named(listening))
    assert f"ok   {named(walled)}  nothing" in said
    assert f"ok   {named(listening)}  OPEN" in said


@pytest.mark.usefixtures("behind_a_wall")
@pytest.mark.parametrize("option", ["--not", "--but"])
def test_what_answers_and_must_not_or_must_and_does_not_fails_it(
    flask: Terminal, empty: Place, option: str
):
    result = flask("ops", "egress", "check", "--seconds", "0.2", option, named(empty))
    assert result.exit_code == 1
    assert f"BAD  {named(empty)}  REFUSED" in result.output


@pytest.mark.parametrize("wrong", ["10.0.0.1", "10.0.0.1:", ":80", "a:b", "10.0.0.1:٣"])
def test_a_place_that_is_none_is_refused(flask: Terminal, wrong: str):
    assert flask("ops", "egress", "check", "--not", wrong).exit_code == 2


def test_without_a_wall_it_fails(flask: Terminal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(egress, "INSIDE", ())
    result = flask("ops", "egress", "check")
    assert result.exit_code == 1
    assert "BAD  127.0.0.1:" in result.output
