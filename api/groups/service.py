"""What people do with groups of agents that stay."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

from activities.inputs.errors import InputsGone
from activities.residents.checking import at_attachments, problems_with_attachments
from activities.store import groups
from activities.store.audit import Actor
from activities.store.group_messages import (
    NewGroupMessage,
    PostedToGroup,
    Unposted,
    post_to_group,
)
from activities.store.groups import (
    MAX_GROUPS,
    GroupChange,
    NewGroup,
    Trouble,
    UnknownMembers,
    Unwritten,
)
from activities.store.reading.groups import (
    StoredGroup,
    StoredGroupMessage,
    find_group,
    find_silence,
    is_posted,
)
from api.errors import IdempotencyConflict, InvalidRequest, NotFound
from api.groups.errors import GroupNameTaken, TooManyGroups, TooManyMembers
from api.http.notifications import Notifications
from api.residents.defining import digest_of
from api.residents.telling import Word, tell_soon
from api.services import Services
from api.wire.group_requests import (
    GroupChangeRequest,
    GroupMessageRequest,
    GroupRequest,
    MembersRequest,
)
from workflows.definitions.group import MAX_MEMBERS
from workflows.pointers import Problem, pointer

# A discussion rings all the time.
_LEAST_PAUSE_SECONDS = 0.05
# A notification may be lost.
_LONGEST_PAUSE_SECONDS = 5.0


async def create(services: Services, actor: Actor, request: GroupRequest) -> StoredGroup:
    """Make a group.

    Raises:
        InvalidRequest: a member is unknown.
        GroupNameTaken, TooManyGroups, TooManyMembers
    """
    new = NewGroup(
        id=uuid4(),
        name=request.name,
        mode=request.mode,
        limits=request.limits,
        members=request.members,
        answering=request.answering,
    )
    trouble = await groups.create_group(services.database, actor, new)
    _check(trouble, new.id, request, request.name)
    return await load_group(services, actor.team_id, new.id)


async def change(
    services: Services, actor: Actor, group_id: UUID, request: GroupChangeRequest
) -> StoredGroup:
    """Change a group, from the next round on.

    Raises:
        NotFound, GroupNameTaken
        InvalidRequest: one that is to answer is no member.
    """
    change = GroupChange(request.name, request.mode, request.limits, request.answering)
    trouble = await groups.change_group(services.database, actor, group_id, change)
    _check(trouble, group_id, request, request.name)
    return await load_group(services, actor.team_id, group_id)


async def add(
    services: Services, actor: Actor, group_id: UUID, request: MembersRequest
) -> StoredGroup:
    """Let agents in.

    Raises:
        NotFound, TooManyMembers
        InvalidRequest: one is unknown.
    """
    trouble = await groups.add_members(
        services.database, actor, group_id, request.members, request.answering
    )
    _check(trouble, group_id, request)
    return await load_group(services, actor.team_id, group_id)


async def remove(
    services: Services, actor: Actor, group_id: UUID, members: Sequence[str]
) -> StoredGroup:
    """Let members go.

    Raises:
        NotFound
        InvalidRequest: one is no member.
    """
    trouble = await groups.remove_members(services.database, actor, group_id, members)
    _check(trouble, group_id, None)
    return await load_group(services, actor.team_id, group_id)


async def delete(services: Services, actor: Actor, group_id: UUID) -> None:
    """Delete a group with what was said in it. Raises ``NotFound``."""
    if not await groups.delete_group(services.database, actor, group_id):
        raise no_group(group_id)


async def post(
    services: Services,
    actor: Actor,
    group_id: UUID,
    request: GroupMessageRequest,
    key: str | None,
) -> PostedToGroup:
    """Say something to all members, and tell them. It will be read, even if Temporal cannot be
    reached right now; a repeat with the same key changes nothing.

    Raises:
        NotFound
        InvalidRequest: with what is wrong with attachments.
        IdempotencyConflict: the key was used for another message.
    """
    await load_group(services, actor.team_id, group_id)
    client_key = None if key is None else f"client:{key}"
    # What was fine when it was accepted may be gone now: that makes no repeat wrong.
    if client_key is None or not await is_posted(services.database, group_id, client_key):
        problems = await problems_with_attachments(
            services.installed, actor.team_id, request.attachments
        )
        if problems:
            raise InvalidRequest(problems)
    message = NewGroupMessage(
        group_id=group_id,
        team_id=actor.team_id,
        id=uuid4(),
        content=request.content,
        from_name=actor.name.partition(" (ak_")[0],  # As a person has called the key.
        attachments=request.attachments,
        tells=True,
        client_key=client_key,
        request_digest=None if key is None else digest_of(request),
    )
    try:
        posted = await post_to_group(services.database, message)
    except InputsGone as gone:
        raise InvalidRequest(at_attachments(gone.problems)) from gone
    if isinstance(posted, PostedToGroup):
        team_id = actor.team_id
        words = (Word(each.agent_id, team_id, each.name, each.seq) for each in posted.woken)
        await tell_soon(services, *words)
        return posted
    if posted is Unposted.KEY_TAKEN:
        raise IdempotencyConflict(key=key)
    raise no_group(group_id)


async def wait_for_silence(
    services: Services, bells: Notifications, group_id: UUID, thread_id: UUID, seconds: float
) -> StoredGroupMessage | None:
    """What says why the discussion has ended; None when it goes on after so many seconds."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    with bells.listening(group_id) as bell:
        while True:
            found = await find_silence(services.database, thread_id)
            left = until - clock()
            if found is not None or left <= 0 or bells.closing:
                return found
            await asyncio.sleep(min(left, _LEAST_PAUSE_SECONDS))
            await bell.wait(max(0.0, min(until - clock(), _LONGEST_PAUSE_SECONDS)))


async def load_group(services: Services, team_id: UUID, group_id: UUID) -> StoredGroup:
    """Raises ``NotFound``."""
    found = await find_group(services.database, team_id, group_id)
    if found is None:
        raise no_group(group_id)
    return found


def no_group(group_id: UUID) -> NotFound:
    return NotFound(kind="group", id=group_id)


def _check(
    trouble: Trouble | None,
    group_id: UUID,
    request: GroupRequest | GroupChangeRequest | MembersRequest | None,
    name: str | None = None,
) -> None:
    """Raise what is in the way, if anything is."""
    match trouble:
        case None:
            return
        case UnknownMembers(names):
            raise InvalidRequest(_unknown(request, names))
        case Unwritten.GONE:
            raise no_group(group_id)
        case Unwritten.NAME_TAKEN:
            raise GroupNameTaken(name=name)
        case Unwritten.TOO_MANY:
            raise TooManyGroups(most=MAX_GROUPS)
        case Unwritten.TOO_MANY_MEMBERS:
            raise TooManyMembers(most=MAX_MEMBERS)


def _unknown(
    request: GroupRequest | GroupChangeRequest | MembersRequest | None, unknown: Sequence[str]
) -> list[Problem]:
    """Each where it was named."""
    if request is None:
        return [Problem("", f"query member: there is no member {name}") for name in unknown]
    is_joining = not isinstance(request, GroupChangeRequest)
    what = "agent" if is_joining else "member"
    given = request.model_dump(include={"members", "answering"})
    return [
        Problem(pointer((field, place)), f"there is no {what} {name}")
        for field, names in given.items()
        for place, name in enumerate(names or ())
        if name in unknown
    ]
