"""The embedded Valkey: keeps what it is told, for who knows the password."""

import pytest
import redis

from protonpay.stack import ports, valkey
from protonpay.stack.failures import StackError
from protonpay.stack.valkey import Valkey
from tests.stack.standins import lives

pytestmark = pytest.mark.slow  # real servers

PASSWORD = "one-password"


@pytest.fixture
def server(tmp_path):
    return Valkey(tmp_path / "vk", port=ports.free(), password=PASSWORD)


def ask(url, *words):
    with redis.Redis.from_url(url) as client:
        return client.execute_command(*words)


def test_it_answers_on_both_its_addresses(server):
    with server:
        assert ask(server.url(), "PING") is True
        assert ask(server.network_url(), "PING") is True


def test_nobody_comes_in_without_the_password(server):
    with server:
        for url in (server.url(), server.network_url()):
            with pytest.raises(redis.AuthenticationError):
                ask(url.replace(PASSWORD, "guess"), "PING")
        assert server.sockets.stat().st_mode & 0o777 == 0o700
        assert server.data.joinpath("valkey.conf").stat().st_mode & 0o777 == 0o600


def test_databases_are_apart(server):
    with server:
        ask(server.url(1), "SET", "queue", "1")
        assert ask(server.url(2), "GET", "queue") is None
        assert ask(server.network_url(1), "GET", "queue") == b"1"


def test_it_loses_a_second_and_evicts_nothing(server):
    with server:
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        with redis.Redis.from_url(server.url()) as client:
            found = client.config_get()
            assert {name: found[name] for name in wanted} == wanted


def test_what_was_written_is_there_after_a_kill(server):
    server.start()
    ask(server.url(), "SET", "kept", "7")
    server.kill()
    with server:
        assert ask(server.url(), "GET", "kept") == b"7"


def test_a_folder_belongs_to_one_server(server, tmp_path):
    with server, pytest.raises(StackError, match="another valkey of ours"):
        Valkey(tmp_path / "vk", port=ports.free(), password=PASSWORD).start()


def test_a_server_for_tests_writes_nothing(tmp_path):
    with valkey.running(tmp_path / "vk", durable=False) as server:
        pid = server.pid
        ask(server.url(), "SET", "gone", "7")
    assert not lives(pid)
    with valkey.running(tmp_path / "vk", durable=False) as server:
        assert ask(server.url(), "GET", "gone") is None
