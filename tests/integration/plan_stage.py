"""An API with a worker whose planners make the plans that the prompts of their tasks order.

A line of the prompt of a plan is a turn: ``plan make_plan JSON``, ``plan revise_plan JSON``,
``finish TEXT``, ``fail``, or ``hang``: the model does not answer. Of an agent's prompt the lines
are meant that begin with ``do``, as in ``do finish TEXT``. Steps of pipelines do what their source
says (see ``api_stage``).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.plans.adapter import Nodes
from activities.store.reading.families import descendants
from activities.store.turns import BegunTurn
from activities.task_records import Tasks
from tests.equipment import equipment, installed
from tests.integration.agent_stage import MODELS, ObedientAgents
from tests.integration.api_stage import WAIT_SECONDS, Stage
from workflows.agent import AgentWorkflow
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.pipeline import PipelineWorkflow
from workflows.plan import PlanWorkflow
from workflows.states import FINAL, TaskType


class ObedientPlanners(ObedientAgents):
    """``answers``: the lines ``fail`` and ``hang`` are none any more."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.database)
        self.answers = False

    async def orders(self, begun: BegunTurn, turn: int) -> Sequence[Sequence[str]]:
        lines = begun.prompt.splitlines()
        done = [line.removeprefix("do ") for line in lines if line.startswith("do ")]
        if begun.task_type is not TaskType.PLAN:
            return [order.split() for order in done[turn - 1].split(";")]
        lines = done or lines  # A plan that is a node has the words of its own plan around it.
        if self.answers:
            lines = [line for line in lines if line not in ("fail", "hang")]
        order = lines[turn - 1].split(" ", 2)
        while order == ["hang"]:
            activity.heartbeat()
            await asyncio.sleep(0.05)
        if order == ["fail"]:
            raise ApplicationError("no", type="model-refused", non_retryable=True)
        return [order]


@asynccontextmanager
async def working_planners(stage: Stage, folder: Path) -> AsyncIterator[ObedientPlanners]:
    """A worker for plans and all that their nodes are, while the block runs."""
    agents, tasks = ObedientPlanners(stage), Tasks(stage.database)
    tools = equipment(stage.database, stage.services.blobs, folder)
    nodes = Nodes(tools, installed(tools, MODELS))
    client = await Client.connect(
        stage.temporal.service_client.config.target_host, data_converter=DATA_CONVERTER
    )
    worker = Worker(
        client,
        task_queue=stage.task_queue,
        workflows=[AgentWorkflow, PipelineWorkflow, PlanWorkflow],
        activities=[
            *agents.activities(),
            *stage.steps.activities(),
            *nodes.activities(),
            *tasks.activities(),
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
    )
    async with worker:
        yield agents


def a_pipeline(name: str, *sources: str, **more: Any) -> dict[str, Any]:
    """A node that runs steps of such sources."""
    steps = [
        {"id": step, "code": {"language": "shell", "source": source}}
        for step, source in zip("abcd", sources, strict=False)
    ]
    return {"id": name, "title": f"Do {name}", "kind": "pipeline", "steps": steps, **more}


def an_agent(name: str, *orders: str, **more: Any) -> dict[str, Any]:
    """A node that a model does, turn by turn."""
    return {"id": name, "title": f"Do {name}", "description": told(*orders), **more}


def told(*orders: str) -> str:
    return "\n".join(f"do {order}" for order in orders)


def makes(*nodes: Mapping[str, Any]) -> str:
    return f"plan make_plan {json.dumps({'nodes': nodes})}"


def revises(**changes: Any) -> str:
    return f"plan revise_plan {json.dumps(changes)}"


@dataclass(frozen=True, slots=True)
class Family:
    """A plan that was submitted, and the tasks of its nodes."""

    stage: Stage
    id: str

    async def until(self, *statuses: str) -> dict[str, Any]:
        return await self.stage.until(self.id, *statuses)

    async def ends(self) -> dict[str, Any]:
        return await self.until(*FINAL)

    async def runs(self) -> Mapping[str, int]:
        """How often each node was run, by name; 0 for those that never began."""
        rows = await self._rows(
            "SELECT node.name, child.run FROM sub_tasks AS node "
            "LEFT JOIN tasks AS child ON child.id = node.child_id "
            "WHERE node.task_id = :id AND node.number IS NOT NULL ORDER BY node.number"
        )
        return {row.name: row.run or 0 for row in rows}

    async def statuses(self) -> Mapping[str, str]:
        """Of the tasks that run the nodes, by name."""
        rows = await self._rows(
            "SELECT node.name, child.status FROM sub_tasks AS node "
            "JOIN tasks AS child ON child.id = node.child_id "
            "WHERE node.task_id = :id AND node.number IS NOT NULL ORDER BY node.number"
        )
        return {row.name: row.status for row in rows}

    async def until_states(self, **states: str) -> None:
        """Return once the nodes are in these states for their plan, which is a moment later."""
        await self.stage.once(self.id, lambda task: states.items() <= states_of(task).items())

    async def until_nodes(self, **statuses: str) -> None:
        """Return once the tasks of these nodes are in these states."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not statuses.items() <= (await self.statuses()).items():
                await asyncio.sleep(0.02)

    async def child(self, node: str) -> str:
        rows = await self._rows(
            "SELECT child_id FROM sub_tasks WHERE task_id = :id AND name = :name", name=node
        )
        return str(rows[0].child_id) if rows else "None"

    async def living(self) -> Sequence[UUID]:
        """The tasks of nodes that have not ended, at any depth."""
        return await descendants(self.stage.database, UUID(self.id), living=True)

    async def retry(self, **request: Any) -> None:
        """``begin`` is what ``from`` says."""
        if "begin" in request:
            request["from"] = request.pop("begin")
        answer = await self.stage.http.post(f"/tasks/{self.id}/retry", json=request)
        assert answer.status_code == 202, answer.text

    async def _rows(self, statement: str, **values: object) -> Sequence[Any]:
        async with self.stage.database.reading(fresh=True) as connection:
            found = await connection.execute(text(statement), {"id": UUID(self.id), **values})
            return found.all()


async def submit_plan(stage: Stage, *lines: str, **more: Any) -> Family:
    body = {"type": "plan", "prompt": "\n".join(lines), "plan": {"replans": 0}, **more}
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return Family(stage, str(answer.json()["task_id"]))


def states_of(task: Mapping[str, Any]) -> Mapping[str, str]:
    """The states of the nodes of a plan, as the API shows them."""
    return {node["name"]: node["status"] for node in task["sub_tasks"]}
