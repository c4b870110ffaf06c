"""An MCP server of the plainest kind on stdin and stdout, which misbehaves on demand.

Run as a program of its own, for the standard library alone, so that it starts quickly. What its
tools do is said at each; flags change the rest.
"""

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_lock = threading.Lock()
_pages = itertools.count(1)
_cancelled: dict[object, threading.Event] = {}
_tools = {"type": "object", "properties": {"text": {"type": "string"}}}
_named = ["echo", "parts", "where", "die", "wait", "progress", "grow", "huge", "fork", "refuse"]


def send(message: Json) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def text(*lines: str) -> Json:
    return {"content": [{"type": "text", "text": line} for line in lines]}


def call(request_id: object, name: str, arguments: Json, token: object) -> Json:  # noqa: PLR0911
    match name:
        case "echo":
            return text(arguments["text"])
        case "parts":
            return arguments
        case "where":  # with values backwards: nobody shall recognise them
            env = {name: value[::-1] for name, value in os.environ.items()}
            return text(json.dumps({"env": env, "cwd": str(Path.cwd())}))
        case "die":
            sys.stderr.write("a secret word on stderr\n" * arguments.get("lines", 0))
            os._exit(3)
        case "wait":  # says in files when it begins, a byte each time, and when it was told to stop
            with Path(arguments["begun"]).open("a") as begun:
                begun.write(".")
            if _cancelled[request_id].wait(arguments["seconds"]):
                Path(arguments["cancelled"]).touch()
            return text("waited")
        case "progress":
            for number in range(arguments["times"]):
                time.sleep(arguments["pause"])
                progress = {"progressToken": token, "progress": number}
                send({"method": "notifications/progress", "params": progress})
            return text("done")
        case "grow":
            _named.append(arguments["name"])
            send({"method": "notifications/tools/list_changed"})
            return text("grown")
        case "say":  # anything at all, before its answer
            with _lock:
                sys.stdout.writelines(itertools.repeat(arguments["words"], arguments["times"]))
            return text("said")
        case "huge":
            return text("x" * arguments["size"])
        case "fork":  # a child that leaves the session, and so the group
            child = subprocess.Popen(["sleep", arguments["seconds"]], start_new_session=True)
            return text(str(child.pid))
    raise ValueError(arguments.get("message", "there is no such tool"))


def answer(message: Json, flags: argparse.Namespace) -> None:
    request_id, params = message["id"], message.get("params", {})
    match message["method"]:
        case "initialize":
            result: Json = {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "double", "version": "1"},
            }
        case "tools/list":
            result = listing(flags)
        case "tools/call":
            token = params.get("_meta", {}).get("progressToken")
            try:
                result = call(request_id, params["name"], params.get("arguments", {}), token)
            except ValueError as refusal:
                error = {"code": -32_000, "message": str(refusal)}
                send({"id": request_id, "error": error})
                return
        case method:
            send({"id": request_id, "error": {"code": -32_601, "message": f"no {method}"}})
            return
    send({"id": request_id, "result": result})


def listing(flags: argparse.Namespace) -> Json:
    if flags.tools is not None:
        tools: list[Json] = json.loads(flags.tools.read_text())
    else:
        tools = [{"name": name, "description": name, "inputSchema": _tools} for name in _named]
    return {"tools": tools} | ({"nextCursor": str(next(_pages))} if flags.endless else {})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=Path, help="a file with the tools to list")
    parser.add_argument("--endless", action="store_true", help="the list has no last page")
    parser.add_argument("--stubborn", action="store_true", help="ends neither by EOF nor SIGTERM")
    parser.add_argument("--babble", action="store_true", help="greets on stdout")
    parser.add_argument("--mute", action="store_true", help="answers nothing")
    parser.add_argument("--once", type=Path, help="a file: it dies at once where that exists")
    parser.add_argument("--mark", help="a word to find it by")
    flags = parser.parse_args()
    if flags.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if flags.once and flags.once.exists():
        sys.exit(9)
    if flags.babble:
        sys.stdout.write("Welcome to the double!\n")
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("method") == "notifications/cancelled":
            _cancelled[message["params"]["requestId"]].set()
        elif "id" in message and not flags.mute:
            _cancelled[message["id"]] = threading.Event()
            threading.Thread(target=answer, args=(message, flags), daemon=True).start()
    while flags.stubborn:
        time.sleep(1)


if __name__ == "__main__":
    main()
