"""MCP servers as they are met in the world: each oddity has a name, given as the only argument.

A program of its own, for the standard library alone. ``python mcp_odd.py NAME`` speaks on stdin and
stdout; a call may name another oddity in its argument ``oddity``. ``answers(NAME, message)`` is
what it says to a message, for a double that speaks HTTP.
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
    "text-of-a-schema": {"name": "odd", "inputSchema": json.dumps(SCHEMA)},
    "as-for-models": {"type": "function", "function": {"name": "odd", "parameters": SCHEMA}},
    "task-only": {"name": "odd", "inputSchema": SCHEMA, "execution": {"taskSupport": "required"}},
}
LISTS: dict[str, Json] = {
    "null-tools": {"tools": None},
    "no-tools": {},
    "empty-cursor": {"tools": [GOOD], "nextCursor": ""},
    "null-cursor": {"tools": [GOOD], "nextCursor": None},
    "cursor-in-circles": {"tools": [GOOD], "nextCursor": "again"},
    "cursor-of-an-object": {"tools": [GOOD], "nextCursor": {"page": 2}},
    "tools-by-name": {"tools": {"good": {"inputSchema": SCHEMA}}},
    "odd-lifetime": {"tools": [GOOD], "ttlMs": "long", "cacheScope": 7, "_meta": []},
}
# In its greeting.
GREETINGS: dict[str, Json] = {
    "version-of-before": {"protocolVersion": "2024-11-05"},
    "number-for-version": {"protocolVersion": 20251125},
    "no-version-said": {"protocolVersion": None},
    "true-for-tools": {"capabilities": {"tools": True}},
    "list-for-tools": {"capabilities": {"tools": []}},
    "odd-capability": {"capabilities": {"tools": {"listChanged": "yes"}, "prompts": None}},
    "no-name-said": {"serverInfo": None},
    "number-for-its-version": {"serverInfo": {"name": "odd", "version": 1}},
    "list-of-instructions": {"instructions": ["be quick"]},
    "version-to-come": {"protocolVersion": "2099-01-01"},
    "version-of-something-else": {"protocolVersion": "1.0"},
}


def _envelope(message: Json, **more: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], **more})


def _text(words: str) -> Json:
    return {"content": [{"type": "text", "text": words}]}


def _parts(*parts: object, **more: Any) -> Callable[[Json], str]:
    return lambda asked: _envelope(asked, result={"content": list(parts), **more})


def _said_before(asked: Json, method: str, params: object) -> str:
    """The answer, behind something that nobody asked for."""
    said = {"jsonrpc": "2.0", "method": method, "params": params}
    return f"{json.dumps(said)}\n{_agreed(asked)}"


def _image(data: str, **more: str) -> Json:
    return {"type": "image", "data": data, **more}


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
# Around a sound answer, or over it.
CALLS |= {
    "over-lines": lambda asked: json.dumps(json.loads(_agreed(asked)), indent=2),
    "line-break-in-text": lambda asked: _envelope(asked, result=_text("ok@")).replace("@", "\n"),
    "carriage-return": lambda asked: f"{_agreed(asked)}\r",
    "two-on-a-line": lambda asked: _said_before(asked, "notifications/x", {}).replace("\n", ""),
    "comma-behind": lambda asked: f"{_agreed(asked)},",
    "nul-behind": lambda asked: f"{_agreed(asked)}\0",
    "in-colour": lambda asked: f"\x1b[32m{_agreed(asked)}\x1b[0m",
    "in-a-text": lambda asked: json.dumps(_agreed(asked)),
    "result-in-a-text": lambda asked: _envelope(asked, result=json.dumps(_text("ok"))),
    "two-answers": lambda asked: f"{_agreed(asked)}\n{_envelope(asked, result=_text('other'))}",
    "odd-progress": lambda asked: _said_before(
        asked, "notifications/progress", {"progressToken": "nobody", "progress": "half"}
    ),
    "odd-log": lambda asked: _said_before(asked, "notifications/message", {"level": "LOUD"}),
    "list-for-parameters": lambda asked: _said_before(asked, "notifications/progress", [1]),
}
# In a result.
CALLS |= {
    "part-for-parts": lambda asked: _envelope(asked, result={"content": _text("ok")["content"][0]}),
    "text-for-part": _parts("ok"),
    "null-for-part": _parts(None, {"type": "text", "text": "ok"}),
    "part-without-type": _parts({"text": "ok"}),
    "null-text": _parts({"type": "text", "text": None}),
    "object-for-text": _parts({"type": "text", "text": {"a": 1}}),
    "odd-annotations": _parts({"type": "text", "text": "ok", "annotations": {"priority": "high"}}),
    "unknown-part": _parts({"type": "video"}, {"type": "text", "text": "ok"}),
    "null-for-error": _parts({"type": "text", "text": "ok"}, isError=None),
    "list-for-meta": _parts({"type": "text", "text": "ok"}, _meta=[]),
    "structure-of-a-list": _parts({"type": "text", "text": "ok"}, structuredContent=[1]),
    "structure-alone": lambda asked: _envelope(asked, result={"structuredContent": {"a": 1}}),
    "result-of-2024": lambda asked: _envelope(asked, result={"toolResult": "ok"}),
    "result-of-nothing": lambda asked: _envelope(asked, result={}),
    "link-without-name": _parts({"type": "resource_link", "uri": "odd://a/b.txt"}),
    "resource-without-uri": _parts({"type": "resource", "resource": {"text": "ok"}}),
    "url-for-data": _parts(_image("data:image/png;base64,ZG90cw==")),
    "data-in-lines": _parts(_image("ZG90\ncw==\n", mimeType="image/png")),
    "data-without-padding": _parts(_image("ZG90cw", mime_type="image/png")),
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
                    **GREETINGS.get(name, {}),
                },
            )
        case "tools/list" if name == "refuses-to-list":
            said = _envelope(message, error={"code": -32_603, "message": "not today"})
        case "tools/list":
            tools = [GOOD, *([TOOLS[name]] if name in TOOLS else [])]
            said = _envelope(message, result=LISTS.get(name, {"tools": tools}))
        case "tools/call":
            wanted = message["params"].get("arguments", {}).get("oddity", name)
            said = CALLS.get(wanted, _agreed)(message)
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
