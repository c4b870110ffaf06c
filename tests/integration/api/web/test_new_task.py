"""The form of a new task over HTTP: what it begins with, what it takes, and what bounds it."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.llm.base import ModelOptions
from api.web.new_task import beginnings
from deploy.local.services import Services
from tests.integration.agent_stage import MODELS
from tests.integration.api_stage import Stage, api_stage

SKILLS = Path(__file__).parents[4] / "skills"
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
async def stage(infrastructure: Services) -> AsyncIterator[Stage]:
    """An API with the skills that come along, and a model."""
    async with api_stage(infrastructure, SKILLS, models=MODELS, works=False) as stage:
        yield stage


async def _get(stage: Stage, **query: str) -> str:
    answer = await stage.http.get(f"{stage.url}/tasks/new", params=query, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return answer.text


async def _post(stage: Stage, *more: tuple[str, str], **fields: str) -> httpx.Response:
    given = [("key", uuid4().hex), *fields.items(), *more]
    parts = [(name, (None, value)) for name, value in given]
    return await stage.http.post(f"{stage.url}/tasks/new", files=parts, headers=PAGE)


async def _made(stage: Stage, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 303, answer.text
    return await stage.task(answer.headers["Location"].rpartition("/")[2])


def _pipeline_in(page: str) -> str:
    found = re.search(r'<textarea id="pipeline".*?>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


async def _problems(stage: Stage, text: str) -> list[str]:
    body = {"type": "pipeline", "pipeline": text}
    checked = (await stage.http.post("/tasks/check", json=body)).json()
    return [each["message"] for each in checked["problems"] if each["pointer"] != "/inputs"]


@pytest.mark.parametrize("name", sorted(each.name for each in SKILLS.iterdir() if each.is_dir()))
async def test_a_skill_gives_a_pipeline_that_lacks_only_its_input(stage: Stage, name: str) -> None:
    assert await _problems(stage, _pipeline_in(await _get(stage, skill=name))) == []


@pytest.mark.parametrize("name", beginnings.EXAMPLES)
async def test_every_example_lacks_at_most_its_inputs(stage: Stage, name: str) -> None:
    assert await _problems(stage, _pipeline_in(await _get(stage, example=name))) == []


async def test_an_agent_is_begun_with_all_that_was_filled_in(stage: Stage) -> None:
    answer = await _post(
        stage,
        ("agent.skills", "csv-clean"),
        ("agent.skills", "chart"),
        type="agent",
        prompt="Clean it.\r\nThen draw it.",
        skills_of="chosen",
        tools_of="all",
        priority="9",
        cache="false",
        **{
            "agent.profile.name": "Ann",
            "agent.limits.turns": "7",
            "agent.output_schema": "{type: object}",
            "more": "output_files: [chart.png]",
        },
    )
    task = await _made(stage, answer)
    assert (task["type"], task["prompt"]) == ("agent", "Clean it.\nThen draw it.")
    assert task["priority"] == 9
    assert task["definition"] == {
        "profile": {"name": "Ann"},
        "skills": ["csv-clean", "chart"],
        "output_schema": {"type": "object"},
        "output_files": ["chart.png"],
        "limits": {"turns": 7},
    }
    again = await _get(stage, **{"from": task["task_id"]})
    assert 'value="csv-clean" checked' in again
    assert "output_files" in again


async def test_a_plan_and_a_prompt_alone_are_begun(stage: Stage) -> None:
    plan = {"plan.max_nodes": "3", "plan.approve": "true", "plan.atomicity": "relaxed"}
    task = await _made(stage, await _post(stage, type="plan", prompt="Do it.", **plan))
    assert task["definition"] == {"max_nodes": 3, "approve": True, "atomicity": "relaxed"}
    task = await _made(stage, await _post(stage, type="auto", prompt="Do it."))
    assert task["type"] == "auto"


async def test_files_that_come_with_a_prompt_are_its_inputs(stage: Stage) -> None:
    parts: list[tuple[str, Any]] = [
        ("type", (None, "auto")),
        ("prompt", (None, "Look.")),
        ("inputs.0.name", (None, "mine")),
        ("inputs.0.ref", (None, "")),
        ("inputs.0.file", ("a.csv", b"a")),
        ("files", ("2026 sales.csv", b"b")),
        ("files", ("2026 sales.csv", b"c")),
        ("files", ("", b"")),
    ]
    answer = await stage.http.post(f"{stage.url}/tasks/new", files=parts, headers=PAGE)
    task = await _made(stage, answer)
    assert list(task["inputs"]) == ["mine", "_2026_sales_csv", "_2026_sales_csv_2"]


async def test_what_is_checked_only_is_not_begun(stage: Stage) -> None:
    before = (await stage.http.get("/tasks", params={"limit": 1})).json()["items"]
    answer = await _post(stage, type="auto", prompt="Do it.", act="check")
    assert answer.status_code == 200
    assert "It is right as it stands" in answer.text
    assert (await stage.http.get("/tasks", params={"limit": 1})).json()["items"] == before


async def test_what_is_wrong_with_an_agent_stands_beside_its_field(stage: Stage) -> None:
    answer = await _post(
        stage,
        ("agent.tools", "no_such"),
        type="agent",
        prompt="x",
        tools_of="chosen",
        **{"agent.limits.turns": "0", "agent.output_schema": "[1"},
    )
    assert answer.status_code == 422
    assert 'id="agent.output_schema-problem"' in answer.text
    answer = await _post(
        stage, ("agent.tools", "no_such"), type="agent", prompt="x", tools_of="chosen"
    )
    assert "there is no tool named" in answer.text
    assert 'value="no_such" checked' in answer.text


async def test_a_form_of_fields_alone_is_bounded(stage: Stage) -> None:
    large = await _post(stage, type="auto", prompt="x" * 4_300_000)
    assert large.status_code == 400
    assert "more than 4 MiB" in large.text
    plain = await stage.http.post(f"{stage.url}/tasks/new", data={"type": "auto"}, headers=PAGE)
    assert plain.status_code == 415


async def test_a_beginning_that_is_not_there_says_so(stage: Stage) -> None:
    for query in ({"skill": "none"}, {"example": "none"}, {"from": str(uuid4())}):
        answer = await stage.http.get(f"{stage.url}/tasks/new", params=query, headers=PAGE)
        assert answer.status_code == 404, query


async def test_only_a_server_without_a_model_says_that_there_is_none(
    infrastructure: Services, stage: Stage
) -> None:
    said = "No model is configured"
    assert said not in await _get(stage, type="agent")
    first = ModelOptions(base_url="http://127.0.0.1:9/v1")  # It names its models itself.
    for models, is_said in ((first, False), (None, True)):
        async with api_stage(infrastructure, SKILLS, models=models, works=False) as other:
            assert (said in await _get(other, type="agent")) is is_said
