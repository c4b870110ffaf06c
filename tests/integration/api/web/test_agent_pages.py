"""Pages of agents that stay and of groups: whose they are, what they take, how long they are."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from activities.store.keys import DEFAULT_TEAM
from deploy.local.services import Services
from tests.integration.agent_stage import MODELS
from tests.integration.api_stage import Stage, api_stage

_PAGES = (
    *("", "/memory", "/children", "/reminders", "/groups", "/settings", "/terminate", "/delete"),
)
_ACTS = (
    *("/messages", "/notes", "/reminders", "/settings", "/pause", "/resume", "/restart"),
    *("/interrupt", "/terminate", "/delete"),
)
# All fields of all forms that have to be there.
_FORM = {"content": "Hello", "text": "Hello", "every": "1d", "name": "stolen"}


@pytest.fixture(scope="module")
async def stage(
    infrastructure: Services, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """An API that has a model, and nobody who asks it."""
    folder = tmp_path_factory.mktemp("skills")
    async with api_stage(infrastructure, folder, models=MODELS, works=False) as stage:
        yield stage


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever runs the stack, without scripts."""
    async with httpx.AsyncClient(
        base_url=stage.url, headers={"Accept": "text/html"}, timeout=30
    ) as client:
        yield client


async def _other(stage: Stage) -> httpx.AsyncClient:
    """A person of another team."""
    team = await stage.team()
    team.headers["Accept"] = "text/html"
    team.base_url = httpx.URL(stage.url)
    return team


async def _agent(stage: Stage) -> str:
    answer = await stage.http.post("/agents", json={"name": f"clerk-{uuid4().hex[:8]}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_pages_of_an_agent_are_those_of_its_team_alone(
    stage: Stage, browser: httpx.AsyncClient
) -> None:
    agent_id = await _agent(stage)
    other = await _other(stage)
    for page in _PAGES:
        path = f"/agents/{agent_id}{page}"
        assert (await browser.get(path)).status_code == 200, path
        assert (await other.get(path)).status_code == 404, path
    for act in _ACTS:
        path = f"/agents/{agent_id}{act}"
        assert (await other.post(path, data=_FORM)).status_code == 404, path
    shown = (await stage.http.get(f"/agents/{agent_id}")).json()
    assert (shown["state"], shown["unread"]) == ("idle", 0)
    assert shown["name"] != "stolen"


async def test_pages_of_a_group_are_those_of_its_team_alone(
    stage: Stage, browser: httpx.AsyncClient
) -> None:
    body = {"name": f"crew-{uuid4()}", "members": [await _agent(stage)]}
    group = (await stage.http.post("/groups", json=body)).json()
    other = await _other(stage)
    for page in ("", "/settings", "/delete"):
        path = f"/groups/{group['id']}{page}"
        assert (await browser.get(path)).status_code == 200, path
        assert (await other.get(path)).status_code == 404, path
    member = group["members"][0]["id"]
    for act in ("/messages", "/settings", "/members", f"/members/{member}/remove", "/delete"):
        path = f"/groups/{group['id']}{act}"
        assert (await other.post(path, data=_FORM)).status_code == 404, path
    assert (await stage.http.get(f"/groups/{group['id']}")).json()["name"] == body["name"]


async def test_a_message_that_a_browser_sends_twice_is_one(
    stage: Stage, browser: httpx.AsyncClient
) -> None:
    agent_id = await _agent(stage)
    form = {"content": "Hello\r\nagain", "key": uuid4().hex}
    for _ in range(2):
        answer = await browser.post(f"/agents/{agent_id}/messages", data=form)
        assert answer.status_code == 303
    items = (await stage.http.get(f"/agents/{agent_id}/messages")).json()["items"]
    assert [item["content"] for item in items if item["kind"] == "message"] == ["Hello\nagain"]


async def test_what_is_no_message_is_refused_as_a_page(
    stage: Stage, browser: httpx.AsyncClient
) -> None:
    path = f"/agents/{await _agent(stage)}/messages"
    odd = (
        {"content": " "},
        {"content": "x" * 100_001},
        {"content": "a\0b"},
        {"content": "Hello", "mode": "shout"},
        {"content": "Hello", "attached": "name=javascript:alert(1)"},
    )
    for form in odd:
        answer = await browser.post(path, data=form)
        assert answer.status_code == 422, form
        assert answer.headers["content-type"].startswith("text/html")


async def test_a_long_conversation_comes_a_page_at_a_time_and_soon(
    stage: Stage, browser: httpx.AsyncClient
) -> None:
    agent_id = await _agent(stage)
    await stage.execute(
        "INSERT INTO inbox (id, agent_id, team_id, seq, kind, from_name, to_name, content,"
        " attachments, mode, hops, round, is_interrupted, read_at)"
        " SELECT gen_random_uuid(), CAST(:id AS uuid), CAST(:team AS uuid), number, 'message', '',"
        " '', repeat('word ', 200) || number, '{}', 'queue', 0, 0, false, now()"
        " FROM generate_series(1, 5000) AS number",
        id=agent_id,
        team=str(DEFAULT_TEAM),
    )
    await stage.execute(
        "UPDATE agents SET message_seq = 5000 WHERE id = CAST(:id AS uuid)", id=agent_id
    )
    answer = await browser.get(f"/agents/{agent_id}")
    assert answer.text.count("<article") == 31  # And the one that is being said.
    assert len(answer.content) < 150_000
    assert f"/agents/{agent_id}?cursor=4971" in answer.text
    earlier = await browser.get(f"/agents/{agent_id}?cursor=4971")
    assert "word 4970" in earlier.text
