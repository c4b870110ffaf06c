"""What happened within a task: logs, trace, messages, artifacts, events."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.artifacts import all_artifacts, list_artifacts
from activities.store.reading.attempts import list_attempts
from activities.store.reading.messages import list_messages
from activities.store.reading.traces import find_trace
from api.errors import HeaderMalformed, StepNotFound, TooManyViewers
from api.http import task_stream
from api.http.archives import archive_of, export_of
from api.http.dependencies import (
    FeedsDep,
    KeyDigestDep,
    KeyWatchDep,
    ServicesDep,
    TeamDep,
    ViewersDep,
    admitted,
)
from api.http.downloads import send_archive
from api.http.event_stream import EventStream, LastEventId, parse_position
from api.http.openapi import ARCHIVE, refusals, stream_of
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor, parse_number
from api.http.routing import Routes
from api.http.task_stream import Position
from api.tasks import history
from api.tasks.exporting import exported
from api.tasks.lookup import check_step, check_task, found
from api.tasks.tracing import spans
from api.tasks.views import Views
from api.wire.requests import Text
from api.wire.responses.files import Artifact
from api.wire.responses.history import Attempt, Message, Span
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(prefix="/tasks/{task_id}", tags=["history"])


@router.get("/logs", responses=refusals(StepNotFound), operation_id="listTaskLogs")
async def logs(
    *,
    task_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    step: Annotated[Text | None, Query(max_length=100)] = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Attempt]:
    """List every attempt with all its output, oldest first. A page may be shorter than asked."""
    await check_task(services.database, team_id, task_id)
    items, following = await list_attempts(
        services.database, team_id, task_id, parse_cursor(cursor), limit, step=step
    )
    if step is not None and not items:
        await check_step(services.database, task_id, step)
    return Page(items=list(map(history.attempt, items)), next_cursor=cursor_text(following))


@router.get("/trace", operation_id="getTaskTrace")
async def trace(task_id: UUID, services: ServicesDep, team_id: TeamDep) -> Span:
    """Show the task, its steps or turns, their attempts, and nodes as spans of time."""
    return spans(found(await find_trace(services.database, team_id, task_id), task_id))


@router.get("/messages", operation_id="listTaskMessages")
async def messages(
    task_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Message]:
    """List the messages of an agent's conversation, oldest first. A pipeline has none.

    A page may be shorter than asked.
    """
    await check_task(services.database, team_id, task_id)
    items, last = await list_messages(
        services.database, team_id, task_id, parse_number(cursor), limit
    )
    following = None if last is None else str(last)
    return Page(items=list(map(history.message, items)), next_cursor=following)


@router.get("/artifacts", operation_id="listTaskArtifacts")
async def artifacts(
    task_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Artifact]:
    """List the files that the steps made, oldest first."""
    await check_task(services.database, team_id, task_id)
    items, following = await list_artifacts(
        services.database, team_id, task_id, parse_cursor(cursor), limit
    )
    views = Views(services.options)
    return Page(items=list(map(views.artifact, items)), next_cursor=cursor_text(following))


@router.get(
    "/artifacts.zip",
    response_class=Response,
    responses=ARCHIVE,
    operation_id="downloadTaskArtifacts",
)
async def artifacts_archive(task_id: UUID, services: ServicesDep, team_id: TeamDep) -> Response:
    """Download all files that the steps made, as one zip that is made while it is sent."""
    await check_task(services.database, team_id, task_id)
    found = all_artifacts(services.database, team_id, task_id)
    chunks = archive_of(services.blobs, team_id, found)
    return await send_archive(chunks, f"artifacts-{str(task_id)[:8]}.zip")


@router.get("/export", response_class=Response, responses=ARCHIVE, operation_id="exportTask")
async def export(task_id: UUID, services: ServicesDep, team_id: TeamDep) -> Response:
    """Download all that is known of a task as one zip, which is made while it is sent.

    It holds ``task.json``, ``pipeline.yaml`` of a pipeline, ``inputs.json``, ``trace.json``,
    ``logs.jsonl``, ``messages.jsonl``, and the folders ``inputs``, ``artifacts`` and ``nodes``.
    """
    await check_task(services.database, team_id, task_id)
    chunks = export_of(services.blobs, team_id, exported(services, team_id, task_id))
    return await send_archive(chunks, f"task-{str(task_id)[:8]}.zip")


async def _position(
    *,
    task_id: UUID,
    services: ServicesDep,
    viewers: ViewersDep,
    team_id: TeamDep,
    last_event_id: LastEventId = None,
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> Position:
    seq = parse_position(last_event_id, after)
    async with viewers.entrance:
        return await task_stream.find_position(services.database, team_id, task_id, seq)


@router.get(
    "/events",
    status_code=200,
    response_class=EventStream,
    # First of all: to refuse somebody costs no query.
    dependencies=[Depends(admitted)],
    responses={
        **stream_of(
            "TaskEvent",
            "Events as they happen, numbered within the task, each with the time at which it was "
            "written.",
        ),
        204: {"description": "The task has ended; nothing is left to send."},
        **refusals(HeaderMalformed, TooManyViewers),
    },
    operation_id="streamTaskEvents",
)
async def events(
    services: ServicesDep,
    feeds: FeedsDep,
    position: Annotated[Position, Depends(_position)],
    keys: KeyWatchDep,
    key_digest: KeyDigestDep,
) -> EventStream:
    """Stream events, from ``Last-Event-ID`` or ``after`` on, until the task ends.

    A client that has seen them all gets 204, which tells a browser not to reconnect.
    """
    following = task_stream.follow(services.database, feeds, position)
    return EventStream(following, keys, key_digest)
