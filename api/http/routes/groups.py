"""Groups of agents that stay: make, list, look at, change, delete, and who is in them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.groups import list_groups
from api.groups import service
from api.groups.errors import GroupNameTaken, TooManyGroups, TooManyMembers
from api.groups.views import group_url, show_groups
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.wire.group_requests import (
    GroupChangeRequest,
    GroupRequest,
    Member,
    MembersRequest,
)
from api.wire.requests import Text
from api.wire.responses.groups import Group
from api.wire.responses.pages import DEFAULT_PAGE, Page
from workflows.definitions.group import MAX_GROUP_NAME_CHARACTERS, MAX_MEMBERS

router = Routes(prefix="/groups", tags=["groups"])


@router.post("", status_code=201, responses=refusals(GroupNameTaken, TooManyGroups, TooManyMembers))
async def create_group(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[GroupRequest, Depends(Body(GroupRequest))],
) -> Group:
    """Make a group of agents."""
    made = await service.create(services, actor, wanted)
    response.headers["Location"] = group_url(services, made.id)
    [shown] = await show_groups(services, [made])
    return shown


@router.get("", operation_id="listGroups")
async def list_all(  # noqa: PLR0917  (what FastAPI gives)
    services: ServicesDep,
    team_id: TeamDep,
    name: Annotated[Text | None, Query(max_length=MAX_GROUP_NAME_CHARACTERS)] = None,
    member_id: UUID | None = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Group]:
    """List groups, newest first. ``member_id`` is an agent that is in all of them."""
    found, following = await list_groups(
        services.database,
        team_id,
        parse_cursor(cursor),
        limit,
        name=name,
        member_id=member_id,
    )
    items = await show_groups(services, found)
    return Page(items=items, next_cursor=cursor_text(following))


@router.get("/{group_id}")
async def get_group(group_id: UUID, services: ServicesDep, team_id: TeamDep) -> Group:
    """Show a group, its members and their turns."""
    [shown] = await show_groups(services, [await service.load_group(services, team_id, group_id)])
    return shown


@router.patch("/{group_id}", responses=refusals(GroupNameTaken))
async def change_group(
    group_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[GroupChangeRequest, Depends(Body(GroupChangeRequest))],
) -> Group:
    """Change a group. A discussion that goes on follows from its next round on."""
    [shown] = await show_groups(services, [await service.change(services, actor, group_id, wanted)])
    return shown


@router.delete("/{group_id}", status_code=204)
async def delete_group(group_id: UUID, services: ServicesDep, actor: ActorDep) -> None:
    """Delete a group with all that was said in it. Its members stay, and keep what they read."""
    await service.delete(services, actor, group_id)


@router.post(
    "/{group_id}/members", responses=refusals(TooManyMembers), operation_id="addGroupMembers"
)
async def add_members(
    group_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[MembersRequest, Depends(Body(MembersRequest))],
) -> Group:
    """Let agents into a group. They are given what is said from then on."""
    [shown] = await show_groups(services, [await service.add(services, actor, group_id, wanted)])
    return shown


@router.delete("/{group_id}/members", operation_id="removeGroupMembers")
async def remove_members(
    group_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    member: Annotated[
        tuple[Member, ...],
        Query(min_length=1, max_length=MAX_MEMBERS, description="names or ids"),
    ],
) -> Group:
    """Let members of a group go. What one is about to say is not posted any more."""
    [shown] = await show_groups(services, [await service.remove(services, actor, group_id, member)])
    return shown
