"""What is said in groups, and their live events."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.groups import list_group_messages, read_discussion
from api.errors import HeaderMalformed, IdempotencyConflict, TooManyViewers
from api.groups import service
from api.groups.views import show_group_message
from api.http import group_stream
from api.http.bodies import Body
from api.http.dependencies import (
    ActorDep,
    GroupFeedsDep,
    KeyDigestDep,
    KeyWatchDep,
    NotificationsDep,
    ServicesDep,
    TeamDep,
    ViewersDep,
    admitted,
)
from api.http.event_stream import EventStream, LastEventId, parse_position
from api.http.group_stream import GroupPlace
from api.http.idempotency import IdempotencyKey
from api.http.openapi import refusals, stream_of
from api.http.paging import CursorText, Limit, parse_number
from api.http.routing import Routes
from api.wire.group_requests import MAX_GROUP_WAIT_SECONDS, GroupMessageRequest
from api.wire.responses.groups import Discussion, GroupMessage, GroupMessagePosted
from api.wire.responses.pages import DEFAULT_PAGE, Page
from workflows.discussions import Silence

router = Routes(prefix="/groups/{group_id}", tags=["groups"])

Wait = Annotated[
    int | None,
    Query(
        ge=0,
        le=MAX_GROUP_WAIT_SECONDS,
        description="how many seconds to wait until the group has fallen silent",
    ),
]

_EVENTS = stream_of(
    "GroupEvent",
    "`message`: what was said, as `GET /groups/{group_id}/messages` has it; its `seq` is the id. "
    "`group`: the group with its members and their turns has changed, as `GET /groups/{group_id}` "
    "has it, but for links. `group.deleted`: the last event.",
)


@router.post(
    "/messages",
    status_code=202,
    responses={
        **refusals(IdempotencyConflict, TooManyViewers),
        200: {"model": Discussion},
    },
    operation_id="postGroupMessage",
)
async def post_message(  # noqa: PLR0917  (what FastAPI gives)
    group_id: UUID,
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    notifications: NotificationsDep,
    viewers: ViewersDep,
    wanted: Annotated[GroupMessageRequest, Depends(Body(GroupMessageRequest))],
    idempotency_key: IdempotencyKey = None,
    wait: Wait = None,
) -> Discussion | GroupMessagePosted:
    """Say something to all members. With ``wait`` the answer is 200 with all that was said, if the
    group falls silent in time."""
    if not wait:
        posted = await service.post(services, actor, group_id, wanted, idempotency_key)
        return GroupMessagePosted(id=posted.id, seq=posted.seq)
    with viewers.admitted(actor.team_id):  # Before anything is written.
        posted = await service.post(services, actor, group_id, wanted, idempotency_key)
        silence = await service.wait_for_silence(services, notifications, group_id, posted.id, wait)
    if silence is None:
        return GroupMessagePosted(id=posted.id, seq=posted.seq)
    response.status_code = 200
    said = await read_discussion(services.database, posted.id)
    return Discussion(
        id=posted.id,
        seq=posted.seq,
        reason=Silence(silence.reason or Silence.QUIET),
        messages=list(map(show_group_message, said)),
    )


@router.get("/messages", operation_id="listGroupMessages")
async def list_messages(
    group_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[GroupMessage]:
    """List what was said, the last of it first of all: the next page is what was before that. A
    page is in the order in which it was said, and may be shorter than asked."""
    before = None if cursor is None else parse_number(cursor)
    await service.load_group(services, team_id, group_id)
    items, following = await list_group_messages(services.database, group_id, before, limit)
    shown = list(map(show_group_message, items))
    return Page(items=shown, next_cursor=None if following is None else str(following))


async def _place(
    *,
    group_id: UUID,
    services: ServicesDep,
    viewers: ViewersDep,
    team_id: TeamDep,
    last_event_id: LastEventId = None,
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> GroupPlace:
    is_new = after is None and not last_event_id
    seq = None if is_new else parse_position(last_event_id, after)
    async with viewers.entrance:
        group = await service.load_group(services, team_id, group_id)
    last_seq = group.message_seq
    return GroupPlace(group_id, last_seq if seq is None else min(seq, last_seq), last_seq)


@router.get(
    "/events",
    status_code=200,
    response_class=EventStream,
    # First of all: to refuse somebody costs no query.
    dependencies=[Depends(admitted)],
    responses={**_EVENTS, **refusals(HeaderMalformed, TooManyViewers)},
    operation_id="streamGroupEvents",
)
async def events(
    services: ServicesDep,
    feeds: GroupFeedsDep,
    place: Annotated[GroupPlace, Depends(_place)],
    keys: KeyWatchDep,
    key_digest: KeyDigestDep,
) -> EventStream:
    """Stream what is said in a group from now on, or from ``Last-Event-ID`` or ``after`` on, and
    how the group is, until it is deleted."""
    return EventStream(group_stream.follow(services.database, feeds, place), keys, key_digest)
