"""The server says what its documents say, and not a word more: only clients take more than that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from activities.store.agent_templates import StoredTemplate, put_template
from activities.store.new_residents import Made, NewResident, create_resident
from api.wire.responses.about import About
from api.wire.responses.agent_memory import Note, Summary
from api.wire.responses.agents import Agent, AgentMessage, AgentTemplate, TemplateList
from api.wire.responses.approvals import WaitingCall, WaitingCount
from api.wire.responses.audit import AuditEntry
from api.wire.responses.base import Answer
from api.wire.responses.breakers import Breaker
from api.wire.responses.bulk import BulkRun
from api.wire.responses.cache import KeptResult
from api.wire.responses.dead_letters import DeadLetter, DeadLetterGroup
from api.wire.responses.files import Artifact, ListedFile
from api.wire.responses.groups import Group, GroupMessage
from api.wire.responses.history import Attempt, Message, Span, ToldMessage
from api.wire.responses.housekeeping import HousekeepingView
from api.wire.responses.keys import ApiKey
from api.wire.responses.limits import LimitList
from api.wire.responses.pages import Page
from api.wire.responses.reminders import Reminder
from api.wire.responses.schedules import Schedule, ScheduleSummary
from api.wire.responses.skills import Skill, SkillList, SkillText
from api.wire.responses.tasks import Task, TaskSummary
from api.wire.responses.tools import Tool
from api.wire.responses.usage import TeamUsage
from api.wire.responses.webhooks import Delivery, Webhook
from deploy.local.services import Services
from tests.actors import SOMEBODY
from tests.integration.agent_stage import agent_stage, submit, working_agents
from tests.integration.api_stage import Stage, pipeline
from tests.integration.residents import Residents

ANSWERS: dict[str, type[Answer]] = {
    "/tasks": Page[TaskSummary],
    "/tasks/{task_id}": Task,
    "/tasks/{task_id}/logs": Page[Attempt],
    "/tasks/{task_id}/trace": Span,
    "/tasks/{task_id}/messages": Page[Message],
    "/tasks/{task_id}/messages/unread": Page[ToldMessage],
    "/tasks/{task_id}/artifacts": Page[Artifact],
    "/approvals": Page[WaitingCall],
    "/approvals/count": WaitingCount,
    "/files": Page[ListedFile],
    "/tools": Page[Tool],
    "/breakers": Page[Breaker],
    "/skills": SkillList,
    "/skills/greet": Skill,
    "/skills/greet/files/SKILL.md": SkillText,
    "/limits": LimitList,
    "/usage": TeamUsage,
    "/about": About,
    "/keys": Page[ApiKey],
    "/cache": Page[KeptResult],
    "/audit": Page[AuditEntry],
    "/bulk": Page[BulkRun],
    "/dead-letters": Page[DeadLetter],
    "/dead-letters/groups": Page[DeadLetterGroup],
    "/webhooks": Page[Webhook],
    "/webhooks/deliveries": Page[Delivery],
    "/housekeeping": HousekeepingView,
    "/schedules": Page[ScheduleSummary],
    "/schedules/{schedule_id}": Schedule,
    "/agents": Page[Agent],
    "/agents/{agent_id}": Agent,
    "/agents/{agent_id}/children": Page[Agent],
    "/agents/{agent_id}/messages": Page[AgentMessage],
    "/agents/{agent_id}/notes": Page[Note],
    "/agents/{agent_id}/summaries": Page[Summary],
    "/agents/{agent_id}/messages/{message_id}": AgentMessage,
    "/agents/{agent_id}/reminders": Page[Reminder],
    "/groups": Page[Group],
    "/groups/{group_id}": Group,
    "/groups/{group_id}/messages": Page[GroupMessage],
    "/agent-templates": TemplateList,
    "/agent-templates/{template}": AgentTemplate,
}


def _extras(value: Any, at: str = "") -> Iterator[str]:
    """The names of fields that no document has."""
    if isinstance(value, BaseModel):
        yield from (f"{at}/{name}" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from _extras(getattr(value, name), f"{at}/{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _extras(item, at)


async def _residents(stage: Stage) -> dict[str, str]:
    """An agent that stays with a child, a message and its reply, and a template. Without a model
    none would be accepted, so they are written down themselves."""
    residents, agent_id = Residents(stage, stage.http), uuid4()
    for key, parent in ((agent_id, None), (uuid4(), agent_id)):
        new = NewResident(id=key, name=f"answers {key}", definition={}, parent_id=parent)
        assert isinstance(await create_resident(stage.database, SOMEBODY, new, most=100), Made)
    sent = await residents.send(str(agent_id))
    await residents.reply(str(agent_id), "Yes.")
    said = {"text": "water", "every": "1h"}
    assert (await stage.http.post(f"/agents/{agent_id}/reminders", json=said)).is_success
    template = StoredTemplate("answers", "", {})
    await put_template(stage.database, SOMEBODY, template)
    body = {"name": f"answers {uuid4()}", "members": [str(agent_id)]}
    group_id = (await stage.http.post("/groups", json=body)).json()["id"]
    await stage.http.post(f"/groups/{group_id}/messages", json={"content": "Hello"})
    return {
        "agent_id": str(agent_id),
        "message_id": sent["id"],
        "template": template.name,
        "group_id": group_id,
    }


async def _check(stage: Stage, task_id: str) -> None:
    await stage.http.post("/dead-letters/requeue", json={"filter": {"text": "no such letter"}})
    body = {
        "name": f"answers-{uuid4()}",
        "cron": "0 * * * *",
        "task": {"pipeline": pipeline("print x")},
    }
    schedule_id = (await stage.http.post("/schedules", json=body)).json()["id"]
    known = {"task_id": task_id, "schedule_id": schedule_id, **await _residents(stage)}
    for path, answer in ANSWERS.items():
        found = await stage.http.get(path.format(**known))
        assert list(_extras(answer.model_validate_json(found.content))) == [], path


async def test_a_pipeline_is_reported_with_the_fields_that_are_documented(stage: Stage) -> None:
    task_id = await stage.submit("print {}\nfile a.txt x", "fail")
    await stage.until(task_id, "failed")
    await _check(stage, task_id)


async def test_an_agent_is_told_with_the_fields_that_are_documented(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with agent_stage(infrastructure, skills_folder) as stage, working_agents(stage):
        task_id = await submit(stage, "call a; ask b", "finish x")
        await stage.until(task_id, "waiting")
        await _check(stage, task_id)


def test_a_field_that_is_not_documented_is_found() -> None:
    page = Page[TeamUsage].model_validate(
        {"items": [{"daily_tokens": 1, "tokens_left": 1, "days": [], "new": 1}], "total": 1}
    )
    assert list(_extras(page)) == ["/total", "/items/new"]
