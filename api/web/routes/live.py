"""What pages that list things listen to: which kinds of a team's things have changed."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from activities.store.reading.changes import Topic
from api.http.changes import Changes
from api.http.dependencies import (
    KeyDigestDep,
    KeyWatchDep,
    NotificationsDep,
    TeamDep,
    admitted,
)
from api.http.event_stream import RETRY, EventStream
from api.http.notifications import Notifications
from api.web.page import pages
from api.web.standing import TOPIC

router = pages()


async def _changes(request: Request) -> Changes:
    changes: Changes = request.app.state.changes
    return changes


@router.get("/live", dependencies=[Depends(admitted)])
async def live(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    team_id: TeamDep,
    changes: Annotated[Changes, Depends(_changes)],
    notifications: NotificationsDep,
    keys: KeyWatchDep,
    key_digest: KeyDigestDep,
    since: Annotated[int, Query(ge=0)] = 0,
) -> EventStream:
    """Send ``changed`` with the topics, and a comment when there was nothing for a while.

    ``since`` is what the page was drawn at: what has changed between that and now, nobody has told
    it.
    """
    heartbeat_seconds = request.app.state.services.options.heartbeat_seconds
    events = _events(changes, notifications, team_id, heartbeat_seconds, since)
    return EventStream(events, keys, key_digest)


async def _events(
    changes: Changes,
    notifications: Notifications,
    team_id: UUID,
    heartbeat_seconds: float,
    since: int,
) -> AsyncGenerator[bytes, None]:
    with changes.viewed(team_id) as viewer:
        yield RETRY
        if since != changes.count:
            viewer.tell({*Topic, TOPIC})
        while not notifications.closing:
            if await viewer.bell.wait(heartbeat_seconds):
                if topics := viewer.take():
                    yield format_sse_event(event="changed", data_str=" ".join(topics))
            else:
                yield KEEPALIVE_COMMENT
