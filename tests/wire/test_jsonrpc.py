"""JSON-RPC: a result, the node's error, or not knowing; never the answer to another question."""

import json
import socket

import pytest

from protonpay.wire.http import NoAnswer, Wire
from protonpay.wire.jsonrpc import JsonRpc, RpcError
from tests.raw_server import answering, http

CODE = -32601


def rpc_to(server) -> JsonRpc:
    return JsonRpc(Wire(server.url, connect_seconds=1, read_seconds=1))


def asked(raw: bytes) -> object:
    return json.loads(raw.partition(b"\r\n\r\n")[2])


def saying(reply: object, status: str = "200 OK") -> bytes:
    return http(json.dumps(reply).encode(), status)


def test_a_question_is_asked_in_full_and_its_result_returned():
    with answering(saying({"jsonrpc": "2.0", "id": 1, "result": {"height": 7}})) as server:
        assert rpc_to(server).call("getBlock", 5, {"a": 1}) == {"height": 7}
        question = asked(server.requests[0])
    assert question == {"jsonrpc": "2.0", "id": 1, "method": "getBlock", "params": [5, {"a": 1}]}


def test_a_null_result_is_a_result():
    with answering(saying({"id": 1, "result": None})) as server:
        assert rpc_to(server).call("getTransaction") is None


def test_the_node_s_error_keeps_its_code_and_its_data():
    error = {"code": CODE, "message": "no such method", "data": {"hint": 1}}
    with answering(saying({"id": 1, "error": error})) as server, pytest.raises(RpcError) as caught:
        rpc_to(server).call("nope")
    assert (caught.value.code, caught.value.message) == (CODE, "no such method")
    assert caught.value.data == {"hint": 1}


def test_an_error_about_a_question_that_could_not_be_read_has_no_id():
    reply = {"id": None, "error": {"code": -32700, "message": "parse error"}}
    with answering(saying(reply)) as server, pytest.raises(RpcError):
        rpc_to(server).call("getBlock")


@pytest.mark.parametrize("code", [None, "x", [], 1.5])
def test_an_error_without_a_readable_code_is_still_an_error(code):
    reply = {"id": 1, "error": {"code": code}}
    with answering(saying(reply)) as server, pytest.raises(RpcError) as caught:
        rpc_to(server).call("getBlock")
    assert caught.value.code == 0


@pytest.mark.parametrize(
    "reply",
    [
        [],
        "text",
        7,
        None,
        {},
        {"id": 1},
        {"id": 2, "result": 1},
        {"id": "1", "result": 1},
        {"result": 1},
        {"id": [1], "result": 1},
        {"id": 1, "error": "rate limited", "result": None},
        {"id": 1, "error": ["x"]},
    ],
)
def test_anything_else_says_nothing(reply):
    with answering(saying(reply)) as server, pytest.raises(NoAnswer):
        rpc_to(server).call("getBlock")


@pytest.mark.parametrize("status", ["429 Too Many", "500 Oops", "502 Bad", "503 Busy", "504 Late"])
def test_an_error_of_what_stands_before_the_node_says_nothing(status):
    error = {"id": 1, "error": {"code": -32000, "message": "upstream timeout"}}
    with answering(saying(error, status)) as server, pytest.raises(NoAnswer):
        rpc_to(server).call("sendTransaction")


def test_a_batch_is_answered_in_the_order_asked():
    replies = [{"id": 2, "result": "b"}, {"id": 1, "result": "a"}, {"id": 9, "result": "?"}]
    with answering(saying(replies)) as server:
        assert rpc_to(server).batch([("a", []), ("b", [1])]) == ["a", "b"]
        assert [question["params"] for question in asked(server.requests[0])] == [[], [1]]


def test_an_error_in_a_batch_is_raised():
    replies = [{"id": 1, "result": "a"}, {"id": 2, "error": {"code": CODE, "message": "no"}}]
    with answering(saying(replies)) as server, pytest.raises(RpcError):
        rpc_to(server).batch([("a", []), ("b", [])])


@pytest.mark.parametrize(
    "replies",
    [
        [],
        [{"id": 1, "result": "a"}],
        [{"id": 1, "result": "a"}, {"id": {}, "result": "b"}],
        [{"id": 1, "result": "a"}, {"id": [2], "result": "b"}],
        [{"id": 1, "result": "a"}, 7, None, "text"],
        {"id": 1, "result": "a"},
        {"id": None, "result": "a"},
        "text",
    ],
)
def test_a_batch_with_a_missing_answer_says_nothing(replies):
    with answering(saying(replies)) as server, pytest.raises(NoAnswer):
        rpc_to(server).batch([("a", []), ("b", [])])


def test_one_error_for_a_whole_batch_is_the_node_s_error():
    reply = {"id": None, "error": {"code": -32600, "message": "batch too long"}}
    with answering(saying(reply)) as server, pytest.raises(RpcError):
        rpc_to(server).batch([("a", []), ("b", [])])


def test_every_question_has_an_id_of_its_own():
    def echo(connection: socket.socket, _over: object) -> None:
        connection.sendall(saying({"id": asked(server.requests[-1])["id"], "result": 1}))

    with answering(echo) as server:
        rpc = rpc_to(server)
        for _ in range(3):
            rpc.call("a")
        assert [asked(request)["id"] for request in server.requests] == [1, 2, 3]
