"""The step, call, turn or node of a task that is looked at: ``?step=`` names it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query
from markupsafe import Markup

from api.errors import PlanMissing
from api.http.routes.task_history import logs
from api.services import Services
from api.tasks.plan_views import plan_of_task
from api.web.drawing.graph import Node, nodes_of_pipeline, nodes_of_plan
from api.web.drawing.timeline import find_span
from api.web.text.ansi import ansi
from api.wire.requests import Text
from api.wire.responses.history import Attempt, Span
from api.wire.responses.pages import MAX_PAGE
from api.wire.responses.plans import PlanNode, PlanOfTask
from api.wire.responses.tasks import SubTask, Task
from workflows.states import Status, TaskType

MAX_ATTEMPTS = 10
OUTPUT_CHARACTERS = 4_000
_ENDED_BADLY = frozenset({Status.FAILED, Status.BLOCKED})

StepKey = Annotated[Text | None, Query(max_length=400)]


@dataclass(frozen=True, slots=True)
class Printed:
    """An attempt with the end of what it printed."""

    attempt: Attempt
    text: Markup
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """``sub_task`` is None for a turn, and for what is within the task of a node."""

    key: str
    span: Span | None
    sub_task: SubTask | None
    node: PlanNode | None
    attempts: Sequence[Printed]

    @property
    def name(self) -> str:
        title = self.node.title if self.node else ""
        return title or self.key.rpartition("/")[2]

    @property
    def query(self) -> str:
        return urlencode({"step": self.key}, errors="replace")

    @property
    def retry_query(self) -> str | None:
        """How a retry names it. A turn is no place to begin."""
        is_place = self.sub_task is not None or (self.span and self.span.kind != "turn")
        return urlencode({"from": self.key}, errors="replace") if is_place else None


def first_key(task: Task) -> str | None:
    """What is looked at unless somebody says otherwise: what went wrong, or waits for a person."""
    wanted = Status.WAITING if task.status is Status.WAITING else None
    for each in reversed(task.sub_tasks):
        if each.status is wanted or (wanted is None and each.status in _ENDED_BADLY):
            return each.name if task.status is not Status.COMPLETED else None
    return None


async def selection_of(
    services: Services, team_id: UUID, task: Task, root: Span, plan: PlanOfTask | None, *, key: str
) -> Selection:
    """Whatever has this name; there may be nothing, as when a task was retried since."""
    sub_task = next((each for each in task.sub_tasks if key in {each.name, str(each.id)}), None)
    node = next((each for each in plan.nodes if each.id == key), None) if plan else None
    attempts: Sequence[Printed] = ()
    if sub_task is not None and sub_task.task_id is None:
        attempts = await _attempts(services, team_id, task, sub_task)
    return Selection(key, find_span(root, key), sub_task, node, attempts)


async def _attempts(
    services: Services, team_id: UUID, task: Task, sub_task: SubTask
) -> Sequence[Printed]:
    """The last ones, the newest first."""
    page = await logs(
        task_id=task.task_id,
        services=services,
        team_id=team_id,
        step=str(sub_task.id),
        limit=MAX_PAGE,
    )
    return [_printed(attempt) for attempt in page.items[: -MAX_ATTEMPTS - 1 : -1]]


def _printed(attempt: Attempt) -> Printed:
    """What was printed, errors after the rest."""
    printed = (attempt.stdout.rstrip("\n"), attempt.stderr.rstrip("\n"))
    text = "\n".join(filter(None, printed))
    return Printed(attempt, ansi(text[-OUTPUT_CHARACTERS:]), len(text) > OUTPUT_CHARACTERS)


async def plan_of(services: Services, team_id: UUID, task: Task) -> PlanOfTask | None:
    if task.type is not TaskType.PLAN:
        return None
    try:
        return await plan_of_task(services, team_id, task.task_id)
    except PlanMissing:  # It was of another type a moment ago.
        return None


def graph_of(task: Task, plan: PlanOfTask | None) -> Sequence[Node]:
    """The nodes of a plan or the steps of a pipeline; others have no graph."""
    if plan is not None:
        return nodes_of_plan(plan)
    return nodes_of_pipeline(task.sub_tasks) if task.type is TaskType.PIPELINE else ()
