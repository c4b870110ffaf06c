"""What we answer in place of a server that cannot."""

import json
import secrets
from enum import IntEnum

from mcp import MCPError
from mcp_types import RequestId
from pydantic import JsonValue

# In our own errors only: a server must not pass its words off as ours.
_SIGNATURE = secrets.token_hex(16)


class Failure(IntEnum):
    """Codes of our own errors, from the range that JSON-RPC leaves to implementations."""

    UNREACHABLE = -32_090  # The request was not sent.
    LOST = -32_091  # It was, and there is no answer.
    SESSION_GONE = -32_092  # The server was restarted and has not looked at it.
    REFUSED = -32_093  # HTTP's own no.
    UNUSABLE = -32_094  # An answer came that we do not take.


def failure_error(code: Failure, reason: str) -> dict[str, JsonValue]:
    """The error of a JSON-RPC answer. ``reason`` holds no words of the server."""
    return {"code": int(code), "message": reason, "data": _SIGNATURE}


def failure_document(code: Failure, reason: str, request_id: RequestId | None = None) -> bytes:
    """A JSON-RPC error, which the SDK hands to whoever made the request."""
    document = {"jsonrpc": "2.0", "id": request_id, "error": failure_error(code, reason)}
    return json.dumps(document).encode()


def failure_of(error: MCPError) -> Failure | None:
    """Which of ours an error is; None for one of the server or the SDK."""
    return Failure(error.code) if error.data == _SIGNATURE else None
