"""Ports: as asked, beside it, and the same the next time."""

import random
import socket

import pytest

from protonpay.stack import ports
from protonpay.stack.failures import StackError


def somewhere():
    """Return a port with free ones behind it, below those that connections are given."""
    for port in random.sample(range(10_000, 30_000), 1_000):
        if all(ports.is_free(port + n) for n in range(len(ports.PARTS))):
            return port
    raise AssertionError("no free stretch of ports")


def test_the_others_follow_the_port_that_was_asked_for():
    asked = somewhere()
    chosen = ports.choose(asked, {})
    assert chosen == {part: asked + place for place, part in enumerate(ports.PARTS)}


def test_a_taken_neighbour_is_passed_over():
    asked = somewhere()
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", asked + 1))
        neighbour.listen()
        chosen = ports.choose(asked, {})
    assert chosen["web"] == asked
    assert chosen["postgres"] != asked + 1
    assert len(set(chosen.values())) == len(ports.PARTS)


def test_a_taken_port_that_was_asked_for_is_refused(taken_port):
    with pytest.raises(StackError, match=f"Port {taken_port} is taken"):
        ports.choose(taken_port, {})


def test_zero_leaves_all_to_chance():
    chosen = ports.choose(0, {})
    assert set(chosen) == set(ports.PARTS)
    assert len(set(chosen.values())) == len(ports.PARTS)


def test_what_was_given_before_is_given_again():
    before = ports.choose(0, {})
    assert ports.choose(0, before) == before


def test_what_was_given_before_and_is_taken_now_is_another(taken_port):
    before = ports.choose(0, {})
    chosen = ports.choose(0, before | {"tap": taken_port})
    assert chosen["tap"] != taken_port
    assert chosen == before | {"tap": chosen["tap"]}


def test_the_highest_port_has_no_neighbours_and_needs_none():
    chosen = ports.choose(65_535, {}) if ports.is_free(65_535) else ports.choose(65_534, {})
    assert all(0 < port <= 65_535 for port in chosen.values())
