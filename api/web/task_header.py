"""What stands above every tab of a task: what it is, how far it is, and what one can do with it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.http.routes.tasks import get_task
from api.wire.responses.base import API
from api.wire.responses.tasks import Task
from workflows.events import EventType
from workflows.states import Status, TaskType

# What streams is appended by scripts of its own, and changes nothing else of a page.
_STREAMED = frozenset(
    {
        *(EventType.STEP_OUTPUT, EventType.LLM_DELTA, EventType.LLM_RESTARTED),
        *(EventType.STEP_OUTPUT_CUT,),
    }
)
EVENTS = " ".join(each for each in EventType if each not in _STREAMED)


@dataclass(frozen=True, slots=True)
class Tab:
    """``key`` is what the template of the tab says in ``{% set tab %}``."""

    key: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class TaskHeader:
    """``live`` is the stream that tells of the task, None once it has ended. ``command`` and
    ``curl`` show the task elsewhere."""

    task: Task
    tabs: Sequence[Tab]
    live: str | None
    events: str
    command: str
    curl: str

    @property
    def path(self) -> str:
        return f"/tasks/{self.task.task_id}"

    def live_from(self, seq: int) -> str:
        """The stream from event ``seq`` on, for a tab that shows what streams."""
        return f"{API}/tasks/{self.task.task_id}/events?after={seq}"

    @property
    def is_own(self) -> bool:
        """Whether it is acted on by itself: nodes and exchanges go with what they belong to."""
        return self.task.type is not TaskType.EXCHANGE and self.task.parent_id is None

    @property
    def can_cancel(self) -> bool:
        return self.task.type is not TaskType.EXCHANGE and not self.task.status.is_final

    @property
    def can_pause(self) -> bool:
        return self.can_cancel and not self.can_resume

    @property
    def can_resume(self) -> bool:
        is_paused = self.task.status is Status.PAUSED or self.task.is_pausing
        return self.can_cancel and is_paused

    @property
    def can_tell(self) -> bool:
        return self.task.type is TaskType.AGENT and not self.task.status.is_final

    @property
    def can_retry(self) -> bool:
        return self.is_own and self.task.status.is_final

    @property
    def can_mend(self) -> bool:
        is_kind = self.task.type is TaskType.PIPELINE
        return is_kind and self.can_retry and self.task.status is not Status.COMPLETED

    @property
    def can_compile(self) -> bool:
        is_kind = self.task.type in {TaskType.AGENT, TaskType.PLAN}
        return is_kind and self.task.status is Status.COMPLETED

    @property
    def can_run_again(self) -> bool:
        return self.task.type is not TaskType.EXCHANGE


async def task_header(request: Request, task: Annotated[Task, Depends(get_task)]) -> TaskHeader:
    """The header of the task in the path, for a page that depends on it."""
    return header_of(request, task)


HeaderDep = Annotated[TaskHeader, Depends(task_header)]


def header_of(request: Request, task: Task) -> TaskHeader:
    options = request.app.state.services.options
    address = f"{options.public_url or str(request.base_url).rstrip('/')}{API}/tasks/{task.task_id}"
    key = '-H "Authorization: Bearer $AGENTOS_API_KEY" ' if options.keys_required else ""
    events = f"{API}/tasks/{task.task_id}/events?after={task.last_event}"
    return TaskHeader(
        task=task,
        tabs=_tabs(task),
        live=None if task.status.is_final else events,
        events=EVENTS,
        command=f"agentos show {task.task_id}",
        curl=f"curl -s {key}{shlex.quote(address)}",
    )


def _tabs(task: Task) -> Sequence[Tab]:
    path = f"/tasks/{task.task_id}"
    speaks = task.type is not TaskType.PIPELINE
    has_graph = task.type in {TaskType.PIPELINE, TaskType.PLAN}
    return (
        Tab("overview", "Overview", path),
        *((Tab("graph", "Graph", f"{path}/graph"),) if has_graph else ()),
        Tab("logs", "Logs", f"{path}/logs"),
        *((Tab("conversation", "Conversation", f"{path}/conversation"),) if speaks else ()),
        Tab("artifacts", "Artifacts", f"{path}/artifacts"),
        Tab("inputs", "Inputs", f"{path}/inputs"),
        Tab("comparison", "Compare", f"{path}/comparison"),
        Tab("raw", "Raw", f"{path}/raw"),
    )
