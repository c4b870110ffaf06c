"""Where tests play the workflow of a plan: the true database and store, and nobody else."""

import hashlib
import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID, uuid4

from pydantic import JsonValue
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.equipment import Equipment
from activities.llm.base import Answer, ChatMessage, ToolRequest, Usage
from activities.plans.adapter import Nodes
from activities.store import tasks, turns
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.plans import StoredNode, StoredPlan, reading_plans
from activities.store.turns import Call, CallDefinition, EndedTurn, Turn
from tests.equipment import installed
from tests.integration.new_tasks import new_task
from workflows.agent_contracts import CallPlan, Thought
from workflows.contracts import Failure, TaskClose
from workflows.definitions.plan import Plan
from workflows.plan_contracts import NodeEnd, NodesCall, NodeStart, OpenedPlan, PlanCall, PlanReport
from workflows.states import Status, TaskType

# The message of the result of the call of a first turn: system, prompt and answer come before.
FIRST_CALL = 4

_T = TypeVar("_T")


@dataclass
class PlanDesk:
    """``execution`` is the Temporal run id under which activities run now, and ``seq`` the call
    whose nodes they are."""

    equipment: Equipment
    plan: Plan = field(default_factory=Plan)
    prompt: str = "Do all of it."
    inputs: Mapping[str, str] = field(default_factory=dict)
    task_id: UUID = field(default_factory=uuid4)
    execution: str = "first"
    run: int = 1
    seq: int = FIRST_CALL

    @property
    def database(self) -> Database:
        return self.equipment.database

    @property
    def nodes(self) -> Nodes:
        return Nodes(self.equipment, installed(self.equipment))

    def fresh(self) -> "PlanDesk":
        """One for another task."""
        return replace(self, task_id=uuid4())

    async def create(self) -> None:
        task = new_task(
            TaskType.PLAN,
            self.plan,
            task_id=self.task_id,
            prompt=self.prompt,
            inputs=dict(self.inputs),
        )
        await tasks.create_task(self.database, task)

    async def calls(
        self, tool: str, arguments: Mapping[str, Any], *, turn: int = 1, seq: int = 0
    ) -> int:
        """The model makes a call in a turn after message ``seq``: gives that of its result."""
        begun = Turn(self.task_id, self.run, turn, seq, self.execution)
        await turns.begin_turn(self.database, begun, known=seq)
        before = (ChatMessage("system", "Plan."), ChatMessage("user", self.prompt))
        said = () if seq else before
        request = ToolRequest(f"call-{turn}", tool, json.dumps(arguments))
        answer = ChatMessage("assistant", "", requests=(request,), turn=turn)
        result = seq + len(said) + 2
        definition = CallDefinition(
            tool=tool,
            arguments=dict(arguments),
            turn=turn,
            request_id=request.id,
            is_retry_safe=True,
        )
        call = CallPlan(seq=result, name=tool, timeout_seconds=60, is_plan=True)
        ended = EndedTurn(
            messages=dict(enumerate((*said, answer), start=seq + 1)),
            answer=Answer(
                model="m",
                text="",
                requests=(request,),
                usage=Usage(90, 10, is_estimate=False),
                cost_usd=0.5,
                first_token_ms=1,
                duration_ms=2,
                finish="tool_calls",
            ),
            thought=Thought(seq=result, calls=(call,), tokens=100, cost_usd=0.5, digest=""),
            calls=(Call(result, f"{turn}.1 {tool}", "plan", definition),),
        )
        assert await turns.end_turn(self.database, begun, ended)
        return result

    async def open(self, seq: int = FIRST_CALL) -> OpenedPlan:
        call = PlanCall(task_id=self.task_id, run=self.run, seq=seq)
        return await self._as_activity(lambda: self.nodes.open_plan(call))

    async def begin(
        self, *numbers: int, seconds: float = 600, others_run: bool = False
    ) -> Sequence[NodeStart]:
        call = NodesCall(
            task_id=self.task_id,
            run=self.run,
            seq=self.seq,
            nodes=numbers,
            seconds=seconds,
            others_run=others_run,
        )
        return await self._as_activity(lambda: self.nodes.begin_nodes(call))

    async def end(self, number: int) -> bool:
        end = NodeEnd(task_id=self.task_id, run=self.run, seq=self.seq, number=number)
        return await self._as_activity(lambda: self.nodes.end_node(end))

    async def report(self, seq: int = FIRST_CALL) -> PlanReport:
        call = PlanCall(task_id=self.task_id, run=self.run, seq=seq)
        return await self._as_activity(lambda: self.nodes.report_plan(call))

    async def stored(self) -> StoredPlan:
        async with reading_plans(self.database) as reader:
            plan = await reader.plan(self.task_id)
        assert plan is not None
        return plan

    async def node(self, name: str) -> StoredNode:
        return (await self.stored()).by_name[name]

    async def completes(
        self,
        name: str,
        *,
        summary: str = "Done.",
        result: JsonValue = None,
        files: Mapping[str, bytes] | None = None,
        tokens: int = 0,
        cost_usd: float = 0.0,
    ) -> None:
        """The task of a node comes to its end."""
        child = (await self.node(name)).child_id
        for file, data in (files or {}).items():
            await self._make_file(child, file, data)
        given = {"summary": summary} if result is None else {"summary": summary, "result": result}
        await self.write(
            "UPDATE tasks SET result = CAST(:r AS jsonb) WHERE id = :id",
            id=child,
            r=json.dumps(given),
        )
        await self.uses(child, tokens, cost_usd)
        await self._close(child, Status.COMPLETED)

    async def fails(self, name: str, status: Status = Status.FAILED) -> None:
        child = (await self.node(name)).child_id
        await self._close(child, status, Failure(code="script-failed", message="It broke."))

    async def uses(self, task_id: UUID, tokens: int, cost_usd: float) -> None:
        await self.write(
            """
            INSERT INTO messages
                (task_id, seq, team_id, turn, role, content, is_protected, execution,
                 prompt_tokens, completion_tokens, cost_usd)
            SELECT :id, coalesce(max(seq), 0) + 1, :team, 1, 'assistant', '', false, '', :tokens, 0,
                   :usd
            FROM messages WHERE task_id = :id""",
            id=task_id,
            team=DEFAULT_TEAM,
            tokens=tokens,
            usd=cost_usd,
        )

    async def write(self, statement: str, **values: object) -> None:
        async with self.database.writing() as connection:
            await connection.execute(text(statement), values)

    async def rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        async with self.database.reading(fresh=True) as connection:
            given = {"task_id": self.task_id, **values}
            return [tuple(row) for row in await connection.execute(text(statement), given)]

    async def _make_file(self, task_id: UUID, name: str, data: bytes) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        blobs, step = self.equipment.blobs, uuid4()
        await blobs.put(DEFAULT_TEAM, sha256, len(data), "text/csv", io.BytesIO(data))
        await self.write(
            """
            INSERT INTO sub_tasks
                (id, team_id, task_id, name, task_type, status, dependencies, input_context,
                 retry_count, execution_order)
            VALUES (:id, :team, :task, 'call', 'tool', 'completed', '[]', '{}', 0, 90)""",
            id=step,
            team=DEFAULT_TEAM,
            task=task_id,
        )
        await self.write(
            """
            INSERT INTO task_artifacts
                (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
            VALUES (gen_random_uuid(), :team, :task, :step, 'file', :name, :size, 'text/csv',
                    :sha256)""",
            team=DEFAULT_TEAM,
            task=task_id,
            step=step,
            name=name,
            size=len(data),
            sha256=sha256,
        )

    async def _close(self, child: UUID, status: Status, failure: Failure | None = None) -> None:
        [(run,)] = await self.rows("SELECT run FROM tasks WHERE id = :id", id=child)
        close = TaskClose(
            task_id=child, team_id=DEFAULT_TEAM, run=run, status=status, failure=failure
        )
        assert await tasks.close_task(self.database, close)

    async def _as_activity(self, work: Callable[[], Awaitable[_T]]) -> _T:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_run_id=self.execution)

        async def run() -> _T:
            return await work()

        return await environment.run(run)
