"""Groups of agents over HTTP: made, changed, talked in, and followed live."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.client import AsyncClient as Client
from api.groups.rounds import Rounds
from api.wire.group_requests import GroupMessageRequest
from deploy.local.services import Services
from tests.event_stream import SentEvent, events_in
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage
from tests.integration.group_desk import GroupDesk
from tests.integration.resident_rows import new_agent
from workflows.definitions.group import MAX_GROUP_CONTENT_CHARACTERS, MAX_MEMBERS
from workflows.states import GroupMode


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API without workers: what agents do, a test does for them."""
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        yield stage


async def desk(stage: Stage, count: int = 2, **more: Any) -> GroupDesk:
    return await GroupDesk.of(stage.database, count, **more)


async def said(http: httpx.AsyncClient, group_id: UUID, **params: Any) -> list[str]:
    answer = await http.get(f"/groups/{group_id}/messages", params=params)
    assert answer.status_code == 200, answer.text
    return [item["content"] for item in answer.json()["items"]]


async def test_a_group_is_made_shown_and_listed(stage: Stage) -> None:
    name = f"ann-{uuid4()}"
    ann, bob = (
        await new_agent(stage.database, name=name),
        await new_agent(stage.database, name=str(uuid4())[:8]),
    )
    body = {
        "name": f"crew-{uuid4()}",
        "members": [name],
        "mode": "moderated",
        "answering": [str(bob)],
        "limits": {"rounds": 2},
    }
    answer = await stage.http.post("/groups", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"].endswith(f"/api/v1/groups/{made['id']}")
    assert (made["mode"], made["thread_id"], made["round"]) == ("moderated", None, 0)
    assert made["limits"] == {
        "rounds": 2,
        "tokens": None,
        "cost_usd": None,
        "turn_seconds": 600.0,
    }
    members = {UUID(member["id"]): member for member in made["members"]}
    assert {key: member["answers"] for key, member in members.items()} == {ann: False, bob: True}
    assert members[ann]["state"] == "idle"
    assert (await stage.http.get(f"/groups/{made['id']}")).json() == made
    listed = (await stage.http.get("/groups", params={"name": body["name"]})).json()
    assert listed == {"items": [made], "next_cursor": None}


async def test_groups_are_listed_by_a_member(stage: Stage) -> None:
    crew, other = await desk(stage), await desk(stage)
    listed = (await stage.http.get("/groups", params={"member_id": str(crew.members[1])})).json()
    assert [group["id"] for group in listed["items"]] == [str(crew.id)]
    nobody = await stage.http.get("/groups", params={"member_id": str(other.id)})
    assert nobody.json()["items"] == []
    assert (await stage.http.get("/groups?member_id=x")).status_code == 422


async def test_a_group_says_what_was_said_last_and_no_more_than_its_beginning(stage: Stage) -> None:
    crew = await desk(stage)
    path = f"/groups/{crew.id}"
    assert (await stage.http.get(path)).json()["last_message"] is None
    await stage.http.post(f"{path}/messages", json={"content": "Hello" * 100})
    last = (await stage.http.get(path)).json()["last_message"]
    assert (last["from"], last["from_name"], last["reason"]) == ("user", "local user", None)
    assert last["content"] == "Hello" * 60
    await crew.answer(0, "Here")
    await crew.answer(1, "")
    await crew.answer(1, "(silent)")
    last = (await stage.http.get(path)).json()["last_message"]
    assert (last["from"], last["reason"]) == ("system", "quiet")


async def test_groups_are_listed_in_pages_the_newest_first(stage: Stage) -> None:
    team = await stage.team()
    made = [
        (await team.post("/groups", json={"name": f"g{number}"})).json()["id"]
        for number in range(3)
    ]
    first = (await team.get("/groups", params={"limit": 2})).json()
    params = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await team.get("/groups", params=params)).json()
    found = [item["id"] for item in (*first["items"], *second["items"])]
    assert found == made[::-1]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": " x"}, "/name"),
        ({"name": "-x"}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "00000000-0000-4000-8000-00000000000f"}, "/name"),
        ({"mode": "silent"}, "/mode"),
        ({"members": ["nobody"]}, "/members/0"),
        ({"answering": ["nobody"]}, "/answering/0"),
        ({"members": ["x"] * (MAX_MEMBERS + 1)}, "/members"),
        ({"limits": {"rounds": 0}}, "/limits/rounds"),
        ({"limits": {"turns": 1}}, "/limits/turns"),
        ({"owner": "me"}, "/owner"),
    ],
    ids=str,
)
async def test_a_group_that_is_not_right_is_refused(
    stage: Stage, change: dict[str, Any], pointer: str
) -> None:
    answer = await stage.http.post("/groups", json={"name": f"g-{uuid4()}", **change})
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_name_that_is_taken_is_a_conflict(stage: Stage) -> None:
    team = await stage.team()
    one = (await team.post("/groups", json={"name": "one"})).json()
    other = (await team.post("/groups", json={"name": "other"})).json()
    again = await team.post("/groups", json={"name": "one"})
    renamed = await team.patch(f"/groups/{other['id']}", json={"name": "one"})
    for answer in (again, renamed):
        assert (answer.status_code, answer.json()["code"]) == (409, "group-name-taken")
    assert (await team.patch(f"/groups/{one['id']}", json={"name": "one"})).status_code == 200


async def test_a_group_and_its_members_are_changed(stage: Stage) -> None:
    crew = await desk(stage, 1)
    path = f"/groups/{crew.id}"
    new = await new_agent(stage.database, name=f"new-{uuid4()}")
    added = await stage.http.post(f"{path}/members", json={"members": [str(new)]})
    assert {member["id"] for member in added.json()["members"]} == {
        str(crew.members[0]),
        str(new),
    }
    change = {"mode": "moderated", "answering": [str(new)], "limits": {"rounds": 5}}
    changed = (await stage.http.patch(path, json=change)).json()
    assert (changed["mode"], changed["limits"]["rounds"]) == ("moderated", 5)
    assert [m["id"] for m in changed["members"] if m["answers"]] == [str(new)]
    params = {"member": [str(new), str(crew.members[0])]}
    removed = await stage.http.delete(f"{path}/members", params=params)
    assert removed.json()["members"] == []
    for answer in (
        await stage.http.delete(f"{path}/members", params={"member": "nobody"}),
        await stage.http.post(f"{path}/members", json={"members": ["nobody"]}),
        await stage.http.patch(path, json={"answering": ["nobody"]}),
        await stage.http.delete(f"{path}/members"),
    ):
        assert answer.status_code == 422, answer.text
    assert (await stage.http.delete(path)).status_code == 204
    assert (await stage.http.get(path)).status_code == 404


async def test_a_message_is_posted_and_what_follows_is_listed(stage: Stage) -> None:
    crew = await desk(stage)
    answer = await stage.http.post(f"/groups/{crew.id}/messages", json={"content": "Hello"})
    assert answer.status_code == 202, answer.text
    posted = answer.json()
    shown = (await stage.http.get(f"/groups/{crew.id}")).json()
    assert (shown["thread_id"], shown["round"]) == (posted["id"], 1)
    assert [member["turn"] for member in shown["members"]] == ["due", "due"]
    await crew.answer(0, "Here")
    await crew.answer(1, "")
    await crew.answer(1, "(silent)")
    page = (await stage.http.get(f"/groups/{crew.id}/messages")).json()
    hello, here, silence = page["items"]
    assert (hello["seq"], hello["from"], hello["from_name"]) == (1, "user", "local user")
    assert (here["from"], here["round"]) == (str(crew.members[0]), 1)
    assert here["thread_id"] == posted["id"]
    assert here["task_id"]
    assert (silence["from"], silence["reason"]) == ("system", "quiet")
    task = (await stage.http.get(f"/tasks/{here['task_id']}")).json()
    assert (task["type"], task["status"]) == ("exchange", "completed")


async def test_messages_are_listed_from_the_last_page_back(stage: Stage) -> None:
    crew = await desk(stage, 0)
    for number in range(3):
        await crew.post(str(number))
    path = f"/groups/{crew.id}/messages"
    last = (await stage.http.get(path, params={"limit": 2})).json()
    assert [item["seq"] for item in last["items"]] == [5, 6]
    before = (await stage.http.get(path, params={"cursor": last["next_cursor"]})).json()
    assert [item["seq"] for item in before["items"]] == [1, 2, 3, 4]
    assert before["next_cursor"] is None


async def test_a_key_posts_a_message_once(stage: Stage) -> None:
    crew = await desk(stage)
    path, headers = f"/groups/{crew.id}/messages", {"Idempotency-Key": "k"}
    first = await stage.http.post(path, json={"content": "Hello"}, headers=headers)
    again = await stage.http.post(path, json={"content": "Hello"}, headers=headers)
    other = await stage.http.post(path, json={"content": "Bye"}, headers=headers)
    assert (first.json(), again.status_code) == (again.json(), 202)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")
    assert await said(stage.http, crew.id) == ["Hello"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/content"),
        ({"content": ""}, "/content"),
        ({"content": " \n"}, "/content"),
        ({"content": "x" * (MAX_GROUP_CONTENT_CHARACTERS + 1)}, "/content"),
        ({"content": "x", "attachments": {"a": "file:nothing"}}, "/attachments/a"),
        ({"content": "x", "mode": "interrupt"}, "/mode"),
    ],
    ids=["none", "empty", "blank", "long", "no file", "mode"],
)
async def test_a_message_that_is_not_right_is_refused(
    stage: Stage, body: dict[str, Any], pointer: str
) -> None:
    crew = await desk(stage, 0)
    answer = await stage.http.post(f"/groups/{crew.id}/messages", json=body)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_who_waits_is_given_the_whole_discussion(stage: Stage) -> None:
    crew = await desk(stage)
    waiting = asyncio.create_task(
        stage.http.post(
            f"/groups/{crew.id}/messages",
            params={"wait": 30},
            json={"content": "Hello"},
            timeout=WAIT_SECONDS,
        )
    )
    async with asyncio.timeout(WAIT_SECONDS):
        while not await crew.due():
            await asyncio.sleep(0.05)
    await crew.answer(0, "(silent)")
    await crew.answer(1, "(silent)")
    answer = await waiting
    assert answer.status_code == 200, answer.text
    assert answer.json()["reason"] == "quiet"
    words = [message["content"] for message in answer.json()["messages"]]
    assert words == ["Hello", "Nobody had anything more to say."]


async def test_who_waits_in_vain_is_told_that_the_message_is_there(stage: Stage) -> None:
    crew = await desk(stage)
    path = f"/groups/{crew.id}/messages"
    answer = await stage.http.post(path, params={"wait": 1}, json={"content": "Hello"})
    assert (answer.status_code, answer.json()["seq"]) == (202, 1)


async def test_a_pass_goes_on_without_members_that_cannot_answer(stage: Stage) -> None:
    crew = await desk(stage)
    await crew.post("Hello")
    await crew.answer(0, "")
    await crew.pause(1)
    options = replace(stage.services.options, group_interval_seconds=3_600.0)
    await Rounds(replace(stage.services, options=options)).go_on()
    assert (await said(stage.http, crew.id))[-1] == "Nobody had anything more to say."


# Live events.


async def _events(
    http: httpx.AsyncClient, group_id: UUID, **headers: str
) -> AsyncIterator[SentEvent]:
    async with http.stream("GET", f"/groups/{group_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        async for event in events_in(answer):
            yield event


async def test_a_viewer_is_sent_what_is_said_and_how_the_group_is(stage: Stage) -> None:
    crew = await desk(stage)
    await crew.post("Before")
    async with asyncio.timeout(WAIT_SECONDS):
        incoming = _events(stage.http, crew.id)
        first = await anext(incoming)
        assert (first.type, first.id, first.data["round"]) == ("group", "1", 1)
        await crew.answer(0, "Here")
        messages: list[SentEvent] = []
        turns: list[list[str]] = []
        async for event in incoming:
            if event.type == "message":
                messages.append(event)
                if event.data["reason"] is not None:
                    break
            else:
                turns.append(sorted(str(m["turn"]) for m in event.data["members"]))
                if ["due", "spoke"] in turns and await crew.due() == [1]:
                    await crew.answer(1, "")
                    await crew.answer(1, "")
        await incoming.aclose()  # type: ignore[attr-defined]
    assert [(event.id, event.data["content"]) for event in messages] == [
        ("2", "Here"),
        ("3", "Nobody had anything more to say."),
    ]
    assert messages[0].data["from"] == str(crew.members[0])


async def test_a_viewer_that_comes_back_misses_nothing_and_is_sent_nothing_twice(
    stage: Stage,
) -> None:
    crew = await desk(stage, 0)
    for number in range(3):
        await crew.post(str(number))
    seen: list[int] = []
    async with asyncio.timeout(WAIT_SECONDS):
        async for event in _events(stage.http, crew.id, **{"Last-Event-ID": "2"}):
            if event.type == "message":
                seen.append(int(event.id))
                if len(seen) == 2:
                    break
        async for event in _events(stage.http, crew.id, **{"Last-Event-ID": str(seen[-1])}):
            if event.type == "message":
                seen.append(int(event.id))
            if len(seen) == 4:
                break
    assert seen == [3, 4, 5, 6]


async def test_the_stream_of_a_group_ends_when_it_is_deleted(stage: Stage) -> None:
    crew = await desk(stage, 0)
    types: list[str] = []
    async with asyncio.timeout(WAIT_SECONDS):
        async for event in _events(stage.http, crew.id):
            types.append(event.type)
            if len(types) == 1:
                assert (await stage.http.delete(f"/groups/{crew.id}")).status_code == 204
    assert (types[0], types[-1]) == ("group", "group.deleted")


async def test_a_place_that_is_none_is_refused(stage: Stage) -> None:
    crew = await desk(stage, 0)
    headers = {"Last-Event-ID": "1.2.3"}
    answer = await stage.http.get(f"/groups/{crew.id}/events", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "header-malformed")


async def test_in_a_moderated_group_over_http_only_those_named_have_a_turn(stage: Stage) -> None:
    crew = await desk(stage, 2, mode=GroupMode.MODERATED, answering=[0])
    await stage.http.post(f"/groups/{crew.id}/messages", json={"content": "Hello"})
    assert await crew.due() == [0]


async def test_a_client_is_given_a_discussion_and_its_events(stage: Stage) -> None:
    crew = await desk(stage, 1)
    async with Client(stage.url) as client:
        asking = asyncio.create_task(
            client.groups.discuss(str(crew.id), GroupMessageRequest(content="Hello"))
        )
        async with asyncio.timeout(WAIT_SECONDS):
            while not await crew.due():
                await asyncio.sleep(0.05)
            await crew.answer(0, "Here")
            found = await asking
            assert found is not None
            assert [each.content for each in found.messages[:2]] == ["Hello", "Here"]
            assert found.messages[1].sender == str(crew.members[0])
            said: list[str] = []
            async with aclosing(client.groups.events(str(crew.id), after=1)) as events:
                async for event in events:
                    if event.message is not None:
                        said.append(event.message.content)
                    elif event.group is not None and len(said) == 2:
                        assert event.group.thread_id is None
                        break
            assert said == ["Here", "Nobody had anything more to say."]
