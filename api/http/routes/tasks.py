"""Tasks: submit, list, look at, cancel, pause, resume, retry, rerun."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.task_search import TaskFilter
from activities.store.reading.tasks import find_details, list_summaries
from api.dead_letters import views
from api.dead_letters.foresight import foresee
from api.errors import IdempotencyConflict, StateConflict, TooManyViewers
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.drafts import DRAFT, Sent
from api.http.idempotency import IdempotencyKey
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, Moment, cursor_text, parse_cursor
from api.http.routing import Routes
from api.http.task_ends import EndsDep, Wait
from api.services import Services
from api.tasks import control, deletion, submission
from api.tasks.drafts import Draft, check
from api.tasks.kinds.table import KINDS
from api.tasks.lookup import found
from api.tasks.rerun import check_rerun, rerun
from api.tasks.retry import retry_task
from api.tasks.views import Views
from api.wire.requests import RerunRequest, RetryRequest, Text
from api.wire.responses.checks import RerunCheck, TaskCheck
from api.wire.responses.dead_letters import Foresight
from api.wire.responses.pages import DEFAULT_PAGE, Page
from api.wire.responses.tasks import Accepted, Changed, Task, TaskSummary
from workflows.definitions.inputs import as_kept
from workflows.definitions.task_request import TaskRequest
from workflows.states import Status, TaskType

router = Routes(prefix="/tasks", tags=["tasks"])

# `GET /check` must not be taken for a call of a task of that name.
_ONE = "/{task_id:uuid}"

sent_task = Sent(TaskRequest)
_MANY_SUB_TASKS = frozenset(type_ for type_, kind in KINDS.items() if kind.has_many_sub_tasks)


@router.post(
    "", status_code=202, responses=refusals(IdempotencyConflict), operation_id="submitTask"
)
async def submit(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[TaskRequest, Depends(Body(TaskRequest))],
    idempotency_key: IdempotencyKey = None,
) -> Accepted:
    """Submit a task. Once accepted, it will run, even if Temporal cannot be reached right now."""
    submitted = await submission.submit(services, actor, wanted, idempotency_key)
    return _accepted(response, services, submitted)


@router.post("/check", openapi_extra={"requestBody": DRAFT})
async def check_task(
    services: ServicesDep,
    team_id: TeamDep,
    draft: Annotated[Draft[TaskRequest], Depends(sent_task)],
    idempotency_key: IdempotencyKey = None,
) -> TaskCheck:
    """Say what is wrong with a task, and where, or what it would run. Nothing is accepted.

    It takes what ``POST /tasks`` takes, and answers in one way, be that right or wrong.
    """
    return await check(services, team_id, draft, idempotency_key)


async def task_filter(
    *,
    status: Annotated[tuple[Status, ...], Query()] = (),
    type: Annotated[tuple[TaskType, ...], Query()] = (),  # noqa: A002  (its name in the query)
    text: Annotated[Text | None, Query(max_length=200)] = None,
    created_after: Moment | None = None,
    created_before: Moment | None = None,
    parent_id: UUID | None = None,
    schedule_id: UUID | None = None,
    retrying: Annotated[
        bool, Query(description="only those that try again something that has failed")
    ] = False,
    agent_id: Annotated[
        UUID | None, Query(description="the agent that stays which has begun them")
    ] = None,
    name: Annotated[Text | None, Query(max_length=200, description="the whole name")] = None,
    given: Annotated[
        Text | None, Query(max_length=200, description="a reference that is one of their inputs")
    ] = None,
) -> TaskFilter:
    """Which tasks a query asks for."""
    return TaskFilter(
        status,
        type,
        text,
        created_after,
        created_before,
        parent_id,
        schedule_id=schedule_id,
        is_retrying=retrying,
        agent_id=agent_id,
        name=name,
        given=given and as_kept(given),
    )


TaskFilterDep = Annotated[TaskFilter, Depends(task_filter)]


@router.get("")
async def list_tasks(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    wanted: TaskFilterDep,
    with_runs: Annotated[
        bool, Query(description="with the last runs of the same name that have ended")
    ] = False,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[TaskSummary]:
    """List tasks, newest first; the tasks that are nodes of a plan only by its ``parent_id``."""
    items, following = await list_summaries(
        services.database,
        team_id,
        wanted,
        parse_cursor(cursor),
        limit,
        only_open=_MANY_SUB_TASKS,
        with_runs=with_runs,
    )
    views = Views(services.options)
    return Page(items=list(map(views.summary, items)), next_cursor=cursor_text(following))


@router.get(_ONE, responses=refusals(TooManyViewers), operation_id="getTask")
async def show_task(
    task_id: UUID, services: ServicesDep, team_id: TeamDep, ends: EndsDep, wait: Wait = None
) -> Task:
    """Show a task with its steps, artifacts and result. With ``wait``, once it has ended, or as it
    is after so many seconds."""
    if wait:
        await ends.wait(task_id, wait)
    # What was awaited is true of the primary; a replica may not have it yet.
    return await _task(task_id, services, team_id, fresh=bool(wait))


async def get_task(task_id: UUID, services: ServicesDep, team_id: TeamDep) -> Task:
    """The same at once, for pages."""
    return await _task(task_id, services, team_id)


async def _task(task_id: UUID, services: Services, team_id: UUID, *, fresh: bool = False) -> Task:
    details = await find_details(services.database, team_id, task_id, fresh=fresh)
    return Views(services.options).task(found(details, task_id))


@router.delete(_ONE, status_code=204, responses=refusals(StateConflict))
async def delete_task(task_id: UUID, services: ServicesDep, actor: ActorDep) -> None:
    """Delete a task that has ended, with its nodes, logs, messages, events and artifacts."""
    await deletion.delete_task(services, actor, task_id)


@router.post(
    "/{task_id}/cancel",
    status_code=202,
    responses=refusals(StateConflict),
    operation_id="cancelTask",
)
async def cancel(task_id: UUID, services: ServicesDep, actor: ActorDep) -> Changed:
    """Cancel a task. Results of finished steps are kept."""
    return Changed(task_id=task_id, status=await control.cancel(services, actor, task_id))


@router.post(
    "/{task_id}/pause", status_code=202, responses=refusals(StateConflict), operation_id="pauseTask"
)
async def pause(task_id: UUID, services: ServicesDep, actor: ActorDep) -> Changed:
    """Pause a task before its next step or turn."""
    return Changed(task_id=task_id, status=await control.pause(services, actor, task_id))


@router.post(
    "/{task_id}/resume",
    status_code=202,
    responses=refusals(StateConflict),
    operation_id="resumeTask",
)
async def resume(task_id: UUID, services: ServicesDep, actor: ActorDep) -> Changed:
    """Resume a paused task."""
    return Changed(task_id=task_id, status=await control.resume(services, actor, task_id))


@router.post(
    "/{task_id}/retry",
    status_code=202,
    responses={**refusals(StateConflict), 200: {"model": Foresight}},
    operation_id="retryTask",
)
async def retry(
    task_id: UUID,
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[RetryRequest, Depends(Body(RetryRequest, default=RetryRequest()))],
) -> Changed | Foresight:
    """Retry a task that has ended, from one of its steps or calls on; or say what that would do."""
    if wanted.dry_run:
        response.status_code = 200
        return views.foresight(await foresee(services, actor.team_id, task_id, wanted))
    status = await retry_task(services, actor, task_id, wanted)
    return Changed(task_id=task_id, status=status)


@router.post(
    "/{task_id}/rerun",
    status_code=202,
    responses={**refusals(StateConflict, IdempotencyConflict), 200: {"model": RerunCheck}},
)
async def rerun_task(  # noqa: PLR0917  (what FastAPI gives)
    task_id: UUID,
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[RerunRequest, Depends(Body(RerunRequest, default=RerunRequest()))],
    idempotency_key: IdempotencyKey = None,
) -> Accepted | RerunCheck:
    """Submit a new task with the same definition, and with other inputs where they are given; or
    say what that would be."""
    if wanted.dry_run:
        response.status_code = 200
        return await check_rerun(services, actor.team_id, task_id, wanted, idempotency_key)
    submitted = await rerun(services, actor, task_id, wanted, idempotency_key)
    return _accepted(response, services, submitted)


def _accepted(response: Response, services: Services, submitted: submission.Submitted) -> Accepted:
    links = Views(services.options).links(submitted.task_id)
    response.headers["Location"] = links.self
    return Accepted(
        task_id=submitted.task_id,
        status=submitted.status,
        links=links,
        existed=submitted.existed,
    )
