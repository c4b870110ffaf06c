"""Groups of the store as the answers of the API."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from activities.store.reading.groups import LastWords as StoredLastWords
from activities.store.reading.groups import (
    StoredGroup,
    StoredGroupMessage,
    StoredMember,
    find_last_words,
    find_members,
)
from api.services import Services
from api.wire.responses.agents import SYSTEM, USER
from api.wire.responses.base import API
from api.wire.responses.groups import (
    Group,
    GroupGlance,
    GroupLinks,
    GroupMessage,
    LastWords,
    Member,
)
from workflows.discussions import Silence


async def show_groups(services: Services, found: Sequence[StoredGroup]) -> list[Group]:
    ids = [group.id for group in found]
    members = await find_members(services.database, ids)
    last = await find_last_words(services.database, ids)
    return [show_group(services, group, members[group.id], last.get(group.id)) for group in found]


def show_group(
    services: Services,
    found: StoredGroup,
    members: Sequence[StoredMember],
    last: StoredLastWords | None,
) -> Group:
    this = group_url(services, found.id)
    links = GroupLinks(self=this, messages=f"{this}/messages", events=f"{this}/events")
    said = None if last is None else _last_words(last)
    return Group(**group_fields(found, members), last_message=said, links=links)


def _last_words(found: StoredLastWords) -> LastWords:
    return LastWords(
        sender=_sender(found.from_agent_id, found.reason),
        from_name=found.from_name,
        content=found.content,
        reason=None if found.reason is None else Silence(found.reason),
        created_at=found.created_at,
    )


def group_fields(found: StoredGroup, members: Sequence[StoredMember]) -> dict[str, Any]:
    """All but the links, as JSON."""
    shown = GroupGlance(
        id=found.id,
        name=found.name,
        mode=found.mode,
        limits=found.limits,
        members=[
            Member(
                id=member.agent_id,
                name=member.name,
                state=member.state,
                answers=member.answers,
                turn=member.turn,
            )
            for member in members
        ],
        thread_id=found.thread_id,
        round=found.round,
        message_seq=found.message_seq,
        made_by=found.made_by,
        created_at=found.created_at,
    )
    return shown.model_dump(mode="json")


def show_group_message(message: StoredGroupMessage) -> GroupMessage:
    return GroupMessage(
        id=message.id,
        seq=message.seq,
        group_id=message.group_id,
        thread_id=message.thread_id,
        round=message.round,
        sender=_sender(message.from_agent_id, message.reason),
        from_name=message.from_name,
        content=message.content,
        attachments=dict(message.attachments or {}),
        reason=None if message.reason is None else Silence(message.reason),
        task_id=message.exchange_id,
        created_at=message.created_at,
    )


def _sender(agent_id: UUID | None, reason: str | None) -> str:
    if reason is not None:
        return SYSTEM
    return USER if agent_id is None else str(agent_id)


def group_url(services: Services, group_id: object) -> str:
    return f"{services.options.public_url}{API}/groups/{group_id}"
