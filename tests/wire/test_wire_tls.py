"""The wire over TLS: strangers are not spoken to, and the deadline holds there as well."""

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from protonpay.wire.http import NoAnswer, Wire
from tests.raw_server import drip, http
from tests.wire.hostile import Authority, TlsServer, encrypting
from tests.wire.posting import IN_TIME

PATIENCE = 0.2


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def wire_to(server: TlsServer, trusted: Authority | None = None) -> Wire:
    wire = Wire(f"https://localhost:{server.port}", read_seconds=PATIENCE)
    if trusted is not None:
        bundle = trusted._folder / "trusted.pem"
        bundle.write_bytes(trusted._certificate.public_bytes(Encoding.PEM))
        wire._session().verify = str(bundle)
    return wire


def test_a_server_with_a_good_certificate_is_spoken_to(authority):
    with encrypting(authority.shows("localhost"), http(b"hello")) as server:
        wire = wire_to(server, authority)
        assert [wire.get("/").body for _ in range(2)] == [b"hello"] * 2
    assert server.names == ["localhost"] * 2


def test_a_stranger_s_certificate_is_no_answer_and_hears_nothing(authority):
    for context in (
        authority.shows_its_own("localhost"),
        authority.shows("another.test"),
        authority.shows("localhost", days=-1),
    ):
        with encrypting(context, http()) as server:
            with pytest.raises(NoAnswer):
                wire_to(server, authority).post("/", data=b"secret")
            assert server.requests == []


def test_without_a_word_only_the_public_authorities_are_trusted(authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority._folder / "trusted.pem"))
    with encrypting(authority.shows("localhost"), http()) as server:
        wire_to(server, authority)
        with pytest.raises(NoAnswer):
            wire_to(server).get("/")
        assert server.requests == []


@pytest.mark.parametrize(
    ("head", "drop"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), (b"HTTP/1.1 200 OK\r\nX: ", b"x")],
    ids=["body", "header"],
)
def test_a_server_that_drips_is_left_at_the_deadline(authority, head, drop):
    with encrypting(authority.shows("localhost"), drip(head, drop)) as server:
        began = time.monotonic()
        with pytest.raises(NoAnswer):
            wire_to(server, authority).get("/")
        assert time.monotonic() - began < IN_TIME
