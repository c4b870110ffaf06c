"""Keys of a team, made and revoked over HTTP by whoever has one."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.store import keys
from activities.store.audit import LOCAL_USER
from tests.integration.api_stage import Stage


async def make(team: httpx.AsyncClient, name: str = "laptop") -> dict[str, Any]:
    answer = await team.post("/keys", json={"name": name})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def listed(team: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    return list((await team.get("/keys", params=query)).json()["items"])


def with_key(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_key_that_was_made_over_http_opens_the_teams_things(stage: Stage) -> None:
    team, other = await stage.team(), await stage.team()
    new = await make(team)
    task = await team.post("/tasks", json={"pipeline": _pipeline()})
    path = f"/tasks/{task.json()['task_id']}"
    assert (await stage.http.get(path, headers=with_key(new["secret"]))).is_success
    theirs = await make(other)
    assert (await stage.http.get(path, headers=with_key(theirs["secret"]))).status_code == 404


async def test_a_secret_is_in_the_answer_to_its_making_and_in_no_other(stage: Stage) -> None:
    team = await stage.team()
    answer = await team.post("/keys", json={"name": "laptop"})
    secret = answer.json()["secret"]
    assert answer.headers["Cache-Control"] == "no-store"
    texts = [
        (await team.get("/keys")).text,
        (await team.get(f"/keys/{answer.json()['id']}")).text,
        (await team.get("/audit")).text,
        (await team.delete(f"/keys/{answer.json()['id']}")).text,
    ]
    assert all(secret not in text and answer.json()["prefix"] in text for text in texts)
    assert secret.startswith(answer.json()["prefix"])


async def test_a_list_says_which_key_the_request_came_with(stage: Stage) -> None:
    team = await stage.team()
    await make(team, "second")
    found = await listed(team)
    assert [(key["name"], key["is_own"]) for key in found] == [("second", False), ("test", True)]
    assert not any(key["is_own"] for key in await listed(stage.http))


async def test_a_list_holds_those_in_use_or_those_that_were_revoked(stage: Stage) -> None:
    team = await stage.team()
    gone = await make(team, "old")
    await team.delete(f"/keys/{gone['id']}")
    assert [key["name"] for key in await listed(team)] == ["old", "test"]
    assert [key["name"] for key in await listed(team, in_use=True)] == ["test"]
    assert [key["name"] for key in await listed(team, in_use=False)] == ["old"]


async def test_pages_of_keys_neither_repeat_nor_hide_any(stage: Stage) -> None:
    team = await stage.team()
    for number in range(4):
        await make(team, f"key {number}")
    seen, cursor = list[str](), dict[str, str]()
    while True:
        page = (await team.get("/keys", params={"limit": "2", **cursor})).json()
        seen += [key["name"] for key in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["key 3", "key 2", "key 1", "key 0", "test"]


async def test_keys_are_made_and_revoked_in_the_name_of_the_key_that_did_it(stage: Stage) -> None:
    team = await stage.team()
    new = await make(team)
    assert (await team.delete(f"/keys/{new['id']}")).is_success
    entries = (await team.get("/audit", params={"target": new["id"]})).json()["items"]
    assert [entry["action"] for entry in entries] == ["key.revoked", "key.created"]
    assert all(entry["actor"].startswith("test (ak_") for entry in entries)
    assert entries[1]["details"] == {"name": "laptop", "prefix": new["prefix"]}


async def test_a_key_may_revoke_itself_and_the_last_one_and_is_told(stage: Stage) -> None:
    team = await stage.team()
    [own] = await listed(team)
    answer = (await team.delete(f"/keys/{own['id']}")).json()
    assert (answer["is_own"], answer["keys_left"]) == (True, 0)
    assert answer["revoked_at"] is not None


async def test_a_key_that_was_revoked_is_not_found_to_be_revoked_again(stage: Stage) -> None:
    team = await stage.team()
    new = await make(team)
    assert (await team.delete(f"/keys/{new['id']}")).status_code == 200
    for key in (new["id"], str(uuid4())):
        answer = await team.delete(f"/keys/{key}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert (await team.get(f"/keys/{new['id']}")).json()["revoked_at"] is not None


@pytest.mark.parametrize(
    "name", ["", "   ", "two\nlines", "x" * 101, "\u202eevil", "a\x00b", 5, None]
)
async def test_a_name_that_is_no_line_of_text_is_refused(stage: Stage, name: object) -> None:
    answer = await stage.http.post("/keys", json={"name": name})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]


async def test_keys_in_use_are_limited_and_revoking_one_makes_room(stage: Stage) -> None:
    team_id = await keys.create_team(stage.database, f"team-{uuid4()}")
    made = [await keys.create_key(stage.database, team_id, "x") for _ in range(keys.MAX_KEYS)]
    headers = with_key(made[0].secret)
    refused = await stage.http.post("/keys", json={"name": "more"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-keys")
    await keys.revoke_key(stage.database, team_id, made[1].id)
    assert (await stage.http.post("/keys", json={"name": "more"}, headers=headers)).is_success


async def test_who_needs_no_key_makes_them_for_the_default_team(stage: Stage) -> None:
    new = await make(stage.http)
    [entry] = (await stage.http.get("/audit", params={"target": new["id"]})).json()["items"]
    assert entry["actor"] == LOCAL_USER
    found = await stage.http.get("/keys", headers=with_key(new["secret"]))
    assert next(key for key in found.json()["items"] if key["is_own"])["id"] == new["id"]
    assert (await stage.http.delete(f"/keys/{new['id']}")).is_success


def _pipeline() -> dict[str, Any]:
    return {"name": "x", "steps": [{"id": "a", "code": {"language": "python", "source": "print"}}]}


async def test_one_is_told_as_whom_one_speaks(stage: Stage) -> None:
    team = await stage.team()
    mine, local = (await team.get("/about")).json(), (await stage.http.get("/about")).json()
    assert mine["actor"].startswith("test (ak_")
    assert mine["team"].startswith("team-")
    assert (local["actor"], local["team"]) == (LOCAL_USER, "default")
    assert local["version"]
    assert not local["keys_required"]
