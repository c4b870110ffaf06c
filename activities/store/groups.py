"""Groups of agents that stay, and who is in them: made, changed and deleted."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.group_rows import locked_group, locked_members, tell_viewers
from activities.store.group_turns import go_on_without
from activities.store.tables import Group, GroupMember
from activities.store.team_lock import lock_team
from workflows.definitions.group import MAX_MEMBERS, GroupLimits
from workflows.states import GroupMode

MAX_GROUPS = 1_000


class Unwritten(Enum):
    """Why a group was not made or changed."""

    GONE = auto()
    NAME_TAKEN = auto()
    TOO_MANY = auto()  # The team has ``MAX_GROUPS``.
    TOO_MANY_MEMBERS = auto()


@dataclass(frozen=True, slots=True)
class UnknownMembers:
    """Names or ids that are none of an agent of the team that is not terminated."""

    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewGroup:
    """``members`` are ids or names of agents, and ``answering`` those of them that answer where it
    is moderated. ``made_by`` is the agent that makes it."""

    id: UUID
    name: str
    mode: GroupMode
    limits: GroupLimits
    members: Sequence[str]
    answering: Sequence[str] = ()
    made_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class GroupChange:
    """None stays as it is. ``answering`` are those members that answer from now on."""

    name: str | None = None
    mode: GroupMode | None = None
    limits: GroupLimits | None = None
    answering: Sequence[str] | None = None


Trouble = Unwritten | UnknownMembers


async def create_group(database: Database, actor: Actor, new: NewGroup) -> Trouble | None:
    """Write a group down; one of the same id stays as it is."""
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        if await connection.scalar(select(col(Group.id)).where(col(Group.id) == new.id)):
            return None
        if await _has_name(connection, actor.team_id, new.name):
            return Unwritten.NAME_TAKEN
        counted = select(func.count()).where(col(Group.team_id) == actor.team_id)
        if (await connection.scalar(counted) or 0) >= MAX_GROUPS:
            return Unwritten.TOO_MANY
        members = await find_agents(connection, actor.team_id, (*new.members, *new.answering))
        if isinstance(members, UnknownMembers):
            return members
        if len(set(members.values())) > MAX_MEMBERS:
            return Unwritten.TOO_MANY_MEMBERS
        await connection.execute(
            insert(Group).values(
                id=new.id,
                team_id=actor.team_id,
                name=new.name,
                mode=new.mode,
                limits=new.limits.model_dump(mode="json"),
                made_by=new.made_by,
                message_seq=0,
                delivered_seq=0,
                round=0,
            )
        )
        answering = {members[name] for name in new.answering}
        await _add(connection, actor.team_id, new.id, set(members.values()), answering)
        await audit.note(connection, actor, Deed("group.created", str(new.id)))
    return None


async def change_group(
    database: Database, actor: Actor, group_id: UUID, change: GroupChange
) -> Trouble | None:
    """Change a group. A discussion that goes on does so by the new rules from its next round on."""
    given = {"name": change.name, "mode": change.mode}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if change.limits is not None:
        values["limits"] = change.limits.model_dump(mode="json")
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        group = await locked_group(connection, group_id, actor.team_id)
        if group is None:
            return Unwritten.GONE
        if change.name not in (None, group.name) and await _has_name(
            connection, actor.team_id, str(change.name)
        ):
            return Unwritten.NAME_TAKEN
        if change.answering is not None:
            trouble = await _set_answering(connection, actor.team_id, group_id, change.answering)
            if trouble is not None:
                return trouble
        if values:
            changed = update(Group).where(col(Group.id) == group_id)
            await connection.execute(changed.values(**values))
        await tell_viewers(connection, group_id)
        fields = {*values, *(["answering"] if change.answering is not None else [])}
        deed = Deed("group.changed", str(group_id), details={"fields": [*sorted(fields)]})
        await audit.note(connection, actor, deed)
    return None


async def add_members(
    database: Database,
    actor: Actor,
    group_id: UUID,
    names: Sequence[str],
    answering: Collection[str] = (),
) -> Trouble | None:
    """Let agents into a group. They are given what is said from now on."""
    async with database.writing() as connection:
        group = await locked_group(connection, group_id, actor.team_id)
        if group is None:
            return Unwritten.GONE
        found = await find_agents(connection, actor.team_id, (*names, *answering))
        if isinstance(found, UnknownMembers):
            return found
        present = await _members(connection, group_id)
        new = set(found.values()) - present
        if len(present | new) > MAX_MEMBERS:
            return Unwritten.TOO_MANY_MEMBERS
        if new:
            answers = {found[name] for name in answering}
            await _add(connection, actor.team_id, group_id, new, answers)
            await _note_members(connection, actor, group_id, "group.members_added", new)
    return None


async def remove_members(
    database: Database, actor: Actor, group_id: UUID, names: Sequence[str]
) -> Trouble | None:
    """Let agents go. Whose turn was due has missed it; what one answers still is not posted."""
    async with database.writing() as connection:
        group = await locked_group(connection, group_id, actor.team_id)
        if group is None:
            return Unwritten.GONE
        found = await find_agents(connection, actor.team_id, names, within=group_id)
        if isinstance(found, UnknownMembers):
            return found
        gone = set(found.values())
        await connection.execute(
            delete(GroupMember).where(
                col(GroupMember.group_id) == group_id, col(GroupMember.agent_id).in_(gone)
            )
        )
        await _note_members(connection, actor, group_id, "group.members_removed", gone)
        await go_on_without(connection, group_id)
    return None


async def delete_group(database: Database, actor: Actor, group_id: UUID) -> bool:
    """Delete a group with all that was said in it. What its members have read of it they keep, and
    what they have not begun to read wakes them no more. False when there is none."""
    async with database.writing() as connection:
        group = await locked_group(connection, group_id, actor.team_id)
        if group is None:
            return False
        members = await locked_members(connection, group)
        values = {"group_id": group_id, "agent_ids": [member.id for member in members]}
        await connection.execute(_QUENCH, values)
        await tell_viewers(connection, group_id)
        await connection.execute(delete(Group).where(col(Group.id) == group_id))
        await audit.note(connection, actor, Deed("group.deleted", str(group_id)))
    return True


async def find_agents(
    connection: AsyncConnection,
    team_id: UUID,
    names: Sequence[str],
    *,
    within: UUID | None = None,
) -> Mapping[str, UUID] | UnknownMembers:
    """The agents that are meant by their names or ids; only members of a group where one is named,
    terminated ones, too."""
    values: dict[str, Any] = {"team_id": team_id, "names": [*set(names)], "group_id": within}
    values["given_ids"], values["ids"] = _ids_among(names)
    found = {row.given: row.id for row in await connection.execute(_FIND_AGENTS, values)}
    unknown = [name for name in dict.fromkeys(names) if name not in found]
    return UnknownMembers(unknown) if unknown else found


def _ids_among(names: Collection[str]) -> tuple[list[str], list[UUID]]:
    """What may be an id, as it was given and as that."""
    found: dict[str, UUID] = {}
    for name in names:
        with suppress(ValueError):
            agent_id = UUID(name)
            if str(agent_id) == name.lower():
                found[name] = agent_id
    return [*found], [*found.values()]


async def _has_name(connection: AsyncConnection, team_id: UUID, name: str) -> bool:
    taken = select(col(Group.id)).where(col(Group.team_id) == team_id, col(Group.name) == name)
    return await connection.scalar(taken) is not None


async def _members(connection: AsyncConnection, group_id: UUID) -> set[UUID]:
    found = select(col(GroupMember.agent_id)).where(col(GroupMember.group_id) == group_id)
    return set(await connection.scalars(found))


async def _add(
    connection: AsyncConnection,
    team_id: UUID,
    group_id: UUID,
    agents: Collection[UUID],
    answering: Collection[UUID],
) -> None:
    rows = [
        {
            "group_id": group_id,
            "agent_id": agent_id,
            "team_id": team_id,
            "answers": agent_id in answering,
        }
        for agent_id in sorted(agents)
    ]
    if rows:
        await connection.execute(insert(GroupMember), rows)


async def _set_answering(
    connection: AsyncConnection, team_id: UUID, group_id: UUID, names: Sequence[str]
) -> UnknownMembers | None:
    found = await find_agents(connection, team_id, names, within=group_id)
    if isinstance(found, UnknownMembers):
        return found
    await connection.execute(
        update(GroupMember)
        .where(col(GroupMember.group_id) == group_id)
        .values(answers=col(GroupMember.agent_id).in_(found.values()))
    )
    return None


async def _note_members(
    connection: AsyncConnection, actor: Actor, group_id: UUID, action: str, who: Collection[UUID]
) -> None:
    await tell_viewers(connection, group_id)
    members: list[JsonValue] = [*sorted(map(str, who))]
    await audit.note(connection, actor, Deed(action, str(group_id), details={"members": members}))


_FIND_AGENTS = text(
    """
    -- Each through an index of its own: the group is locked meanwhile.
    WITH found AS (
        SELECT given.name AS given, agents.id
        FROM unnest(CAST(:names AS text[])) AS given (name)
        JOIN agents ON agents.team_id = :team_id AND agents.name = given.name
            AND agents.deleted_at IS NULL
        UNION
        SELECT given.name, given.id
        FROM unnest(CAST(:given_ids AS text[]), CAST(:ids AS uuid[])) AS given (name, id)
    )
    SELECT found.given, agents.id
    FROM found
    JOIN agents ON agents.id = found.id
        AND agents.team_id = :team_id AND agents.deleted_at IS NULL
    WHERE CASE WHEN CAST(:group_id AS uuid) IS NULL THEN agents.terminated_at IS NULL
          ELSE EXISTS (
              SELECT FROM group_members
              WHERE group_members.group_id = :group_id AND group_members.agent_id = agents.id
          ) END
    """
)

_QUENCH = text(
    """
    UPDATE inbox SET read_at = now()
    WHERE agent_id = ANY(CAST(:agent_ids AS uuid[])) AND read_at IS NULL
      AND group_id = :group_id AND exchange_id IS NULL
    """
)
