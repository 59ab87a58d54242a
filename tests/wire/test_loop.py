"""The loop: conversations wait side by side, each ends in time, and none hears of another."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing

import pytest

from protonpay.wire.loop import READ, WRITE, Loop, Steps, Wait, answer_of


@pytest.fixture
def loop() -> Iterator[Loop]:
    with closing(Loop()) as opened:
        yield opened


def work(loop: Loop) -> None:
    while loop.turn():
        pass


def hearing(sock: socket.socket, seconds: float) -> Steps[bytes]:
    until = time.monotonic() + seconds
    try:
        yield Wait(sock, READ, until)
        return sock.recv(10)
    except TimeoutError:
        return b"late"


def test_each_goes_on_when_its_own_socket_can(loop: Loop):
    pairs = [socket.socketpair() for _ in range(3)]
    came: list[bytes] = []
    for _, there in pairs:
        loop.start(hearing(there, 5), came.append)
    for number in (2, 0, 1):
        pairs[number][0].send(b"%d" % number)
        while not came or came[-1] != b"%d" % number:
            loop.turn()
    assert came == [b"2", b"0", b"1"]
    for pair in pairs:
        for sock in pair:
            sock.close()


def test_a_wait_ends_at_its_moment_and_others_go_on(loop: Loop):
    (here, there), (other, silent) = socket.socketpair(), socket.socketpair()
    came: list[bytes] = []
    began = time.monotonic()
    loop.start(hearing(silent, 0.1), came.append)
    loop.start(hearing(there, 5), came.append)
    threading.Timer(0.2, here.send, [b"later"]).start()
    work(loop)
    assert came == [b"late", b"later"]
    assert 0.2 <= time.monotonic() - began < 3
    for sock in (here, there, other, silent):
        sock.close()


def test_a_socket_with_the_number_of_one_that_was_closed_is_heard(loop: Loop):
    def two_in_a_row() -> Steps[list[bytes]]:
        heard = []
        for said in (b"%d" % number for number in range(20)):
            here, there = socket.socketpair()
            here.send(said)
            numbers.append(there.fileno())
            yield Wait(there, READ, time.monotonic() + 2)
            heard.append(there.recv(10))
            here.close()
            there.close()
        return heard

    numbers: list[int] = []
    came: list[list[bytes]] = []
    loop.start(two_in_a_row(), came.append)
    work(loop)
    assert came == [[b"%d" % number for number in range(20)]]
    assert len(set(numbers)) < 20, "or it shows nothing"


def test_one_socket_may_be_waited_for_in_one_way_after_another(loop: Loop):
    here, there = socket.socketpair()

    def both() -> Steps[bytes]:
        yield Wait(there, WRITE, time.monotonic() + 2)
        here.send(b"x")
        yield Wait(there, READ, time.monotonic() + 2)
        return there.recv(10)

    came: list[bytes] = []
    loop.start(both(), came.append)
    work(loop)
    assert came == [b"x"]
    here.close()
    there.close()


def test_what_another_thread_answers_is_waited_for_and_what_it_raises_is_raised(loop: Loop):
    answers: list[Future[int]] = [Future() for _ in range(4)]
    came: list[object] = []

    def asking(future: "Future[int]") -> Steps[object]:
        # A busy machine comes late.
        patience = 0.3 if future is answers[3] else 10
        try:
            return (yield from answer_of(future, time.monotonic() + patience))
        except (KeyError, TimeoutError) as error:
            return type(error)

    answers[0].set_result(0)
    for future in answers:
        loop.start(asking(future), came.append)
    threading.Timer(0.05, answers[1].set_result, [1]).start()
    threading.Timer(0.1, answers[2].set_exception, [KeyError()]).start()
    work(loop)
    assert came == [0, 1, KeyError, TimeoutError]
    answers[3].set_result(3)  # heard by nobody any more
    loop.start(asking(answers[0]), came.append)
    work(loop)
    assert came[4:] == [0]


def test_an_answer_that_comes_too_late_disturbs_no_later_wait(loop: Loop):
    late: Future[int] = Future()
    here, there = socket.socketpair()

    def impatient() -> Steps[bytes]:
        try:
            yield from answer_of(late, time.monotonic() + 0.01)
        except TimeoutError:
            late.set_result(1)
        return (yield from hearing(there, 0.2))

    came: list[bytes] = []
    loop.start(impatient(), came.append)
    work(loop)
    assert came == [b"late"]
    here.close()
    there.close()


def test_a_thousand_begun_from_four_threads_all_end():
    loop, ended = Loop(), threading.Event()
    came: list[int] = []

    def one(number: int) -> Steps[int]:
        here, there = socket.socketpair()
        with here, there:
            here.send(b"x")
            yield Wait(there, READ, time.monotonic() + 5)
        return number

    def done(number: int) -> None:
        came.append(number)
        if len(came) == 1000:
            ended.set()

    loop.run_in_thread("tested")
    threads = [
        threading.Thread(
            target=lambda first=first: [loop.start(one(n), done) for n in range(first, 1000, 4)]
        )
        for first in range(4)
    ]
    for thread in threads:
        thread.start()
    assert ended.wait(10)
    for thread in threads:
        thread.join()
    loop.close()
    assert sorted(came) == list(range(1000))


def test_what_is_under_way_when_the_loop_ends_is_closed_and_not_told():
    here, there = socket.socketpair()
    came: list[bytes] = []

    def holding() -> Steps[bytes]:
        with there:
            return (yield from hearing(there, 5))

    loop = Loop()
    loop.start(holding(), came.append)
    loop.run_in_thread("tested")
    loop.close()
    assert there.fileno() == -1
    assert came == []
    here.close()
