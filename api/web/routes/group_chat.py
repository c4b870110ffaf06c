"""The page of one group: what was said, who speaks, and what people do."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Query, Request, Response

from activities.off_loop import off_loop
from api.groups import service
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.paging import CursorText
from api.http.routes.group_messages import list_messages
from api.http.routes.groups import get_group
from api.services import Services
from api.web.agents.attachments import attachments_in, message_form
from api.web.agents.group_fields import (
    GroupValues,
    changed_group,
    values_of_form,
    values_of_group,
)
from api.web.agents.voices import Said, said_in_group, voices_of
from api.web.forms import key_of, text_of, texts_of
from api.web.page import fields_of, pages, render, see_other
from api.web.refusals import NOTHING, Refusal, Refused, refusal_of
from api.web.routes.groups import present_agents
from api.web.text.budget import Budget
from api.wire.group_requests import GroupChangeRequest, GroupMessageRequest, MembersRequest
from api.wire.responses.groups import Group, GroupMessage
from api.wire.responses.pages import MAX_PAGE, Page

router = pages(prefix="/groups")

ONE = "/{group_id:uuid}"
PAGE_MESSAGES = 50

Found = Annotated[Group, Depends(get_group)]


@router.get(ONE)
async def group_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    group: Found,
    cursor: CursorText = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = PAGE_MESSAGES,
) -> Response:
    """What was said, the last page first."""
    page: Page[GroupMessage] = await list_messages(group.id, services, team_id, cursor, limit)
    return render(
        request,
        "groups/chat.html",
        group=group,
        voices=_voices(group),
        tab="chat",
        said=await off_loop(_said, page.items),
        older=page.next_cursor,
        last_seq=page.items[-1].seq if page.items else 0,
        is_newest=not cursor,
        key=uuid4().hex,
    )


@router.post(f"{ONE}/messages")
async def say(request: Request, group_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Say something to all members."""
    async with message_form(request) as form:
        content = text_of(form, "content")
        attachments = await attachments_in(services, actor, form)
        wanted = checked(
            GroupMessageRequest, {"content": content, "attachments": dict(attachments)}
        )
        await service.post(services, actor, group_id, wanted, key_of(form))
    return see_other(f"/groups/{group_id}")


@router.get(f"{ONE}/settings")
async def settings_page(
    request: Request, services: ServicesDep, team_id: TeamDep, group: Found
) -> Response:
    """Show its members, mode and limits, to be changed."""
    return await _form(request, services, team_id, group, values_of_group(group), NOTHING)


@router.post(f"{ONE}/settings")
async def change(
    request: Request, group: Found, services: ServicesDep, actor: ActorDep
) -> Response:
    """Change it, from the next round on."""
    form = await fields_of(request)
    try:
        wanted = checked(GroupChangeRequest, changed_group(form))
        await service.change(services, actor, group.id, wanted)
    except Refused as error:
        values = values_of_form(form)
        return await _form(request, services, actor.team_id, group, values, refusal_of(error))
    return see_other(f"/groups/{group.id}/settings")


@router.post(f"{ONE}/members")
async def add(request: Request, group_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Let agents in."""
    form = await fields_of(request)
    wanted = checked(MembersRequest, {"members": list(texts_of(form, "members"))})
    await service.add(services, actor, group_id, wanted)
    return see_other(f"/groups/{group_id}/settings")


@router.post(f"{ONE}/members/{{agent_id:uuid}}/remove")
async def remove(
    group_id: UUID, agent_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Let a member go."""
    await service.remove(services, actor, group_id, [str(agent_id)])
    return see_other(f"/groups/{group_id}/settings")


@router.get(f"{ONE}/delete")
async def delete_page(request: Request, group: Found) -> Response:
    """Say what will be gone."""
    return render(request, "groups/delete.html", group=group, voices=_voices(group), tab="settings")


@router.post(f"{ONE}/delete")
async def delete(group_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Delete it with all that was said in it."""
    await service.delete(services, actor, group_id)
    return see_other("/groups")


def _voices(group: Group) -> Mapping[str, int]:
    return voices_of(member.id for member in group.members)


def _said(messages: Sequence[GroupMessage]) -> Sequence[Said]:
    budget = Budget()
    return [said_in_group(message, budget) for message in messages]


async def _form(  # noqa: PLR0917
    request: Request,
    services: Services,
    team_id: UUID,
    group: Group,
    values: GroupValues,
    refusal: Refusal,
) -> Response:
    present = await present_agents(services, team_id)
    members = {member.id for member in group.members}
    return render(
        request,
        "groups/settings.html",
        status=refusal.status,
        group=group,
        voices=_voices(group),
        tab="settings",
        values=values,
        refusal=refusal,
        others=[agent for agent in present if agent.id not in members],
    )
