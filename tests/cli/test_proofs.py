"""`flask ops ledger-…`: what operators publish, and what auditors verify it by."""

import hashlib
import json

import pytest
from flask import Flask

from tests.actors import Actor
from tests.cli.test_ops import Terminal
from tests.unchanged import nothing_changes


@pytest.fixture
def flask(house: Flask) -> Terminal:
    return Terminal(house)


def test_a_head_waits_for_nodes_that_are_away_unless_told_otherwise(flask: Terminal, alice: Actor):
    said = flask.says("ops", "ledger-head")
    assert "head 1: taken; published when its reserves are read.\n" in said
    said = flask.says("ops", "ledger-head", "--unknown")
    proof = alice.get("/client/ledger/proof").get_json()["proof"]
    assert f"head 2: {proof['head']['hash']}\n" in said
    assert [of["addressesUnknown"] for of in proof["head"]["reserves"]] == [1, 1, 1]
    lines = flask.says("ops", "ledger-reserves")
    assert hashlib.sha256(lines.encode()).hexdigest() == proof["head"]["reservesHash"]
    assert [json.loads(line)[3:] for line in lines.splitlines()] == [["", ""]] * 3


def test_the_chain_is_exported_in_parts(flask: Terminal, alice: Actor):
    flask.says("ops", "ledger-head", "--unknown")
    whole = flask.says("ops", "ledger-export").splitlines()
    assert [json.loads(line)["position"] for line in whole] == [1, 2]
    assert flask.says("ops", "ledger-export", "--first", "2").splitlines() == whole[1:]
    assert flask.says("ops", "ledger-export", "--last", "1").splitlines() == whole[:1]


def test_without_a_head_there_are_no_reserves(flask: Terminal):
    with nothing_changes():
        refused = flask("ops", "ledger-reserves")
    assert refused.exit_code == 1
    assert "No proof of liabilities has been published yet." in refused.output
