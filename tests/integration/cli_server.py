"""A server on a loopback socket that answers as it is told, byte for byte.

What a sound server never does (cut a stream, lose an answer, name a file ``../../x``) is said here.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.wire.responses.files import Artifact
from api.wire.responses.tasks import Task
from tests.doubles.listening import listening

TASK_ID = UUID("0199a3c2-7f1e-4d4a-9d0b-2f6c1e8a7b55")
NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """Bytes to send; then the connection is closed, or held open without another word."""

    content: bytes
    is_held: bool = False


@dataclass
class Server:
    """``answers`` by ``METHOD /path``: one after the other, the last of them again and again."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))

    def tell(self, call: str, *answers: Answer) -> None:
        self.answers[call] = list(answers)

    def asked_for(self, call: str) -> list[Asked]:
        return [item for item in self.asked if f"{item.method} {item.path}" == call]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.asked.append(request)
            path, _, _ = request.path.partition("?")
            waiting = self.answers.get(f"{request.method} {path}") or [problem(404, "not-found")]
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            writer.write(answer.content)
            await writer.drain()
            if answer.is_held:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client has gone: that is its right.
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    pairs = (line.partition(": ") for line in head[1:] if line)
    headers = {name.lower(): value for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path.removeprefix("/api/v1"), headers, body)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    async with listening(server.handle) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server


def answer(content: bytes, status: int = 200, *headers: str) -> Answer:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
    return Answer("\r\n".join([*lines, *headers, "", ""]).encode() + content)


def document(content: BaseModel | Mapping[str, Any], status: int = 200) -> Answer:
    text = content.model_dump_json() if isinstance(content, BaseModel) else json.dumps(content)
    return answer(text.encode(), status, "Content-Type: application/json")


def problem(status: int, code: str, *headers: str) -> Answer:
    content = {"title": "T", "detail": f"It is {code}.", "status": status, "code": code}
    kind = "Content-Type: application/problem+json"
    return answer(json.dumps(content).encode(), status, kind, *headers)


NOTHING = Answer(b"")
"""No answer: the connection is closed after the request was read."""


def stream(
    events: Iterable[tuple[int, str, Mapping[str, Any]]], *, cut: bool = False, held: bool = False
) -> Answer:
    """Server-sent events; ``cut`` breaks the connection after them, ``held`` sends no more."""
    content = b"retry: 100\n: hello\n\n"
    for seq, kind, data in events:
        text = json.dumps({**data, "created_at": NOW.isoformat()}, ensure_ascii=False)
        content += f"id: {seq}\nevent: {kind}\ndata: {text}\n\n".encode("utf-8", "surrogatepass")
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = f"{len(content):x}\r\n".encode() + content + b"\r\n"
    return Answer(head + body + (b"" if cut or held else b"0\r\n\r\n"), is_held=held)


def a_task(**changes: Any) -> Task:
    task = {
        "task_id": TASK_ID,
        "type": "pipeline",
        "name": "sales",
        "status": "running",
        "phase": None,
        "prompt": None,
        "priority": 5,
        "run": 1,
        "progress": {"done": 0, "total": 2, "percent": 0, "current": None},
        "error": None,
        "created_at": NOW,
        "started_at": NOW,
        "finished_at": None,
        "temporal_url": "http://127.0.0.1:8233/namespaces/default/workflows/task-x",
        "result": None,
        "inputs": {},
        "definition": None,
        "sub_tasks": [a_step("clean", 0), a_step("chart", 1)],
        "artifacts": [],
        "usage": {"tokens_used": 0, "attempts": 0, "duration_ms": 0},
    }
    return Task.model_validate(task | changes)


def a_step(name: str, order: int, **changes: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(
        ("phase", "exit_code", "error", "next_attempt_at", "worker_id", "started_at", "finished_at")
    )
    step = {
        "id": UUID(int=order),
        "name": name,
        "type": "skill",
        "status": "pending",
        "order": order,
        "dependencies": [],
        "refused": [],
        "retry_count": 0,
    }
    return nothing | step | changes


def an_artifact(number: int, name: str, **changes: Any) -> Artifact:
    artifact = {
        "id": UUID(int=number),
        "name": name,
        "type": "file",
        "size": 5,
        "mime_type": "text/plain",
        "sha256": None,
        "url": f"/api/v1/artifacts/{UUID(int=number)}",
        "sub_task": "clean",
        "created_at": NOW,
    }
    return Artifact.model_validate(artifact | changes)


def a_page(items: Iterable[BaseModel], next_cursor: str | None = None) -> Answer:
    listed = [item.model_dump(mode="json") for item in items]
    return document({"items": listed, "next_cursor": next_cursor})


ENDED = (
    (1, "task.status", {"status": "pending"}),
    (2, "step.started", {"step": "clean", "attempt": 1}),
    (3, "step.output", {"step": "clean", "stream": "stdout", "text": "reading\n"}),
    (4, "step.completed", {"step": "clean", "duration_ms": 12, "files": 0}),
    (5, "task.status", {"status": "completed"}),
)
