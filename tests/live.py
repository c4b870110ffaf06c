"""A whole stack as a user has it, and what tests do with it: plain HTTP and the command line."""

import asyncio
import atexit
import functools
import json
import math
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from activities.store import migrations
from deploy.local.forking import ForkServer
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from tests.event_stream import events_in
from tests.pauses import pause_after
from workflows.states import FINAL

_TIMEOUT_SECONDS = 30
_WAIT_SECONDS = 20  # for the end of a task, in one request
# Settings, and what pytest says of the test that runs.
_NOT_INHERITED = ("AGENTOS_", "OPENAI_", "PYTEST_")
_MCP_SERVER = Path(__file__).parent / "doubles" / "mcp_stdio.py"


@dataclass(frozen=True, slots=True)
class Printed:
    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Live:
    """A running stack and a client for it."""

    services: Services
    http: httpx.AsyncClient

    def pid_of(self, part: str) -> int:
        state = json.loads((self.services.data_dir / "services.json").read_text())
        return int(state[part]["pid"])

    def kill(self, part: str) -> int:
        """Gives the pid that the part had."""
        pid = self.pid_of(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    async def recovered(self, part: str, killed: int) -> None:
        """Return when another process is in the place of a killed one, and the API can work.

        The API alone could say so before it has noticed anything.
        """

        async def can_work() -> bool:
            try:
                return (await self.http.get("/readyz")).is_success
            except httpx.TransportError:
                return False

        async def is_replaced() -> bool:
            return self.pid_of(part) != killed

        await until(is_replaced)
        await until(can_work)

    async def submit(
        self,
        *steps: Mapping[str, object],
        inputs: Mapping[str, str] | None = None,
        **more: object,
    ) -> str:
        """Submit a pipeline of these steps; gives the id of the task."""
        given = dict(inputs or {})
        pipeline = {"name": "test", "inputs": list(given), "steps": list(steps)}
        body = {"type": "pipeline", "pipeline": pipeline, "inputs": given, **more}
        answer = await self.http.post("/api/v1/tasks", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["task_id"])

    async def submit_agent(
        self, prompt: str, *, inputs: Mapping[str, str] | None = None, **agent: object
    ) -> str:
        """Submit a task for an agent; gives its id."""
        body = {"type": "agent", "prompt": prompt, "inputs": dict(inputs or {}), "agent": agent}
        answer = await self.http.post("/api/v1/tasks", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["task_id"])

    async def submit_plan(
        self, prompt: str, *, inputs: Mapping[str, str] | None = None, **plan: object
    ) -> str:
        """Submit a task for a planner; gives its id."""
        body = {"type": "plan", "prompt": prompt, "inputs": dict(inputs or {}), "plan": plan}
        answer = await self.http.post("/api/v1/tasks", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["task_id"])

    async def run_agent(self, prompt: str, **more: Any) -> dict[str, Any]:
        """Submit a task for an agent and wait for its end; gives the task."""
        return await self.ended(await self.submit_agent(prompt, **more))

    async def register_mcp_server(self, name: str, *arguments: str) -> None:
        """Register the MCP server of the tests, whose tools say nothing of whether they may be
        called twice."""
        server = {"name": name, "transport": "stdio", "command": sys.executable}
        body = {**server, "args": ["-I", str(_MCP_SERVER), *arguments]}
        answer = await self.http.post("/api/v1/tools/register", json=body)
        assert answer.status_code == 201, answer.text

    async def post(self, task_id: str, path: str, **body: object) -> int:
        """Do something to a task; gives the status of the answer."""
        return (await self.http.post(f"/api/v1/tasks/{task_id}/{path}", json=body)).status_code

    async def task(self, task_id: str, **query: int) -> dict[str, Any]:
        answer = await self.http.get(f"/api/v1/tasks/{task_id}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def when(
        self,
        task_id: str,
        condition: Callable[[dict[str, Any]], bool],
        seconds: float = 60,
        **query: int,
    ) -> dict[str, Any]:
        """The task, as soon as the condition holds."""
        task: dict[str, Any] = {}

        async def holds() -> bool:
            task.update(await self.task(task_id, **query))
            return condition(task)

        await until(holds, seconds, what=lambda: json.dumps(task, indent=1))
        return task

    async def ended(self, task_id: str, seconds: float = 60) -> dict[str, Any]:
        # The API tells of an end by itself: each look would take a part of a processor.
        ends = {"wait": min(_WAIT_SECONDS, math.ceil(seconds))}
        return await self.when(task_id, lambda task: task["status"] in FINAL, seconds, **ends)

    async def run(self, *steps: Mapping[str, object], **more: Any) -> dict[str, Any]:
        """Submit a pipeline and wait for its end; gives the task."""
        return await self.ended(await self.submit(*steps, **more))

    async def log_of(self, task_id: str) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/api/v1/tasks/{task_id}/logs")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def messages_of(self, task_id: str) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/api/v1/tasks/{task_id}/messages", params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def events_of(self, task_id: str) -> list[tuple[str, dict[str, Any]]]:
        """All events of a task that has ended: type and data."""
        async with self.http.stream("GET", f"/api/v1/tasks/{task_id}/events") as response:
            return [(event.type, dict(event.data)) async for event in events_in(response)]

    async def text_of(self, artifact: Mapping[str, Any]) -> str:
        answer = await self.http.get(artifact["url"])
        assert answer.status_code == 200, answer.text
        return answer.text

    async def upload(self, name: str, content: bytes) -> str:
        """Gives the reference of the file."""
        answer = await self.http.post("/api/v1/files", files={"file": (name, content)})
        assert answer.status_code == 201, answer.text
        return f"file:{answer.json()['id']}"

    async def agentos(self, *words: str) -> Printed:
        """Run a command, as typed in a terminal."""
        assert self.services.api_url is not None
        return await typed(
            sys.executable, "-P", "-m", "deploy.cli", *words, AGENTOS_API_URL=self.services.api_url
        )


async def typed(*words: str, **environment: str) -> Printed:
    process = await asyncio.create_subprocess_exec(
        *words,
        env=os.environ | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return Printed(process.returncode, stdout.decode(), stderr.decode())


async def until(
    condition: Callable[[], Awaitable[bool]],
    seconds: float = 60,
    what: Callable[[], str] = lambda: "",
) -> None:
    """Wait for a condition."""
    began = time.monotonic()
    while not await condition():
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds} s: {what()}"
        await asyncio.sleep(pause_after(waited))


def _inherited() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }


@functools.cache
def _fork_server() -> ForkServer:
    """One for all stacks of this process: each would load the same in three seconds."""
    server = ForkServer(_inherited())
    server.start()
    atexit.register(server.close)
    return server


@asynccontextmanager
async def live_stack(
    data_dir: Path,
    *,
    temporal: Mapping[str, int] | None = None,
    workers: int = 1,
    **environment: str,
) -> AsyncIterator[Live]:
    """A stack on free ports. Of the variables that configure one it gets only those given.

    ``temporal`` is dynamic configuration of its server.
    """
    options = StackOptions(
        data_dir=data_dir,
        workers=workers,
        default_ports=False,
        temporal=temporal or {},
        migrate=migrations.migrate,
        environment=_inherited() | environment,
        fork_server=_fork_server(),
    )
    async with (
        Stack(options) as services,
        httpx.AsyncClient(
            base_url=services.api_url or "", trust_env=False, timeout=_TIMEOUT_SECONDS
        ) as http,
    ):
        yield Live(services, http)


def python(step: str, source: str, *args: str, **more: object) -> dict[str, object]:
    """A step of a few lines of Python."""
    code = {"language": "python", "source": source}
    return {"id": step, "code": code, "args": list(args), **more}


def a_while() -> str:
    """Seconds to sleep, far too many, and no others as many: the process is known by them."""
    return str(10_000_000 + uuid4().int % 10_000_000)


def held(step: str) -> tuple[dict[str, object], str]:
    """A step that runs until ``release`` is called with the word that is given with it."""
    seconds = a_while()
    source = "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]])"
    return python(step, source, seconds), seconds


async def release(seconds: str) -> None:
    """Let go on what sleeps so long, such as the step that ``held`` made, as soon as it sleeps."""

    async def was_ended() -> bool:
        for pid in sleeping(seconds):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                return True
        return False

    await until(was_ended)


def sleeping(seconds: str) -> list[int]:
    """Processes of ``sleep`` for so long; others only have it among their arguments."""
    found = []
    for pid in processes_mentioning(seconds):
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
                found.append(pid)
    return found


def processes_mentioning(text: str) -> list[int]:
    """Living processes with this text in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # It has ended.
            if text.encode() in command:
                found.append(int(entry.name))
    return found


def children_of(pid: int) -> set[int]:
    """What a living process has started, from any of its threads, and has not waited for."""
    found: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # It has just ended.
            found.update(map(int, (thread / "children").read_text().split()))
    return found


def environment_of(pid: int) -> dict[str, str]:
    """What a living process was started with."""
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(item.decode().split("=", 1) for item in variables if item)
