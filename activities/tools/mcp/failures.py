"""What the guard of HTTP answers in place of a server that cannot."""

import json
from enum import IntEnum


class Failure(IntEnum):
    """Codes of the guard's own errors, from the range that JSON-RPC leaves to implementations."""

    UNREACHABLE = -32_090  # The request was not sent.
    LOST = -32_091  # It was, and there is no answer.
    SESSION_GONE = -32_092  # The server was restarted and has not looked at it.
    REFUSED = -32_093  # HTTP's own no.
    UNUSABLE = -32_094  # An answer came that we do not take.


def failure_document(code: Failure, reason: str) -> bytes:
    """A JSON-RPC error, which the SDK hands to whoever made the request."""
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": reason}}
    return json.dumps(error).encode()
