"""Plans as workers write them down, for tests of those who read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import JsonValue
from sqlalchemy import text
from sqlmodel import SQLModel

from activities.store import tasks
from activities.store.approvals import Approval
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.tables import Event, Message, PlanRevision, SubTask, Task
from tests.integration.new_tasks import new_task
from workflows.agent_contracts import call_sub_task_id
from workflows.definitions.plan import Node, Plan
from workflows.events import TaskStatus
from workflows.states import Status, TaskType

# The message with the result of the call that made the plan: after system, user and answer.
PLANNED_SEQ = 4
START = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def a_node(name: str, *depends_on: str, **more: Any) -> Node:
    document = {"id": name, "title": f"Do {name}", "description": f"Do {name}.", **more}
    return Node.model_validate({**document, "depends_on": depends_on})


@dataclass
class PlanRows:
    """A plan in a database. ``children`` are the tasks that run its nodes, by name."""

    database: Database
    id: UUID
    children: dict[str, UUID]

    async def add(self, *rows: SQLModel) -> None:
        """Insert rows, one after the other: what one refers to stands before it."""
        async with self.database.writing() as connection:
            for row in rows:
                values = row.model_dump(exclude_unset=True)
                await connection.execute(type(row).__table__.insert(), values)  # type: ignore[attr-defined]

    async def execute(self, statement: str, **values: object) -> None:
        async with self.database.writing() as connection:
            await connection.execute(text(statement), values)

    async def speak(self, task_id: UUID, seq: int, tokens: int, cost_usd: float = 0.25) -> None:
        """Have the model of a task say something."""
        said = Message(
            task_id=task_id,
            seq=seq,
            team_id=DEFAULT_TEAM,
            turn=1,
            role="assistant",
            content="I plan.",
            execution="a",
            model="m-1",
            prompt_tokens=tokens,
            cost_usd=cost_usd,
            duration_ms=500,
            created_at=START,
        )
        await self.add(said)

    async def call(
        self,
        nodes: Sequence[Node],
        status: Status = Status.COMPLETED,
        *,
        approval: Approval | None = None,
        tool: str = "make_plan",
        seq: int = PLANNED_SEQ,
        name: str = "1.1 make_plan",
        turn: int = 1,
        **arguments: JsonValue,
    ) -> UUID:
        """The call by which the planner has made these nodes; its id."""
        key = call_sub_task_id(self.id, seq)
        context: Mapping[str, Any] = {
            "tool": tool,
            "arguments": {
                "nodes": [node.model_dump(mode="json", exclude_defaults=True) for node in nodes],
                "reason": "Both can be done side by side.",
                **arguments,
            },
            "turn": turn,
            "request_id": "r",
            "is_retry_safe": True,
        }
        await self.add(
            SubTask(
                id=key,
                team_id=DEFAULT_TEAM,
                task_id=self.id,
                name=name,
                task_type="plan",
                status=status,
                dependencies=[],
                input_context=dict(context),
                approval=approval and approval.model_dump(mode="json"),
                execution_order=seq,
                started_at=START,
            )
        )
        return key

    async def node(
        self,
        node: Node,
        number: int,
        status: Status = Status.PENDING,
        *,
        child_status: Status | None = None,
        limits: Mapping[str, JsonValue] | None = None,
        result: Mapping[str, JsonValue] | None = None,
        seq: int = PLANNED_SEQ,
        child_id: UUID | None = None,
        **more: Any,
    ) -> UUID | None:
        """A node, and unless it is pending the task that runs it: gives the id of that."""
        child_id = child_id or uuid4()
        if has_begun := status is not Status.PENDING:
            self.children[node.id] = child_id
            child = Task(
                id=child_id,
                team_id=DEFAULT_TEAM,
                parent_id=self.id,
                type=TaskType.AGENT,
                name=node.title,
                prompt=node.description,
                status=child_status or status,
                definition={"limits": dict(limits)} if limits else {},
                inputs={},
                result=dict(result) if result else None,
                executions=[],
                created_at=START,
            )
            await self.add(child)
        row = SubTask(
            id=uuid4(),
            team_id=DEFAULT_TEAM,
            task_id=self.id,
            name=node.id,
            task_type=node.kind,
            status=status,
            dependencies=list(node.depends_on),
            input_context=node.model_dump(mode="json", exclude_defaults=True),
            execution_order=seq,
            number=number,
            child_id=child_id,
            started_at=START if has_begun else None,
            finished_at=START + timedelta(seconds=3) if status.is_final else None,
            **more,
        )
        await self.add(row)
        return child_id if has_begun else None

    async def be(self, seq: int, status: Status, after_seconds: float) -> None:
        """Tell of a state, so long after the start; ``seq`` 1 says that the plan is pending."""
        event = Event(
            task_id=self.id,
            seq=seq,
            team_id=DEFAULT_TEAM,
            type=TaskStatus.type,
            data={"status": status},
            created_at=START + timedelta(seconds=after_seconds),
        )
        await self.add(event)

    async def revise(self, reason: str, *, seq: int = 6, **changes: Any) -> None:
        fields = ("add", "drop", "rewire", "replaced", "former")
        values: dict[str, Any] = {**{field: [] for field in fields}, **changes}
        await self.add(
            PlanRevision(
                task_id=self.id,
                seq=seq,
                team_id=DEFAULT_TEAM,
                reason=reason,
                created_at=START,
                **values,
            )
        )


async def a_plan(database: Database, *, status: Status = Status.RUNNING, **plan: Any) -> PlanRows:
    """A plan that runs, without a node yet."""
    task = new_task(TaskType.PLAN, Plan.model_validate(plan), prompt="Profile both.")
    await tasks.create_task(database, task)
    rows = PlanRows(database, task.id, {})
    await rows.execute(
        "UPDATE tasks SET status = :status, started_at = :at WHERE id = :id",
        status=status,
        at=START,
        id=task.id,
    )
    return rows
