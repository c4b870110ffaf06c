"""An API with a worker whose agents do, turn by turn, what the prompt of their task orders.

A line of the prompt is a turn: ``call NAME`` makes a call that ends at once, ``wait NAME`` one that
ends when it is released, ``plan NAME JSON`` one that makes or revises a plan, ``ask NAME`` one that
a person must allow, ``question NAME`` one that a person must answer, ``quiz NAME`` one whose tool
asks two questions as it is called, ``finish TEXT`` ends the task. Several calls of a turn are
separated by ``;``.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

from pydantic import JsonValue
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.agents.elicitations import approval_of
from activities.llm.base import Answer, ChatMessage, ModelOptions, ToolRequest, Usage
from activities.store import attempts, turns
from activities.store.approvals import Approval
from activities.store.attempts import Attempt, Ended, ToolMessage
from activities.store.database import Database
from activities.store.turns import BegunTurn, Call, CallDefinition, EndedTurn, Turn
from activities.task_records import Tasks
from activities.tools.mcp.questions import Question
from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage
from workflows import ports
from workflows.agent import AgentWorkflow
from workflows.agent_contracts import (
    ActCall,
    ActOutcome,
    CallPlan,
    ThinkCall,
    Thought,
    call_sub_task_id,
)
from workflows.events import MessageCreated
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.states import Status

MODELS = ModelOptions(models=("obedient",), base_url="http://127.0.0.1:9/v1")
QUIZ = (
    Question("How many?", {"properties": {"count": {"type": "integer", "maximum": 10}}}),
    Question("How often?", {"properties": {"times": {"type": "integer"}}}),
)
_WAITS: Mapping[str, Literal["approval", "answer"]] = {"ask": "approval", "question": "answer"}


class ObedientAgents(ports.Agents):
    """Writes what it does as the true one does. ``verdicts`` are those by the name of a call,
    ``answers`` those to the last question of one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.released = asyncio.Event()
        self.verdicts: dict[str, str] = {}
        self.answers: dict[str, str] = {}

    @activity.defn
    async def think(self, call: ThinkCall) -> Thought:
        turn = Turn(
            call.task_id, call.run, call.turn, call.seq, activity.info().workflow_run_id or ""
        )
        begun = await turns.begin_turn(self._database, turn, known=call.seq)
        if begun.thought is not None:
            return begun.thought
        first = call.seq + 2 if call.seq == 0 else call.seq + 1
        ended = turn_of(call, first, await self.orders(begun, call.turn))
        if call.seq == 0:
            system = ChatMessage("system", "Do as you are told.")
            ended = replace(ended, messages={1: system, **ended.messages})
        await turns.end_turn(self._database, turn, ended)
        return ended.thought

    async def orders(self, begun: BegunTurn, turn: int) -> Sequence[Sequence[str]]:
        """The words of each order of a turn."""
        return [order.split() for order in begun.prompt.splitlines()[turn - 1].split(";")]

    @activity.defn
    async def act(self, call: ActCall) -> ActOutcome:
        sub_task_id = call_sub_task_id(call.task_id, call.seq)
        execution = activity.info().workflow_run_id
        number = call.attempts + activity.info().attempt
        attempt = Attempt(call.task_id, sub_task_id, call.run, number, 3, "obedient", execution)
        begun = await attempts.begin(self._database, attempt)
        if call.verdict is not None:
            self.verdicts[begun.name] = call.verdict
        if begun.definition["arguments"]["order"] == "wait":
            while not self.released.is_set():
                activity.heartbeat()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.released.wait(), 0.05)
        if begun.definition["arguments"]["order"] == "quiz":
            asked = begun.approval["number"] if begun.approval else 0
            if asked < len(QUIZ):
                quiz = approval_of(QUIZ[asked], {}, number, 3_600.0, asked)
                await attempts.end(self._database, attempt, Ended(Status.WAITING, 5, approval=quiz))
                return ActOutcome(ok=True, ask_id=quiz.id, attempts=number)
            self.answers[begun.name] = str(begun.approval and begun.approval["note"])
        turn = int(begun.name.split(".")[0])
        message = ToolMessage(call.seq, turn, f"r{call.seq}", f"{begun.name} is done")
        ended = Ended(Status.COMPLETED, 5, exit_code=0, message=message)
        await attempts.end(self._database, attempt, ended)
        return ActOutcome(ok=True)


def turn_of(call: ThinkCall, answer_seq: int, orders: Sequence[Sequence[str]]) -> EndedTurn:
    calls: list[Call] = []
    requests: list[ToolRequest] = []
    plans: list[CallPlan] = []
    result: Mapping[str, JsonValue] | None = None
    told: dict[int, ChatMessage] = {}
    for index, (order, *words) in enumerate(orders, 1):
        seq = answer_seq + index
        tool = "finish" if order == "finish" else words[0]
        requests.append(ToolRequest(f"r{seq}", tool, '{"a": 1}'))
        if order == "finish":
            result = {"summary": " ".join(words), "result": {"rows": 3}}
            told[seq] = ChatMessage("tool", "Finished.", request_id=f"r{seq}", turn=call.turn)
            continue
        asked = approval(kind) if (kind := _WAITS.get(order)) else None
        ask_id = asked.id if asked else None
        is_plan = order == "plan"
        plans.append(
            CallPlan(seq=seq, name=tool, timeout_seconds=60, ask_id=ask_id, is_plan=is_plan)
        )
        definition = CallDefinition(
            tool=tool,
            arguments=json.loads(words[1]) if is_plan else {"order": order},
            turn=call.turn,
            request_id=f"r{seq}",
            is_retry_safe=True,
        )
        name = f"{call.turn}.{index} {tool}"
        calls.append(Call(seq, name, "plan" if is_plan else "tool", definition, asked))
    text = f"I do {len(orders)} things."
    thought = Thought(
        seq=answer_seq + len(orders),
        calls=tuple(plans),
        tokens=15,
        cost_usd=0.5,
        digest=str(call.turn),
        finished=result is not None,
    )
    spoken = ChatMessage("assistant", text, tuple(requests), turn=call.turn)
    return EndedTurn(
        messages={answer_seq: spoken, **told},
        answer=Answer("obedient", text, tuple(requests), Usage(10, 5, False), 0.5, 3, 20, "stop"),
        thought=thought,
        calls=tuple(calls),
        result=result,
        events=(MessageCreated(turn=call.turn, seq=answer_seq),),
    )


def approval(kind: Literal["approval", "answer"]) -> Approval:
    now = datetime.now(UTC)
    question = "Which?" if kind == "answer" else None
    return Approval(
        id=uuid4(),
        kind=kind,
        question=question,
        asked_at=now,
        expires_at=now + timedelta(hours=1),
    )


@asynccontextmanager
async def working_agents(stage: Stage) -> AsyncIterator[ObedientAgents]:
    """A worker for agents, while the block runs."""
    agents, tasks = ObedientAgents(stage.database), Tasks(stage.database)
    client = await Client.connect(
        stage.temporal.service_client.config.target_host, data_converter=DATA_CONVERTER
    )
    worker = Worker(
        client,
        task_queue=stage.task_queue,
        workflows=[AgentWorkflow],
        activities=[*agents.activities(), *tasks.activities()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
    )
    async with worker:
        yield agents


@asynccontextmanager
async def agent_stage(
    infrastructure: Services, skills: Path, **options: Any
) -> AsyncIterator[Stage]:
    """An API that has models, and no worker."""
    async with api_stage(infrastructure, skills, works=False, models=MODELS, **options) as stage:
        yield stage


async def submit(stage: Stage, *orders: str, **agent: Any) -> str:
    """Submit an agent's task with an order for each turn; its id."""
    body = {"type": "agent", "prompt": "\n".join(orders), "agent": agent}
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def workflow_ended(stage: Stage, task_id: str) -> None:
    """Return once the workflow has ended, which is a moment after its row says so."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = await stage.services.temporal.find(UUID(task_id))
            if found is None or not found.is_running:
                return
            await asyncio.sleep(0.02)
