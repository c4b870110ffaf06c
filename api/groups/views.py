"""Groups of the store as the answers of the API."""

from collections.abc import Sequence
from typing import Any

from activities.store.reading.groups import (
    StoredGroup,
    StoredGroupMessage,
    StoredMember,
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
    Member,
)
from workflows.discussions import Silence


async def show_groups(services: Services, found: Sequence[StoredGroup]) -> list[Group]:
    members = await find_members(services.database, [group.id for group in found])
    return [show_group(services, group, members[group.id]) for group in found]


def show_group(services: Services, found: StoredGroup, members: Sequence[StoredMember]) -> Group:
    this = group_url(services, found.id)
    links = GroupLinks(self=this, messages=f"{this}/messages", events=f"{this}/events")
    return Group(**group_fields(found, members), links=links)


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
    if message.reason is not None:
        sender = SYSTEM
    else:
        sender = USER if message.from_agent_id is None else str(message.from_agent_id)
    return GroupMessage(
        id=message.id,
        seq=message.seq,
        group_id=message.group_id,
        thread_id=message.thread_id,
        round=message.round,
        sender=sender,
        from_name=message.from_name,
        content=message.content,
        attachments=dict(message.attachments or {}),
        reason=None if message.reason is None else Silence(message.reason),
        task_id=message.exchange_id,
        created_at=message.created_at,
    )


def group_url(services: Services, group_id: object) -> str:
    return f"{services.options.public_url}{API}/groups/{group_id}"
