"""Every page there is: whose it is, and what browsers are told with it."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from api.http.paths import DOCS
from api.web import routes
from api.web.headers import DOCS_POLICY, PAGE_HEADERS
from api.web.static_files import ROOT
from deploy.local.services import Services
from tests.integration.api.possessions import NO_CALL, possessions_of
from tests.integration.api_stage import Stage, api_stage
from workflows.discovery import modules_of

_HTML = {"Accept": "text/html"}
_FIELD = re.compile(r"{(\w+?)(?:_id)?(?::\w+)?}")
_OTHERS = {"name": "x", "action": "requeue"}
# What an action wants to know before it asks whose the thing is.
_SAID: Mapping[str, Mapping[str, str]] = {
    "/agents/{agent_id:uuid}/messages": {"content": "Hello"},
    "/tasks/{task_id:uuid}/messages": {"content": "Hello"},
    "/agents/{agent_id:uuid}/notes": {"text": "Tea."},
    "/agents/{agent_id:uuid}/reminders": {"text": "water", "after": "1h"},
    "/agents/{agent_id:uuid}/turns/{task_id:uuid}/approvals/{call_id:uuid}": {"decision": "deny"},
    "/bulk/{bulk_id:uuid}/abort": {"note": "x"},
    "/dead-letters/{letter_id:uuid}/discard": {"note": "x"},
    "/groups/{group_id:uuid}/members": {"members": "x"},
    "/groups/{group_id:uuid}/messages": {"content": "Hello"},
    "/waiting/{task_id}/{call_id}": {"decision": "deny"},
}
# What other pages begin with, or are about.
_QUERIES = (
    "/tasks/new?from={task}",
    "/schedules/new?from={task}",
    "/agents?parent_id={agent}",
)
_FILTERS = (
    "/?schedule_id={schedule}",
    "/?parent_id={agent}",
    "/?agent_id={agent}",
    "/audit?target={task}",
    "/dead-letters?task_id={task}",
    "/waiting?task_id={task}",
    "/waiting?call_id={call}",
    "/webhooks/deliveries?task_id={task}",
)
# Not pages: a stream, and what is told of a file that is shown in a frame.
_NO_PAGES = (
    "/live",
    "/artifacts/{artifact_id:uuid}/frame",
    "/artifacts/{artifact_id:uuid}/pdf",
)


def _routes(method: str) -> Iterator[str]:
    for module in modules_of(routes):
        for route in module.router.routes:
            if isinstance(route, APIRoute) and method in route.methods:
                yield route.path


_GET, _POST = [*_routes("GET")], [*_routes("POST")]


def _about(path: str, ids: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: {**_OTHERS, **ids}[field[1]], path)


@pytest.fixture(scope="module")
async def team(stage: Stage) -> httpx.AsyncClient:
    return await stage.team()


@pytest.fixture(scope="module")
async def theirs(stage: Stage, team: httpx.AsyncClient) -> dict[str, str]:
    return await possessions_of(stage, team)


@pytest.fixture
async def strangers(stage: Stage) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Browsers of somebody without a key, and of another team."""
    other = (await stage.team()).headers["Authorization"]
    options = {"base_url": stage.url, "timeout": 60}
    async with (
        httpx.AsyncClient(headers=_HTML, **options) as keyless,  # type: ignore[arg-type]
        httpx.AsyncClient(headers={**_HTML, "Authorization": other}, **options) as keyed,  # type: ignore[arg-type]
    ):
        yield [keyless, keyed]


@pytest.fixture(scope="module")
async def locked(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API that wants keys."""
    async with api_stage(infrastructure, skills_folder, works=False, keys_required=True) as stage:
        yield stage


async def test_pages_about_what_another_team_has_are_not_found(
    strangers: list[httpx.AsyncClient], theirs: dict[str, str]
) -> None:
    about = [path for path in _GET if "_id" in path]
    for client in strangers:
        for path in [*about, *_QUERIES]:
            answer = await client.get(_about(path, theirs))
            assert (path, answer.status_code) == (path, 404)
            assert 'id="problem"' in answer.text, path


async def test_actions_of_pages_on_what_another_team_has_find_nothing(
    strangers: list[httpx.AsyncClient], theirs: dict[str, str]
) -> None:
    for client in strangers:
        for path in [path for path in _POST if "_id" in path]:
            answer = await client.post(_about(path, theirs), data=dict(_SAID.get(path, {})))
            assert (path, answer.status_code) == (path, 404)


async def test_lists_show_nothing_of_another_team(
    strangers: list[httpx.AsyncClient], theirs: dict[str, str]
) -> None:
    for client in strangers:
        for path in [path for path in _GET if "_id" not in path and path not in _NO_PAGES]:
            answer = await client.get(_about(path, theirs))
            shown = [name for name, id_ in theirs.items() if id_ in answer.text]
            assert (path, shown) == (path, [])
        for path in _FILTERS:
            answer = await client.get(_about(path, theirs))
            links = re.findall(r'href="/(?:tasks|agents|dead-letters|webhooks)/[^"]+', answer.text)
            assert (path, [each for each in links if "/new" not in each]) == (
                path,
                [each for each in links if not _holds(each, theirs) and "/new" not in each],
            )


def _holds(link: str, ids: Mapping[str, str]) -> bool:
    return any(id_ in link for id_ in ids.values())


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_session_every_page_leads_to_the_login(locked: Stage, method: str) -> None:
    ids = dict.fromkeys(_FIELD.findall("".join([*_GET, *_POST])), NO_CALL)
    async with httpx.AsyncClient(base_url=locked.url, timeout=60) as client:
        for path in _GET if method == "GET" else _POST:
            if path == "/login":
                continue
            answer = await client.request(method, _about(path, ids), headers=_HTML)
            assert (path, answer.status_code) == (path, 303)
            assert answer.headers["Location"].startswith("/login?next="), path
            answer = await client.request(method, _about(path, ids))
            assert (path, answer.status_code) == (path, 401)


async def test_to_a_page_with_an_address_that_is_too_long_the_login_leads_not(
    locked: Stage,
) -> None:
    async with httpx.AsyncClient(base_url=locked.url, headers=_HTML, timeout=60) as client:
        answer = await client.get("/", params={"text": "x" * 3_000})
        assert answer.headers["Location"] == "/login?next=%2F"
        assert (await client.get(answer.headers["Location"])).status_code == 200


async def test_every_page_is_sent_with_the_policy_whatever_came_of_it(
    stage: Stage, team: httpx.AsyncClient, theirs: dict[str, str]
) -> None:
    headers = {**_HTML, "Authorization": team.headers["Authorization"]}
    async with httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=60) as client:
        for path in [path for path in _GET if path not in _NO_PAGES]:
            await _check(client, "GET", _about(path, theirs))
            await _check(client, "GET", f"{_about(path, theirs)}?nonsense=1")
        # Most of them are refused: nothing was filled in.
        for path in _POST:
            await _check(client, "POST", _about(path, {**theirs, "key": NO_CALL}))
        for path in ("/nowhere", "/tasks/nowhere", "//nowhere", "/login?next=" + "x" * 3_000):
            await _check(client, "GET", path)
        script = await client.get(f"{ROOT}/js/main.js")
        assert script.headers["X-Content-Type-Options"] == "nosniff"


async def _check(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code < 500, (path, answer.text)
    if answer.status_code == 303:
        assert answer.headers["Location"].startswith("/"), path
        assert not answer.headers["Location"].startswith("//"), path
        return
    if answer.headers["Content-Type"].startswith("text/html"):
        expected = {**PAGE_HEADERS, "Cache-Control": answer.headers["Cache-Control"]}
        if path.partition("?")[0] == DOCS and answer.is_success:
            expected["Content-Security-Policy"] = DOCS_POLICY
        assert {name: answer.headers.get(name) for name in expected} == expected, path
        assert answer.headers["Cache-Control"] in {"private, no-cache", "no-store"}, path
    else:
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Content-Disposition"].startswith("attachment"), path
