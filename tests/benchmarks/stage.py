"""The stack that everything is measured on, with the bare worker beside it."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from activities.store import migrations
from api.client import AsyncClient as Api
from api.client.task_events import TaskEvent
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from tests.benchmarks.bare import LONGEST_RUN, NOOP, TASK_QUEUE, BareWorkflow
from tests.benchmarks.model import ScriptedModels, scripted_models

SKILLS = Path(__file__).parent / "skills"


@dataclass(frozen=True, slots=True)
class Stage:
    services: Services
    temporal: Client
    http: httpx.AsyncClient
    api: Api
    models: ScriptedModels
    work_folder: Path

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

    def events(self, workflow_id: str) -> AsyncGenerator[TaskEvent, None]:
        """What happens to a task, until its end, over HTTP."""
        return self.api.events(workflow_id.removeprefix("task-"))

    async def upload(self, name: str, content: bytes) -> str:
        """Give a file for inputs; gives its reference."""
        answer = await self.http.post("/api/v1/files", files={"file": (name, content)})
        answer.raise_for_status()
        return f"file:{answer.json()['id']}"

    async def _post(self, body: dict[str, object]) -> str:
        answer = await self.http.post("/api/v1/tasks", json=body)
        answer.raise_for_status()
        return f"task-{answer.json()['task_id']}"


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
            _bare_worker(services.temporal_address, folder),
            _http(services.api_url or "") as http,
            Api(services.api_url or "") as api,
        ):
            temporal = await Client.connect(services.temporal_address)
            stage = Stage(services, temporal, http, api, models, folder)
            await _warm_up(stage)
            yield stage
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _http(api_url: str) -> httpx.AsyncClient:
    # Gives connections up before the server does: no request meets one that is just being closed.
    limits = httpx.Limits(keepalive_expiry=1.0)
    return httpx.AsyncClient(base_url=api_url, limits=limits, trust_env=False)


def _options(data_dir: Path, model_url: str) -> StackOptions:
    own = {"AGENTOS_SKILLS_PATH": str(SKILLS), "OPENAI_BASE_URL": model_url}
    return StackOptions(
        data_dir=data_dir,
        default_ports=False,
        migrate=migrations.migrate,
        environment=os.environ | own,
    )


@asynccontextmanager
async def _bare_worker(address: str, work_folder: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.bare", address, str(work_folder)
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _warm_up(stage: Stage) -> None:
    """First runs load code and fill caches: they are nobody's measure."""
    for number in range(3):
        await stage.run({"id": "noop", "skill": "noop"})
        for name in ("nothing", "script"):
            await stage.temporal.execute_workflow(
                BareWorkflow.run,
                name,
                id=f"warm-{name}-{number}",
                task_queue=TASK_QUEUE,
                execution_timeout=LONGEST_RUN,
            )
