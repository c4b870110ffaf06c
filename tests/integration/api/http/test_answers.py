"""The server says what its documents say, and not a word more: only clients take more than that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from api.wire.responses.base import Answer
from api.wire.responses.cache import KeptResult
from api.wire.responses.dead_letters import DeadLetter, DeadLetterGroup
from api.wire.responses.files import Artifact
from api.wire.responses.history import Attempt, Message, Span
from api.wire.responses.housekeeping import HousekeepingView
from api.wire.responses.pages import Page
from api.wire.responses.skills import Skill, SkillList
from api.wire.responses.tasks import Task, TaskSummary
from api.wire.responses.tools import Tool
from api.wire.responses.usage import TeamUsage
from api.wire.responses.webhooks import Delivery, Webhook
from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage, submit, working_agents
from tests.integration.api_stage import Stage

ANSWERS: dict[str, type[Answer]] = {
    "/tasks": Page[TaskSummary],
    "/tasks/{task_id}": Task,
    "/tasks/{task_id}/logs": Page[Attempt],
    "/tasks/{task_id}/trace": Span,
    "/tasks/{task_id}/messages": Page[Message],
    "/tasks/{task_id}/artifacts": Page[Artifact],
    "/tools": Page[Tool],
    "/skills": SkillList,
    "/skills/greet": Skill,
    "/usage": TeamUsage,
    "/cache": Page[KeptResult],
    "/dead-letters": Page[DeadLetter],
    "/dead-letters/groups": Page[DeadLetterGroup],
    "/webhooks": Page[Webhook],
    "/webhooks/deliveries": Page[Delivery],
    "/housekeeping": HousekeepingView,
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


async def _check(stage: Stage, task_id: str) -> None:
    for path, answer in ANSWERS.items():
        found = await stage.http.get(path.format(task_id=task_id))
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
