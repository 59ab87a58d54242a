"""What a receiver's side can be made of: names, certificates, and servers that show them."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from tests.raw_server import Act, RawServer

Answer = Sequence[str] | OSError | Callable[[], Sequence[str]]


class Names:
    """A resolver in place of the system's; each answer is given once, the last for ever.

    Attributes:
        asked: every name that was looked up, in order.
    """

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    def getaddrinfo(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, OSError):
            raise answer
        found = answer() if callable(answer) else answer
        return [(None, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


class Authority:
    """A certificate authority of a test's own, and the certificates it gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])
        self._certificate = (
            _builder(self._name, self._name, self._key, days=30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_for_signing(), critical=True)
            .sign(self._key, SHA256())
        )

    @property
    def trust(self) -> ssl.SSLContext:
        pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def shows(self, host: str, *, days: int = 30) -> ssl.SSLContext:
        """Return a server's side with a good certificate for a host, or one out of date."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_named(host), self._name, key, days=days)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, SHA256())
        )
        return self._server(host, certificate, key)

    def shows_its_own(self, host: str) -> ssl.SSLContext:
        """Return a server's side with a certificate that it signed itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_named(host), _named(host), key, days=30)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(key, SHA256())
        )
        return self._server(host, certificate, key)

    def _server(
        self, host: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> ssl.SSLContext:
        file = self._folder / f"{host}-{certificate.serial_number}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


class TlsServer(RawServer):
    """A raw server behind TLS.

    Attributes:
        names: what each caller asked for in SNI.
    """

    def __init__(self, context: ssl.SSLContext, *acts: bytes | Act) -> None:
        self.names: list[str | None] = []
        self._context = context
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        super().__init__(*acts)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _serve(self, connection: socket.socket, act: bytes | Act) -> None:
        with (
            contextlib.suppress(OSError),
            self._context.wrap_socket(connection, server_side=True) as encrypted,
        ):
            super()._serve(encrypted, act)


@contextmanager
def encrypting(context: ssl.SSLContext, *acts: bytes | Act) -> Iterator[TlsServer]:
    """Run a TLS server of these acts."""
    server = TlsServer(context, *acts)
    try:
        yield server
    finally:
        server.close()


class _Unasked(RawServer):
    def _serve(self, connection: socket.socket, act: bytes | Act) -> None:
        with connection, contextlib.suppress(OSError):
            if callable(act):
                act(connection, self._over)


@contextmanager
def unasked(act: Act) -> Iterator[RawServer]:
    """Run a server that acts without waiting for a request."""
    server = _Unasked(act)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def trap(address: str, port: int = 0) -> Iterator[socket.socket]:
    """Listen where nobody must come."""
    with socket.create_server((address, port)) as listener:
        listener.settimeout(0)
        yield listener


def is_empty(listener: socket.socket) -> bool:
    """Say whether nobody came."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return True
    return False


def for_ever(piece: bytes) -> Act:
    """Send a piece as fast as it is taken, for ever."""

    def act(connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            connection.sendall(piece)

    return act


def _named(host: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    until = datetime.now(UTC) + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=60))
        .not_valid_after(until)
    )


def _for_signing() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
