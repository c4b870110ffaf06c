"""The workflow of agents that stay on a worker of its own, with true rows and a model that says
what its messages tell it to.

A line of what the agent has to answer is a turn, as in ``agent_stage``; ``finish TEXT`` is its
answer. ``dream TEXT`` says something and never comes to an end by itself; ``defy NAME`` comes to an
end in spite of its cancellation, with a call that a person must allow.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.attempts.heartbeat import heartbeating
from activities.kinds.base import Installed
from activities.llm.base import ChatMessage
from activities.residents.adapter import Conversations
from activities.residents.options import ConversationOptions
from activities.store import turns
from activities.store.database import Database
from activities.store.turns import Turn
from activities.task_records import Tasks
from deploy.local.services import Services
from tests.integration.agent_stage import ObedientAgents, turn_of
from tests.integration.residents import RowAgent, row_agent
from tests.live import until
from workflows.agent_contracts import ThinkCall, Thought
from workflows.conversation import ConversationWorkflow
from workflows.events import LlmDelta
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.resident_contracts import LOOK, ConversationRun, agent_workflow_id


class Talkers(ObedientAgents):
    """``dreaming`` is set once a turn has begun that does not end."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.dreaming = asyncio.Event()
        self.turns = 0

    @activity.defn
    async def think(self, call: ThinkCall) -> Thought:
        self.turns += 1
        execution = activity.info().workflow_run_id or ""
        turn = Turn(call.task_id, call.run, call.turn, call.seq, execution)
        begun = await turns.begin_turn(self._database, turn, known=call.seq)
        if begun.thought is not None:
            return begun.thought
        orders = [order.split() for order in _lines(begun.prompt)[call.turn - 1].split(";")]
        if orders[0][0] == "dream":
            await self._dream(turn, " ".join(orders[0][1:]))
        if orders[0][0] == "defy":
            with suppress(asyncio.CancelledError):
                await self._dream(turn, "")
            orders = [["ask", *orders[0][1:]]]
        ended = turn_of(call, call.seq + 3 if call.seq == 0 else call.seq + 1, orders)
        if call.seq == 0:
            asked = ChatMessage("user", begun.prompt, is_protected=True)
            system = ChatMessage("system", "Do as you are told.", is_protected=True)
            ended = replace(ended, messages={1: system, 2: asked, **ended.messages})
        if ended.result is not None:
            ended = replace(ended, result={"reply": ended.result["summary"]})
        await turns.end_turn(self._database, turn, ended)
        return ended.thought

    async def _dream(self, turn: Turn, words: str) -> None:
        await turns.add_events(self._database, turn, (LlmDelta(turn=turn.turn, text=words),))
        self.dreaming.set()
        async with heartbeating():
            await asyncio.Event().wait()


@dataclass(frozen=True)
class Talk:
    """An agent, what plays its model, and its workflow."""

    agent: RowAgent
    model: Talkers
    client: Client
    task_queue: str

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(agent_workflow_id(self.agent.id))

    async def tell(self, *lines: str, signal: str = LOOK) -> int:
        """Post a message and tell of it, as the API does; its number."""
        seq = await self.agent.post("\n".join(lines))
        await self.look(seq, signal=signal)
        return seq

    async def look(self, seq: int, *, signal: str = LOOK) -> None:
        await self.client.start_workflow(
            ConversationWorkflow.__name__,
            ConversationRun(agent_id=self.agent.id, team_id=self.agent.team_id),
            id=agent_workflow_id(self.agent.id),
            task_queue=self.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
            start_signal_args=[seq],
        )

    async def rows(self, statement: str) -> Sequence[Any]:
        return await self.agent.rows(statement)

    async def replies(self) -> list[str]:
        found = await self.rows(
            "SELECT content FROM inbox WHERE agent_id = :id AND kind = 'reply' ORDER BY seq"
        )
        return [row.content for row in found]

    async def unread(self) -> list[int]:
        found = await self.rows(
            "SELECT seq FROM inbox WHERE agent_id = :id AND read_at IS NULL ORDER BY seq"
        )
        return [row.seq for row in found]

    async def exchanges(self) -> list[tuple[str, str]]:
        """State and prompt of each, in their order."""
        found = await self.rows(
            "SELECT status, prompt FROM tasks WHERE parent_id = :id ORDER BY created_at"
        )
        return [(row.status, row.prompt) for row in found]

    async def exchange_id(self) -> UUID:
        [row] = await self.rows("SELECT exchange_id FROM agents WHERE id = :id")
        return UUID(str(row.exchange_id))

    async def replied(self, count: int) -> None:
        async def holds() -> bool:
            return len(await self.replies()) >= count

        await until(holds)

    async def ended(self) -> WorkflowExecutionStatus | None:
        """How the workflow ended, once it has; None when there never was one."""
        status: WorkflowExecutionStatus | None = None

        async def holds() -> bool:
            nonlocal status
            try:
                status = (await self.handle.describe()).status
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return True
                raise
            return status is not WorkflowExecutionStatus.RUNNING

        await until(holds)
        return status


@asynccontextmanager
async def talking(
    infrastructure: Services,
    database_url: str,
    task_queue: str,
    *,
    idle_seconds: float = 0.2,
    made: Callable[[Installed, ConversationOptions], Conversations] = Conversations,
) -> AsyncIterator[Talk]:
    """An agent with a worker for its workflow, while the block runs. ``made`` makes the adapter."""
    database = Database(database_url)
    client = await Client.connect(infrastructure.temporal_address, data_converter=DATA_CONVERTER)
    model = Talkers(database)
    # What an exchange begins with is the database, how long people are waited for, and a model.
    there = cast(
        Installed,
        SimpleNamespace(
            database=database, approval_seconds=3_600.0, model_of=lambda wanted: wanted or ""
        ),
    )
    conversations = made(there, ConversationOptions(idle_seconds=idle_seconds))
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[ConversationWorkflow],
        activities=[
            *model.activities(),
            *Tasks(database).activities(),
            *conversations.activities(),
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
    )
    async with worker:
        yield Talk(await row_agent(database), model, client, task_queue)
    await database.close()


def _lines(prompt: str) -> list[str]:
    return [line for line in prompt.splitlines() if line]
