"""The page of one agent that stays: the conversation, and what people say and do in it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Query, Request, Response

from activities.off_loop import off_loop
from activities.store.reading.task_search import TaskFilter
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.paging import CursorText
from api.http.routes.agent_messages import get_message, list_messages
from api.http.routes.agents import ONE, get_agent
from api.http.routes.approvals import list_waiting
from api.http.routes.task_history import artifacts as list_artifacts
from api.http.routes.task_history import messages as list_turn_messages
from api.http.routes.tasks import get_task, list_tasks
from api.residents import acts, messaging
from api.services import Services
from api.tasks import approvals
from api.web.agents.attachments import attachments_in, message_form
from api.web.agents.conversation import conversation_of
from api.web.agents.voices import said_to_agent
from api.web.arguments import arguments_of
from api.web.conversation import conversation_of as turn_of
from api.web.forms import key_of, text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.text.budget import Budget
from api.wire.agent_requests import MessageRequest
from api.wire.requests import ApprovalRequest
from api.wire.responses.agents import Agent, AgentMessage
from api.wire.responses.approvals import AskedCall
from api.wire.responses.files import Artifact
from api.wire.responses.history import Message
from api.wire.responses.pages import MAX_PAGE, Page
from api.wire.responses.tasks import Task, TaskSummary
from workflows.states import InboxKind

router = pages(prefix="/agents")

PAGE_MESSAGES = 30
_MAX_ASKED = 20
# Answers whose files are looked for, and files of each: the rest is below the fold.
_MAX_LOOKED_AT = 8
_MAX_FILES = 12

Found = Annotated[Agent, Depends(get_agent)]


@router.get(ONE)
async def chat_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    agent: Found,
    cursor: CursorText = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = PAGE_MESSAGES,
) -> Response:
    """What was said, the last page first, and what is being said."""
    page = await list_messages(agent.id, services, team_id, cursor, limit)
    # Of the turns that gave these replies: those that began before the last of them was said.
    before = page.items[-1].created_at if page.items and cursor else None
    turns = await list_tasks(
        services=services,
        team_id=team_id,
        wanted=TaskFilter(parent_id=agent.id, created_before=before),
        limit=min(2 * limit, MAX_PAGE),
    )
    files = await _files_of(services, team_id, page.items, turns.items)
    asked: list[AskedCall] = []
    if agent.task_id is not None and not cursor:
        waiting = await list_waiting(agent.task_id, services, team_id, limit=_MAX_ASKED)
        asked = waiting.items
    return render(
        request,
        "agents/chat.html",
        agent=agent,
        tab="chat",
        chat=await off_loop(conversation_of, agent, page, turns.items),
        files=files,
        is_newest=not cursor,
        asked=[(call, arguments_of(call.arguments, is_whole=False)) for call in asked],
        key=uuid4().hex,
    )


async def _files_of(
    services: Services,
    team_id: UUID,
    messages: Sequence[AgentMessage],
    turns: Sequence[TaskSummary],
) -> Mapping[UUID, Sequence[Artifact]]:
    """What was made on the way to the last answers, by their tasks."""
    made = {turn.task_id for turn in turns if turn.progress.done > 1}
    tasks = [
        message.task_id
        for message in reversed(messages)
        if message.kind == InboxKind.REPLY and message.task_id in made
    ][:_MAX_LOOKED_AT]
    found = await asyncio.gather(
        *(list_artifacts(task, services, team_id, limit=_MAX_FILES) for task in tasks if task)
    )
    return {task: page.items for task, page in zip(tasks, found, strict=True) if task}


@router.post(f"{ONE}/messages")
async def say(request: Request, agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Write to the agent."""
    async with message_form(request) as form:
        wanted = checked(
            MessageRequest,
            {
                "content": text_of(form, "content"),
                "mode": text_of(form, "mode") or "queue",
                "attachments": dict(await attachments_in(services, actor, form)),
            },
        )
        await messaging.send(services, actor, agent_id, wanted, key_of(form))
    return see_other(f"/agents/{agent_id}")


@router.get(f"{ONE}/messages/{{message_id:uuid}}")
async def message_page(
    request: Request, agent: Found, message: Annotated[AgentMessage, Depends(get_message)]
) -> Response:
    """One message, all of it."""
    sender = said_to_agent(agent, message, Budget()).sender
    return render(
        request, "agents/message.html", agent=agent, tab="chat", message=message, sender=sender
    )


@router.post(f"{ONE}/messages/{{message_id:uuid}}/withdraw")
async def withdraw(
    agent_id: UUID, message_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Take a message back that is not read yet."""
    await messaging.take_back(services, actor, agent_id, message_id)
    return see_other(f"/agents/{agent_id}")


@router.get(f"{ONE}/turns/{{task_id:uuid}}")
async def turn_page(
    request: Request,
    agent: Found,
    task: Annotated[Task, Depends(get_task)],
    messages: Annotated[Page[Message], Depends(list_turn_messages)],
) -> Response:
    """What the agent called, and spent, on the way to an answer."""
    return render(
        request,
        "agents/turn.html",
        agent=agent,
        tab="chat",
        task=task,
        said=await off_loop(turn_of, messages.items),
        has_more=messages.next_cursor is not None,
    )


@router.post(f"{ONE}/interrupt")
async def interrupt(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Cut the answer short."""
    await acts.interrupt(services, actor, agent_id)
    return see_other(f"/agents/{agent_id}")


@router.post(f"{ONE}/turns/{{task_id:uuid}}/approvals/{{call_id:uuid}}")
async def decide(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    agent_id: UUID,
    task_id: UUID,
    call_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
) -> Response:
    """Approve or deny a call, or answer a question."""
    form = await fields_of(request)
    wanted = checked(
        ApprovalRequest,
        {
            "decision": text_of(form, "decision"),
            "ask_id": text_of(form, "ask_id") or None,
            "note": text_of(form, "note").strip() or None,
        },
    )
    await approvals.decide(services, actor, task_id, str(call_id), wanted)
    return see_other(f"/agents/{agent_id}")
