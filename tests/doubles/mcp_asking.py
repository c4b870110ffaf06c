"""An MCP server on stdin and stdout whose tools ask a person before they do anything.

A program of its own, for the standard library alone. Its one argument is a file, to which a call
adds a line when it takes effect. ``delete`` asks for a confirmation, ``book`` for a name and then
for a number of seats, ``survey`` for all that a form can have, ``sign_in`` to open the page that it
is given, ``locked`` is refused until a page was opened, which makes the file that it is given;
``idle`` asks nothing, and waits for that file; so does ``log``, and then takes effect. ``twice``
asks two questions at once.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CONFIRM: Json = {
    "type": "object",
    "properties": {"sure": {"type": "boolean", "description": "delete it for good"}},
    "required": ["sure"],
}
NAME: Json = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
SEATS: Json = {"type": "object", "properties": {"seats": {"type": "integer"}}}

SURVEY: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "title": "Your name"},
        "age": {"type": "number", "minimum": 18},
        "member": {"type": "boolean", "default": True},
        "size": {"type": "string", "enum": ["s", "m"], "enumNames": ["Small", "Medium"]},
        "days": {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [{"const": "mo", "title": "Monday"}, {"const": "tu", "title": "Tuesday"}]
            },
        },
        "note": {"type": "string", "default": "none"},
    },
    "required": ["name", "age", "size", "days"],
}

_lock = threading.Lock()
_replies: dict[str, Json] = {}
_came = threading.Condition()


def send(message: Json) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


class PageWanted(Exception):
    """A page is to be opened before the call is made."""


def ask(call: object, message: str, schema: Json) -> Json:
    return put(call, {"message": message, "requestedSchema": schema})


def put(call: object, params: Json) -> Json:
    name = f"{call}-{params['message']}"
    send({"id": name, "method": "elicitation/create", "params": params})
    with _came:
        _came.wait_for(lambda: name in _replies)
    return _replies[name]


def perform(call: object, tool: str, arguments: Json, effects: Path) -> str:
    if tool in ("idle", "log"):
        while not Path(arguments["until"]).exists():
            time.sleep(0.01)
        if tool == "log":
            with effects.open("a") as target:
                target.write("log\n")
            return "logged"
        return "idled"
    if tool == "twice":
        with ThreadPoolExecutor() as threads:
            asked = [threads.submit(ask, call, text, CONFIRM) for text in ("First?", "Second?")]
        return " ".join(str(each.result()["action"]) for each in asked)
    if tool == "locked":
        if not Path(arguments["until"]).exists():
            raise PageWanted(arguments["url"])
        return "unlocked"
    if tool == "sign_in":
        page = {"mode": "url", "elicitationId": "e1", "url": arguments["url"]}
        reply = put(call, {**page, "message": "Sign in first."})
        reply |= {"content": arguments}
    elif tool == "survey":
        reply = ask(call, "Who are you?", SURVEY)
    elif tool == "delete":
        reply = ask(call, f"Delete {arguments['file']}?", CONFIRM)
    else:
        reply = ask(call, "Who?", NAME)
        if reply["action"] == "accept":
            second = ask(call, "How many?", SEATS)
            content = reply["content"] | (second.get("content") or {})
            reply = {"action": second["action"], "content": content}
    if reply["action"] != "accept":
        return f"nothing was done: {reply['action']}"
    with effects.open("a") as target:
        target.write(f"{tool} {json.dumps(reply['content'], sort_keys=True)}\n")
    return "done"


def answer(message: Json, effects: Path) -> None:
    match message["method"]:
        case "initialize":
            result: Json = {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "asking", "version": "1"},
            }
        case "tools/list":
            names = ("delete", "book", "survey", "sign_in", "locked", "idle", "log", "twice")
            result = {
                "tools": [{"name": name, "inputSchema": {"type": "object"}} for name in names]
            }
        case "tools/call":
            params = message["params"]
            try:
                text = perform(message["id"], params["name"], params["arguments"], effects)
            except PageWanted as wanted:
                page = {"mode": "url", "elicitationId": "e1", "url": str(wanted)}
                data = {"elicitations": [{**page, "message": "Unlock it first."}]}
                error = {"code": -32_042, "message": "It is locked.", "data": data}
                send({"id": message["id"], "error": error})
                return
            result = {"content": [{"type": "text", "text": text}]}
        case method:
            send({"id": message["id"], "error": {"code": -32_601, "message": f"no {method}"}})
            return
    send({"id": message["id"], "result": result})


def main(effects: Path) -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            with _came:
                _replies[message["id"]] = message.get("result", {"action": "refused"})
                _came.notify_all()
        elif "id" in message:
            threading.Thread(target=answer, args=(message, effects), daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
