"""Tasks of type ``agent``: a model with tools, until it finishes."""

import textwrap
from collections.abc import Mapping, Sequence
from uuid import UUID

from activities.store.reading.messages import turn_at
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from api.services import Services
from api.tasks.kinds.agent_beginning import last_kept_message
from api.tasks.kinds.agent_validation import problems_with_agent
from api.tasks.kinds.base import Beginning, Kind, RunnableTask, wrong
from api.wire.requests import TaskRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import AgentResult, Progress
from workflows.agent import AgentWorkflow
from workflows.contracts import AgentRun, RunLimits
from workflows.definitions.agent import DEFAULT_TURNS, Agent
from workflows.pointers import Problem
from workflows.states import Status, TaskType

_NAME_CHARACTERS = 80


class AgentKind(Kind[Agent]):
    """``first_step`` of such a task is the number of the last message that its run keeps."""

    task_type = TaskType.AGENT
    model = Agent
    workflow = AgentWorkflow
    has_many_sub_tasks = True

    def define(self, request: TaskRequest) -> Agent:
        if request.pipeline is not None:
            raise wrong("/pipeline", "a task of type agent has no pipeline")
        if not (request.prompt or "").strip():
            raise wrong("/prompt", "a task of type agent needs a prompt that says what to do")
        return request.agent or Agent()

    def name(self, request: TaskRequest, definition: Agent) -> str:
        """The prompt's first words."""
        words = " ".join((request.prompt or "").split())
        return textwrap.shorten(words, _NAME_CHARACTERS, placeholder=" …")

    async def own_problems(
        self, services: Services, team_id: UUID, definition: Agent, inputs: Mapping[str, str]
    ) -> list[Problem]:
        return await problems_with_agent(services, team_id, definition, inputs)

    async def message(self, services: Services, task: RunnableTask) -> AgentRun:
        seq = task.first_step
        return AgentRun(
            task_id=task.id,
            team_id=task.team_id,
            run=task.run,
            limits=RunLimits.model_validate(self.read(task).limits.model_dump()),
            approval_seconds=services.options.approval_seconds,
            turn=await turn_at(services.database, task.id, seq) if seq else 0,
            seq=seq,
        )

    async def beginning(self, services: Services, task: StoredTask, begin: str | None) -> Beginning:
        """After a turn that is whole. What was done later is dropped by the run once it begins."""
        return Beginning(await last_kept_message(services.database, task, begin))

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        """Of the turns that are allowed. Who finishes earlier is done nevertheless."""
        total = task.turn_limit or DEFAULT_TURNS
        is_done = task.status is Status.COMPLETED
        percent = 100 if is_done else min(100, 100 * task.turns // total)
        return Progress(done=task.turns, total=total, percent=percent, current=current)

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> AgentResult:
        """What it gave to ``finish``, and all files."""
        given = task.result or {}
        return AgentResult.model_validate(
            {
                "summary": given.get("summary") or "",
                "result": given.get("result"),
                "files": files,
            }
        )


KIND = AgentKind()
