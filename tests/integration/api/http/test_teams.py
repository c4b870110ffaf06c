"""Teams: whose key it is, and that nobody sees what is another's."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.store import keys
from api.app import create_app
from api.errors import KeyRefused
from api.http.key_ring import KeyRing
from deploy.local.services import Services
from tests.event_stream import events_in
from tests.integration.api.possessions import NO_CALL, possessions_of
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, pipeline
from tests.pressure import allowed


@pytest.fixture(scope="module")
async def theirs(stage: Stage) -> dict[str, str]:
    """What another team has."""
    return await possessions_of(stage, await stage.team())


_ROUTES = [
    ("GET", "/tasks/{task}"),
    ("DELETE", "/tasks/{task}"),
    ("POST", "/tasks/{task}/cancel"),
    ("POST", "/tasks/{task}/pause"),
    ("POST", "/tasks/{task}/resume"),
    ("POST", "/tasks/{task}/retry"),
    ("POST", "/tasks/{task}/rerun"),
    ("POST", "/tasks/{task}/compile"),
    ("GET", "/tasks/{task}/comparison"),
    ("GET", "/tasks/{task}/inputs"),
    ("GET", "/tasks/{task}/plan"),
    ("GET", "/tasks/{task}/logs"),
    ("GET", "/tasks/{task}/trace"),
    ("GET", "/tasks/{task}/messages"),
    ("POST", "/tasks/{task}/messages"),
    ("GET", "/tasks/{task}/messages/unread"),
    ("GET", "/tasks/{task}/artifacts"),
    ("GET", "/tasks/{task}/artifacts.zip"),
    ("GET", "/tasks/{task}/export"),
    ("GET", "/tasks/{task}/events"),
    ("GET", "/tasks/{task}/approvals"),
    ("POST", "/tasks/{task}/approvals/{call}"),
    ("GET", "/schedules/{schedule}"),
    ("PATCH", "/schedules/{schedule}"),
    ("DELETE", "/schedules/{schedule}"),
    ("POST", "/schedules/{schedule}/run"),
    ("GET", "/agents/{agent}"),
    ("PATCH", "/agents/{agent}"),
    ("DELETE", "/agents/{agent}"),
    ("GET", "/agents/{agent}/children"),
    ("POST", "/agents/{agent}/pause"),
    ("POST", "/agents/{agent}/resume"),
    ("POST", "/agents/{agent}/restart"),
    ("POST", "/agents/{agent}/interrupt"),
    ("POST", "/agents/{agent}/terminate"),
    ("GET", "/agents/{agent}/events"),
    ("GET", "/agents/{agent}/messages"),
    ("POST", "/agents/{agent}/messages"),
    ("GET", "/agents/{agent}/messages/{message}"),
    ("GET", "/agents/{agent}/notes"),
    ("POST", "/agents/{agent}/notes"),
    ("DELETE", "/agents/{agent}/notes/{note}"),
    ("GET", "/agents/{agent}/summaries"),
    ("DELETE", "/agents/{agent}/messages/{message}"),
    ("GET", "/agents/{agent}/reminders"),
    ("POST", "/agents/{agent}/reminders"),
    ("DELETE", "/agents/{agent}/reminders/{reminder}"),
    ("GET", "/groups/{group}"),
    ("PATCH", "/groups/{group}"),
    ("DELETE", "/groups/{group}"),
    ("POST", "/groups/{group}/members"),
    ("DELETE", "/groups/{group}/members?member=theirs"),
    ("GET", "/groups/{group}/messages"),
    ("POST", "/groups/{group}/messages"),
    ("GET", "/groups/{group}/events"),
    ("GET", "/files/{file}"),
    ("HEAD", "/files/{file}"),
    ("DELETE", "/files/{file}"),
    ("GET", "/artifacts/{artifact}"),
    ("HEAD", "/artifacts/{artifact}"),
    ("GET", "/dead-letters/{letter}"),
    ("POST", "/dead-letters/{letter}/requeue"),
    ("POST", "/dead-letters/{letter}/discard"),
    ("GET", "/webhooks/{webhook}"),
    ("PATCH", "/webhooks/{webhook}"),
    ("DELETE", "/webhooks/{webhook}"),
    ("GET", "/webhooks/deliveries/{delivery}"),
    ("POST", "/webhooks/deliveries/{delivery}/resend"),
    ("GET", "/keys/{key}"),
    ("DELETE", "/keys/{key}"),
    ("GET", "/bulk/{bulk}"),
    ("POST", "/bulk/{bulk}/abort"),
]
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "{call}"): {"decision": "deny"},
    ("POST", "/discard"): {"note": "x"},
    ("PATCH", "{webhook}"): {"is_active": True},
    ("PATCH", "{schedule}"): {},
    ("PATCH", "{agent}"): {},
    ("PATCH", "{group}"): {},
    ("POST", "{task}/messages"): {"content": "Hello"},
    ("POST", "{group}/members"): {},
    ("POST", "{group}/messages"): {"content": "Hello"},
    ("POST", "{agent}/messages"): {"content": "Hello"},
    ("POST", "{agent}/reminders"): {"text": "water", "after": "1h"},
    ("POST", "{agent}/notes"): {"text": "Tea."},
}


@pytest.mark.parametrize(("method", "path"), _ROUTES)
async def test_resources_of_another_team_are_not_found(
    stage: Stage, theirs: dict[str, str], method: str, path: str
) -> None:
    for client in (stage.http, await stage.team()):
        bodies = (b for (m, end), b in _BODIES.items() if m == method and path.endswith(end))
        body = next(bodies, None)
        answer = await client.request(method, path.format(**theirs), json=body)
        assert answer.status_code == 404
        assert method == "HEAD" or answer.json()["code"] == "not-found"


async def test_every_route_with_an_id_is_tried_above(stage: Stage) -> None:
    paths = (await stage.http.get("/openapi.json")).json()["paths"]
    with_id = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if "_id}" in path
    }
    tried = {
        (method, "/api/v1" + path.partition("?")[0].replace("}", "_id}"))
        for method, path in _ROUTES
    }
    assert with_id == tried


@pytest.mark.parametrize("kind", ["file", "artifact"])
async def test_a_file_of_another_team_cannot_be_an_input(
    stage: Stage, theirs: dict[str, str], kind: str
) -> None:
    body = {
        "pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]},
        "inputs": {"data": f"{kind}:{theirs[kind]}"},
    }
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/inputs/data"


async def test_a_list_shows_only_ones_own(stage: Stage, theirs: dict[str, str]) -> None:
    team = await stage.team()
    for path in (
        "/tasks",
        "/dead-letters",
        "/dead-letters/groups",
        "/bulk",
        "/schedules",
        "/agents",
        "/groups",
    ):
        assert (await team.get(path, params={"limit": 1})).json()["items"] == [], path


async def test_the_word_of_one_team_on_a_tool_is_not_anothers(stage: Stage) -> None:
    one, other = await stage.team(), await stage.team()
    await one.patch("/tools/write_file", json={"is_active": False})

    async def is_active(team: httpx.AsyncClient) -> bool:
        items = (await team.get("/tools")).json()["items"]
        return bool(next(item["is_active"] for item in items if item["name"] == "write_file"))

    assert not await is_active(one)
    assert await is_active(other)


# Keys.


async def test_an_upload_without_a_key_is_refused_unread(locked: Stage) -> None:
    taken: list[int] = []

    async def content() -> AsyncIterator[bytes]:
        for number in range(10):
            taken.append(number)
            yield b"x"

    transport = httpx.ASGITransport(create_app(locked.services))
    async with httpx.AsyncClient(transport=transport, base_url=locked.url) as client:
        answer = await client.post("/api/v1/files", content=content())
    assert answer.status_code == 401
    assert taken == []


@pytest.fixture(scope="module")
async def locked(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API that wants keys."""
    async with api_stage(infrastructure, skills_folder, works=False, keys_required=True) as stage:
        yield stage


_PUBLIC = {"/healthz", "/readyz"}


async def test_every_call_wants_a_key(locked: Stage) -> None:
    paths: dict[str, Any] = (await locked.http.get("/openapi.json")).json()["paths"]
    for path, methods in paths.items():
        ids = {name: "x" if name == "name" else NO_CALL for name in re.findall(r"{(\w+)}", path)}
        for method in methods:
            answer = await locked.http.request(method, locked.url + path.format(**ids))
            if path in _PUBLIC:
                assert answer.status_code == 200, (method, path)
            else:
                assert answer.status_code == 401, (method, path)
                assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ak_wrong", "Basic YTpi", "Bearer sk_x", "ak_x", "Bearer ak_\xff"],
)
async def test_a_wrong_key_is_refused(locked: Stage, stage: Stage, header: str) -> None:
    for each in (locked, stage):
        answer = await each.http.get("/tasks", headers={b"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401
        assert answer.json()["code"] == "key-refused"


async def test_a_key_opens_what_is_its_teams(locked: Stage) -> None:
    team = await locked.team()
    assert (await team.get("/tasks")).status_code == 200
    assert (await team.get(f"{locked.url}/metrics")).status_code == 200


async def test_a_revoked_key_works_no_longer(locked: Stage) -> None:
    team_id = await keys.create_team(locked.database, "revoking")
    key = await keys.create_key(locked.database, team_id, "laptop")
    ring = KeyRing(locked.database, keys_required=True, memory_seconds=0)
    assert (await ring.actor_of(f"Bearer {key.secret}")).team_id == team_id
    assert await keys.revoke_key(locked.database, team_id, key.id)
    assert not await keys.revoke_key(locked.database, team_id, key.id)
    with pytest.raises(KeyRefused, match="revoked"):
        await ring.actor_of(f"Bearer {key.secret}")


async def test_a_key_that_was_just_seen_costs_no_query(locked: Stage) -> None:
    team_id = await keys.create_team(locked.database, "remembered")
    key = await keys.create_key(locked.database, team_id, "laptop")
    ring = KeyRing(locked.database, keys_required=True, memory_seconds=60)
    await ring.actor_of(f"Bearer {key.secret}")
    await keys.revoke_key(locked.database, team_id, key.id)
    assert (await ring.actor_of(f"Bearer {key.secret}")).team_id == team_id


async def test_keys_are_kept_as_digests_only(locked: Stage) -> None:
    team_id = await keys.create_team(locked.database, "digests")
    key = await keys.create_key(locked.database, team_id, "laptop")
    [info] = await keys.list_keys(locked.database, team_id)
    assert key.secret.startswith(info.prefix)
    assert len(info.prefix) < 12 < len(key.secret)
    assert key.secret not in repr(key)
    assert not await keys.revoke_key(locked.database, (await _other(locked)), key.id)


async def test_a_team_is_made_once(locked: Stage) -> None:
    first = await keys.create_team(locked.database, "once")
    assert await keys.create_team(locked.database, "once") == first
    assert await keys.find_team(locked.database, "once") == first
    assert await keys.find_team(locked.database, "never") is None


async def _other(stage: Stage) -> Any:
    return await keys.create_team(stage.database, "other")


async def test_the_streams_of_a_key_end_with_it_and_no_others(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        team_id = await keys.create_team(stage.database, f"team-{uuid4()}")
        revoked, kept = [await keys.create_key(stage.database, team_id, "x") for _ in range(2)]
        async with (
            _client_of(stage, revoked.secret) as one,
            _client_of(stage, kept.secret) as other,
        ):
            answer = await one.post("/tasks", json={"pipeline": pipeline("wait")})
            path = f"/tasks/{answer.json()['task_id']}/events"
            async with one.stream("GET", path) as mine, other.stream("GET", path) as theirs:
                incoming, following = events_in(mine), events_in(theirs)
                await anext(incoming)
                await anext(following)
                assert await keys.revoke_key(stage.database, team_id, revoked.id)
                async with asyncio.timeout(allowed(5.0)):
                    async for _ in incoming:  # It ends as a stream should, and is not broken off.
                        pass
                await other.post(f"{path.removesuffix('/events')}/pause")
                async with asyncio.timeout(WAIT_SECONDS):
                    assert (await anext(following)).type == "task.pause_requested"


def _client_of(stage: Stage, secret: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{stage.url}/api/v1",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=WAIT_SECONDS,
    )
