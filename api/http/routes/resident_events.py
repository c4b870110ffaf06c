"""Live events of agents that stay: of one, and of all of a team."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from api.errors import HeaderMalformed, TooManyViewers
from api.http import resident_stream
from api.http.dependencies import (
    FeedsDep,
    InboxesDep,
    KeyDigestDep,
    KeyWatchDep,
    ServicesDep,
    TeamDep,
    TeamFeedsDep,
    ViewersDep,
    admitted,
)
from api.http.event_stream import EventStream, LastEventId
from api.http.openapi import refusals, stream_of
from api.http.resident_stream import Place
from api.http.routing import Routes

router = Routes(prefix="/agents", tags=["agents"])

_OF_ONE = stream_of(
    "AgentEvent",
    "`message`: a row of the inbox, as `GET /agents/{agent_id}/messages` has it. `agent`: what has "
    "changed of its state. `agent.deleted`: the last event. All others are events of the task in "
    "which it answers, with its `task_id`: see `GET /tasks/{task_id}/events`.",
)
_OF_TEAM = stream_of(
    "TeamEvent",
    "`resync`: list the agents anew. `agent`: one that has changed. `agent.deleted`: one that is "
    "no longer there.",
)


@router.get(
    "/events",
    status_code=200,
    response_class=EventStream,
    dependencies=[Depends(admitted)],
    responses={**_OF_TEAM, **refusals(TooManyViewers)},
    operation_id="streamTeamEvents",
)
async def team_events(
    feeds: TeamFeedsDep, team_id: TeamDep, keys: KeyWatchDep, key_digest: KeyDigestDep
) -> EventStream:
    """Stream what changes of the team's agents. What they write is in the events of each."""
    return EventStream(resident_stream.follow_team(feeds, team_id), keys, key_digest)


async def _place(
    *,
    agent_id: UUID,
    services: ServicesDep,
    viewers: ViewersDep,
    team_id: TeamDep,
    last_event_id: LastEventId = None,
    after: Annotated[
        str | None, Query(max_length=60, description="The id of an event of this agent.")
    ] = None,
) -> Place:
    seen = resident_stream.parse_position(last_event_id, after)
    async with viewers.entrance:
        return await resident_stream.find_place(services.database, team_id, agent_id, seen)


@router.get(
    "/{agent_id:uuid}/events",
    status_code=200,
    response_class=EventStream,
    # First of all: to refuse somebody costs no query.
    dependencies=[Depends(admitted)],
    responses={**_OF_ONE, **refusals(HeaderMalformed, TooManyViewers)},
    operation_id="streamAgentEvents",
)
async def agent_events(
    *,
    services: ServicesDep,
    feeds: FeedsDep,
    inboxes: InboxesDep,
    place: Annotated[Place, Depends(_place)],
    keys: KeyWatchDep,
    key_digest: KeyDigestDep,
) -> EventStream:
    """Stream an agent's messages, states and the answer that it writes, until it is deleted.

    It begins now, with the whole of the present answer; with ``Last-Event-ID`` or ``after`` where
    that event was, but sends no events again of answers that are complete.
    """
    following = resident_stream.follow(services.database, feeds, inboxes, place)
    return EventStream(following, keys, key_digest)
