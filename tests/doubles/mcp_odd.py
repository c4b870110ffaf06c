"""MCP servers as they are met in the world: each oddity has a name, given as the only argument.

A program of its own, for the standard library alone. ``python mcp_odd.py NAME`` speaks on stdin and
stdout; ``answers(NAME, message)`` is what it says to a message, for a double that speaks HTTP.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

SCHEMA: Json = {"type": "object", "properties": {"text": {"type": "string"}}}
GOOD: Json = {"name": "good", "description": "d", "inputSchema": SCHEMA}

# A second tool beside a good one.
TOOLS: dict[str, Any] = {
    "no-type": {"name": "odd", "inputSchema": {"properties": {}}},
    "empty-schema": {"name": "odd", "inputSchema": {}},
    "null-schema": {"name": "odd", "inputSchema": None},
    "no-schema": {"name": "odd"},
    "boolean-schema": {"name": "odd", "inputSchema": True},
    "list-for-object": {"name": "odd", "inputSchema": []},
    "null-properties": {"name": "odd", "inputSchema": {"type": "object", "properties": None}},
    "list-properties": {"name": "odd", "inputSchema": {"type": "object", "properties": []}},
    "null-required": {"name": "odd", "inputSchema": {"type": "object", "required": None}},
    "nullable-type": {"name": "odd", "inputSchema": {"type": ["object", "null"]}},
    "snake-case": {"name": "odd", "input_schema": SCHEMA},
    "null-description": {"name": "odd", "description": None, "inputSchema": SCHEMA},
    "list-description": {"name": "odd", "description": ["a"], "inputSchema": SCHEMA},
    "text-hints": {"name": "odd", "inputSchema": SCHEMA, "annotations": {"readOnlyHint": "yes"}},
    "list-output": {"name": "odd", "inputSchema": SCHEMA, "outputSchema": {"type": "array"}},
    "odd-icons": {"name": "odd", "inputSchema": SCHEMA, "icons": "none"},
    "array-type": {"name": "odd", "inputSchema": {"type": "array"}},
    "text-schema": {"name": "odd", "inputSchema": "none"},
    "text-property": {"name": "odd", "inputSchema": {"properties": {"a": "string"}}},
    "odd-required": {"name": "odd", "inputSchema": {"required": [1]}},
    "no-name": {"inputSchema": SCHEMA},
    "number-name": {"name": 7, "inputSchema": SCHEMA},
    "no-object": "odd",
    "task-only": {"name": "odd", "inputSchema": SCHEMA, "execution": {"taskSupport": "required"}},
}
LISTS: dict[str, Json] = {
    "null-tools": {"tools": None},
    "no-tools": {},
    "empty-cursor": {"tools": [GOOD], "nextCursor": ""},
    "null-cursor": {"tools": [GOOD], "nextCursor": None},
}


def _envelope(message: Json, **more: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], **more})


def _text(words: str) -> Json:
    return {"content": [{"type": "text", "text": words}]}


def _agreed(asked: Json) -> str:
    return _envelope(asked, result=_text("ok"))


# What is said to a call.
CALLS: dict[str, Callable[[Json], str | bytes]] = {
    "half-character": lambda asked: _envelope(asked, result=_text("ok \ud83d")),
    "latin-1": lambda asked: _envelope(asked, result=_text("ok ?")).encode().replace(b"?", b"\xe9"),
    "byte-order-mark": lambda asked: (
        b"\xef\xbb\xbf" + _envelope(asked, result=_text("ok")).encode()
    ),
    "raw-newline-in-text": lambda asked: _envelope(asked, result=_text("ok\t")).replace(
        "\\t", "\t"
    ),
    "batch": lambda asked: f"[{_envelope(asked, result=_text('ok'))}]",
    "null-error": lambda asked: _envelope(asked, result=_text("ok"), error=None),
    "id-as-text": lambda asked: _envelope({"id": str(asked["id"])}, result=_text("ok")),
    "id-as-float": lambda asked: _envelope({"id": float(asked["id"])}, result=_text("ok")),
    "no-version": lambda asked: json.dumps({"id": asked["id"], "result": _text("ok")}),
    "broken-json": lambda asked: _envelope(asked, result=_text("ok"))[:-3],
    "broken-json-id-last": lambda asked: f'{{"jsonrpc":"2.0","result":{{x}},"id":{asked["id"]}}}',
    "null-result": lambda asked: _envelope(asked, result=None),
    "list-result": lambda asked: _envelope(asked, result=["ok"]),
    "no-result": _envelope,
    "text-content": lambda asked: _envelope(asked, result={"content": "ok"}),
    "text-error": lambda asked: _envelope(asked, error="no"),
    "text-code": lambda asked: _envelope(asked, error={"code": "E_NO", "message": "no"}),
    "error-without-words": lambda asked: _envelope(asked, error={"code": 1}),
    "error-without-id": lambda asked: _envelope({"id": None}, error={"code": 1, "message": "no"}),
    "forged-failure": lambda asked: _envelope(asked, error={"code": -32_091, "message": "no"}),
}
# It has resources, with a tool of its own to read them or without, or only says that it could.
RESOURCES: dict[str, Json] = {
    "no-resources": {"resources": {}},
    "resources": {"resources": {}},
    "resources-and-a-tool": {"resources": {}},
}
TOOLS["resources-and-a-tool"] = {"name": "read_resource", "inputSchema": SCHEMA}


def _resource(uri: str) -> Json:
    if uri.endswith(".bin"):
        return {"uri": uri, "mimeType": "image/x-odd", "blob": "AAEC"}
    return {"uri": uri, "text": f"the text of {uri}"}


# It dies before it is ready; with these last words.
DEATHS: dict[str, bytes] = {
    "dies": b"usage: server --token TOKEN\nerror: no token\n",
    "dies-in-colour": b"\x1b[31merror: no token\x1b[0m\x07\n",
    "dies-with-a-secret": b"no such user: open-sesame\n",
    "dies-at-length": b"line\n" * 100_000 + b"error: no token\n",
    "dies-in-binary": b"\xff\x00error: no token\n",
}


def answers(name: str, message: Json) -> bytes:
    """What is said to a message; nothing to a notification."""
    if "id" not in message:
        return b""
    match message["method"]:
        case "initialize":
            said: str | bytes = _envelope(
                message,
                result={
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}, **RESOURCES.get(name, {})},
                    "serverInfo": {"name": "odd", "version": "1"},
                },
            )
        case "tools/list":
            tools = [GOOD, *([TOOLS[name]] if name in TOOLS else [])]
            said = _envelope(message, result=LISTS.get(name, {"tools": tools}))
        case "tools/call":
            said = CALLS.get(name, _agreed)(message)
        case "resources/list" if name in RESOURCES:
            listed = [] if name == "no-resources" else [{"uri": "odd://a.txt", "name": "a"}]
            said = _envelope(message, result={"resources": listed})
        case "resources/read" if name in RESOURCES:
            said = _envelope(message, result={"contents": [_resource(message["params"]["uri"])]})
        case method:
            said = _envelope(message, error={"code": -32_601, "message": f"no {method}"})
    return said if isinstance(said, bytes) else said.encode()


def main(name: str) -> None:
    if name in DEATHS:
        sys.stderr.buffer.write(DEATHS[name])
        sys.stderr.buffer.flush()
        os._exit(3)
    for line in sys.stdin:
        if said := answers(name, json.loads(line)):
            sys.stdout.buffer.write(said + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
