"""The errors of the RPC, and the faults that a test orders."""

import collections
from dataclasses import dataclass
from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
# Agave, rpc-client-api/src/custom_error.rs
BLOCK_CLEANED_UP = -32001
PREFLIGHT_FAILURE = -32002
SIGNATURE_FAILURE = -32003
BLOCK_NOT_AVAILABLE = -32004
SLOT_SKIPPED = -32007
UNSUPPORTED_VERSION = -32015
MIN_CONTEXT_SLOT = -32016


class RpcFault(Exception):
    """A JSON-RPC error, as it will be sent."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data


class BrokenLine(Exception):
    """No JSON-RPC answer at all: another HTTP status, or a closed connection (status 0)."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Fault:
    """One ordered fault.

    Attributes:
        error: answer with this JSON-RPC error instead of running the method.
        result: answer with this instead of running the method.
        status: answer the whole request with this HTTP status; 0 closes the connection.
        delay_ms: be so slow.
        after: run the method first, so that only its answer is lost.
    """

    error: dict[str, Any] | None = None
    result: Any = None
    has_result: bool = False
    status: int | None = None
    delay_ms: int = 0
    after: bool = False


class Faults:
    """The faults waiting for their methods."""

    def __init__(self) -> None:
        self._waiting: dict[str, collections.deque[Fault]] = {}

    def order(self, method: str, fault: Fault, times: int) -> None:
        """Let the next calls of a method meet a fault."""
        self._waiting.setdefault(method, collections.deque(maxlen=1000)).extend([fault] * times)

    def next_for(self, method: str) -> Fault | None:
        """Take the fault that this call meets, if any."""
        waiting = self._waiting.get(method)
        return waiting.popleft() if waiting else None

    def clear(self) -> None:
        """Forget all that was ordered."""
        self._waiting.clear()
