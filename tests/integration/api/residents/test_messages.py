"""Messages to agents that stay: taken once, numbered without gaps, answered, withdrawn."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType

from activities.store.inbox import MAX_UNREAD, NewMessage, Posted, post
from activities.store.keys import DEFAULT_TEAM
from tests.integration.api_stage import Stage
from tests.integration.residents import Residents
from tests.pressure import allowed
from workflows.resident_contracts import ConversationRun
from workflows.states import AgentState

SENDERS = 20
EACH = 50


async def inbox(residents: Residents, agent_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = await residents.http.get(f"/agents/{agent_id}/messages", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def post_message(
    residents: Residents, agent_id: str, *, key: str | None = None, wait: int = 0, **body: Any
) -> httpx.Response:
    return await residents.http.post(
        f"/agents/{agent_id}/messages",
        json={"content": "Hello", **body},
        headers={"Idempotency-Key": key} if key else {},
        params={"wait": wait} if wait else {},
    )


async def test_a_message_is_in_the_inbox_with_who_wrote_it(residents: Residents) -> None:
    agent_id = await residents.create(name="reader")
    sent = await residents.send(agent_id, "Good morning")
    assert (sent["seq"], sent["status"]) == (1, "unread")
    [message] = await inbox(residents, agent_id)
    assert message | {"created_at": ""} == {
        "id": sent["id"],
        "seq": 1,
        "kind": "message",
        "from": "user",
        "from_name": "local user",
        "to": agent_id,
        "to_name": "reader",
        "content": "Good morning",
        "attachments": {},
        "mode": "queue",
        "status": "unread",
        "reply_to": None,
        "group_id": None,
        "task_id": None,
        "interrupted": False,
        "created_at": "",
    }
    one = await residents.http.get(f"/agents/{agent_id}/messages/{sent['id']}")
    assert one.json() == message


async def test_messages_of_many_senders_at_once_are_all_there_once_and_numbered_without_gaps(
    residents: Residents,
) -> None:
    agent_id = await residents.create()
    database = residents.stage.database

    async def send(sender: int) -> None:
        for number in range(EACH):
            key = f"{sender}:{number}"
            message = NewMessage(
                agent_id=UUID(agent_id),
                team_id=DEFAULT_TEAM,
                content=key,
                client_key=key,
                request_digest=key,
            )
            # As a client does that got no answer.
            written = await asyncio.gather(post(database, message), post(database, message))
            assert all(isinstance(each, Posted) for each in written)

    await asyncio.gather(*(send(sender) for sender in range(SENDERS)))
    rows = await database.execute(*_all_of(agent_id))
    assert [row.seq for row in rows] == list(range(1, SENDERS * EACH + 1))
    contents = [row.content for row in rows]
    assert len(set(contents)) == SENDERS * EACH
    for sender in range(SENDERS):
        own = [content for content in contents if content.startswith(f"{sender}:")]
        assert own == [f"{sender}:{number}" for number in range(EACH)]
    assert (await residents.show(agent_id))["unread"] == SENDERS * EACH


def _all_of(agent_id: str) -> tuple[Any, dict[str, Any]]:
    query = "SELECT seq, content FROM inbox WHERE agent_id = :agent_id ORDER BY seq"
    return text(query), {"agent_id": UUID(agent_id)}


async def test_a_key_stands_for_one_message_to_an_agent_whatever_becomes_of_it(
    residents: Residents,
) -> None:
    agent_id, other = await residents.create(), await residents.create()
    first = await post_message(residents, agent_id, key="k")
    again = await post_message(residents, agent_id, key="k")
    assert (again.status_code, again.json()) == (202, first.json())
    changed = await post_message(residents, agent_id, key="k", content="Bye")
    assert (changed.status_code, changed.json()["code"]) == (409, "idempotency-conflict")
    assert (await post_message(residents, other, key="k")).json()["id"] != first.json()["id"]
    await residents.http.post(f"/agents/{agent_id}/terminate")
    assert (await post_message(residents, agent_id, key="k")).json() == first.json()
    assert len(await inbox(residents, agent_id)) == 1


async def test_a_repeat_is_accepted_though_who_wrote_is_gone_since(residents: Residents) -> None:
    agent_id, writer = await residents.create(), await residents.create()
    first = await post_message(residents, agent_id, key="k", **{"from": writer})
    await residents.http.post(f"/agents/{writer}/terminate")
    await residents.http.delete(f"/agents/{writer}")
    again = await post_message(residents, agent_id, key="k", **{"from": writer})
    assert (again.status_code, again.json()) == (202, first.json())


async def test_an_agent_may_be_written_to_as_another_of_the_team(residents: Residents) -> None:
    agent_id = await residents.create()
    writer = await residents.create(name=f"writer {uuid4()}")
    await residents.send(agent_id, **{"from": writer})
    [message] = await inbox(residents, agent_id)
    assert message["from"] == writer
    assert message["from_name"].startswith("writer ")
    await residents.reply(agent_id, "Well.")
    [got] = await inbox(residents, writer)
    assert (got["content"], got["from"], got["reply_to"]) == ("Well.", agent_id, message["id"])


_NOBODY = "00000000-0000-4000-8000-00000000000f"
BAD = {
    "no content": ({"content": ""}, 422, "/content"),
    "blank content": ({"content": " \n"}, 422, "/content"),
    "content that is no text": ({"content": 7}, 422, "/content"),
    "too long": ({"content": "x" * 100_001}, 422, "/content"),
    "NUL": ({"content": "a\0b"}, 422, "/content"),
    "unknown mode": ({"mode": "shout"}, 422, "/mode"),
    "unknown field": ({"to": "x"}, 422, "/to"),
    "writer that is no id": ({"from": "clerk"}, 422, "/from"),
    "writer that is missing": ({"from": _NOBODY}, 404, None),
    "attachment that is no reference": ({"attachments": {"a": "b"}}, 422, "/attachments/a"),
    "attachment with a bad name": ({"attachments": {"a b": "file:x"}}, 422, "/attachments/a b"),
    "attachment that is missing": (
        {"attachments": {"a": f"file:{_NOBODY}"}},
        422,
        "/attachments/a",
    ),
    "attachment from a host that is not allowed": (
        {"attachments": {"a": "https://elsewhere.example/x"}},
        422,
        "/attachments/a",
    ),
    "names that become the same": (
        {"attachments": {"a-b": "s3://shared/x", "a_b": "s3://shared/x"}},
        422,
        "/attachments/a_b",
    ),
    "too many attachments": (
        {"attachments": {f"a{number}": "s3://shared/x" for number in range(65)}},
        422,
        "/attachments",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_message_that_is_not_valid_is_refused_with_the_place(
    residents: Residents, case: str
) -> None:
    body, status, pointer = BAD[case]
    agent_id = await residents.create()
    answer = await post_message(residents, agent_id, **body)
    assert answer.status_code == status, answer.text
    if pointer is not None:
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await inbox(residents, agent_id) == []


async def test_an_agent_does_not_write_to_itself_and_none_writes_after_its_end(
    residents: Residents,
) -> None:
    agent_id, ended = await residents.create(), await residents.in_state(AgentState.TERMINATED)
    itself = await post_message(residents, agent_id, **{"from": agent_id})
    assert (itself.status_code, itself.json()["errors"][0]["pointer"]) == (422, "/from")
    late = await post_message(residents, agent_id, **{"from": ended})
    assert (late.status_code, late.json()["code"]) == (409, "agent-conflict")


@pytest.mark.parametrize("wait", ["61", "-1", "1.5", "soon"])
async def test_a_time_to_wait_that_makes_no_sense_is_refused(
    residents: Residents, wait: str
) -> None:
    agent_id = await residents.create()
    path = f"/agents/{agent_id}/messages"
    answer = await residents.http.post(path, json={"content": "x"}, params={"wait": wait})
    assert answer.status_code == 422
    assert "query wait" in answer.json()["detail"]
    assert await inbox(residents, agent_id) == []


async def test_agents_of_other_teams_and_deleted_ones_get_no_messages_and_write_none(
    residents: Residents,
) -> None:
    team = await residents.stage.team()
    theirs = (await team.post("/agents", json={"name": "theirs"})).json()["id"]
    deleted = await residents.create()
    await residents.http.post(f"/agents/{deleted}/terminate")
    await residents.http.delete(f"/agents/{deleted}")
    ours = await residents.create()
    for missing in (theirs, deleted, str(uuid4())):
        assert (await post_message(residents, missing)).status_code == 404
        assert (await post_message(residents, ours, **{"from": missing})).status_code == 404
    assert (await team.get(f"/agents/{theirs}/messages")).json()["items"] == []


async def test_an_inbox_that_is_full_takes_no_more_until_some_are_read(
    residents: Residents,
) -> None:
    agent_id = await residents.create()
    await residents.send(agent_id)
    await residents.stage.execute(
        "UPDATE agents SET message_seq = :most WHERE id = :id",
        most=MAX_UNREAD,
        id=UUID(agent_id),
    )
    full = await post_message(residents, agent_id)
    assert (full.status_code, full.json()["code"]) == (429, "inbox-full")
    assert int(full.headers["Retry-After"]) > 0
    await residents.reply(agent_id, "Read.")
    assert (await post_message(residents, agent_id)).status_code == 202


# Waiting.


async def test_who_waits_gets_the_reply_when_it_comes(residents: Residents) -> None:
    agent_id = await residents.create(name=f"quick {uuid4()}")
    waiting = asyncio.create_task(post_message(residents, agent_id, wait=60))
    while not await inbox(residents, agent_id):
        await asyncio.sleep(0.02)
    await residents.reply(agent_id, "At once.")
    async with asyncio.timeout(allowed(5)):
        answer = await waiting
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["reply"]["content"], body["reply"]["kind"]) == (
        *("read", "At once."),
        "reply",
    )
    assert (body["reply"]["from"], body["reply"]["to"]) == (agent_id, "user")
    [message, _] = await inbox(residents, agent_id)
    assert message["task_id"] == body["reply"]["task_id"]


async def test_who_waits_in_vain_gets_what_a_message_gets_and_may_ask_again(
    residents: Residents,
) -> None:
    agent_id = await residents.create()
    late = await post_message(residents, agent_id, key="k", wait=1)
    assert (late.status_code, late.json()["status"]) == (202, "unread")
    await residents.reply(agent_id, "Sorry.")
    again = await post_message(residents, agent_id, key="k", wait=1)
    assert (again.status_code, again.json()["reply"]["content"]) == (200, "Sorry.")
    plain = await post_message(residents, agent_id, key="k")
    assert (plain.status_code, plain.json()) == (202, {**late.json(), "status": "read"})


@pytest.mark.parametrize("end", ["fail", "terminate"])
async def test_nobody_waits_for_an_answer_that_will_not_come(
    residents: Residents, end: str
) -> None:
    agent_id = await residents.create()
    waiting = asyncio.create_task(post_message(residents, agent_id, wait=60))
    while not await inbox(residents, agent_id):
        await asyncio.sleep(0.02)
    if end == "fail":
        await residents.fail(agent_id)
    else:
        await residents.http.post(f"/agents/{agent_id}/terminate")
    async with asyncio.timeout(allowed(8)):
        assert (await waiting).status_code == 202


async def test_who_waits_still_waits_after_a_restart(residents: Residents) -> None:
    agent_id = await residents.in_state(AgentState.ERROR)
    await post_message(residents, agent_id, key="k")
    await residents.http.post(f"/agents/{agent_id}/restart")
    waiting = asyncio.create_task(post_message(residents, agent_id, key="k", wait=60))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await residents.reply(agent_id, "To both.")
    assert (await waiting).json()["reply"]["content"] == "To both."


# Reading and withdrawing.


async def test_the_last_messages_come_first_and_the_pages_lead_back_to_the_beginning(
    residents: Residents,
) -> None:
    agent_id = await residents.create()
    for number in range(1, 6):
        await residents.send(agent_id, str(number))
    path, seen, cursor = f"/agents/{agent_id}/messages", [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await residents.http.get(path, params=query)).json()
        seen.append([item["content"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await residents.send(agent_id, "later")  # Neither repeats nor hides any.
    assert seen == [["4", "5"], ["2", "3"], ["1"]]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30])
async def test_a_cursor_of_no_page_is_refused(residents: Residents, cursor: str) -> None:
    path = f"/agents/{await residents.create()}/messages"
    assert (await residents.http.get(path, params={"cursor": cursor})).status_code == 422


async def test_a_message_is_withdrawn_until_the_agent_has_taken_it(residents: Residents) -> None:
    agent_id = await residents.create()
    first, second = await residents.send(agent_id, "1"), await residents.send(agent_id, "2")
    path = f"/agents/{agent_id}/messages"
    assert (await residents.http.delete(f"{path}/{first['id']}")).status_code == 204
    assert (await residents.http.delete(f"{path}/{first['id']}")).status_code == 404
    await residents.begin(agent_id)
    taken = await residents.http.delete(f"{path}/{second['id']}")
    assert (taken.status_code, taken.json()["code"]) == (409, "message-taken")
    await residents.fail(agent_id)
    assert (await residents.http.delete(f"{path}/{second['id']}")).status_code == 204
    third = await residents.send(agent_id, "3")
    assert third["seq"] == 3
    await residents.http.post(f"/agents/{agent_id}/restart")
    await residents.reply(agent_id, "3, then.")
    reply = (await inbox(residents, agent_id))[-1]
    refused = await residents.http.delete(f"{path}/{reply['id']}")
    assert refused.status_code == 409
    assert "no message" in refused.json()["detail"]


async def test_a_message_that_was_withdrawn_is_not_written_by_a_late_repeat(
    residents: Residents,
) -> None:
    agent_id = await residents.create()
    sent = (await post_message(residents, agent_id, key="k", content="No!")).json()
    path = f"/agents/{agent_id}/messages"
    assert (await residents.http.delete(f"{path}/{sent['id']}")).status_code == 204
    late = await post_message(residents, agent_id, key="k", content="No!")
    assert (late.status_code, late.json()["code"]) == (409, "message-withdrawn")
    await residents.send(agent_id, "Yes")
    assert [(each["seq"], each["content"]) for each in await inbox(residents, agent_id)] == [
        (2, "Yes")
    ]
    assert (await residents.http.get(f"{path}/{sent['id']}")).status_code == 404
    assert (await residents.show(agent_id))["unread"] == 1


async def test_a_message_is_either_withdrawn_or_taken_when_both_happen_at_once(
    residents: Residents,
) -> None:
    for _ in range(10):
        agent_id = await residents.create()
        sent, kept = await residents.send(agent_id, "gone?"), await residents.send(agent_id)
        path = f"/agents/{agent_id}/messages/{sent['id']}"
        answer, _ = await asyncio.gather(residents.http.delete(path), residents.begin(agent_id))
        ids = [message["id"] for message in await inbox(residents, agent_id)]
        expected = [kept["id"]] if answer.status_code == 204 else [sent["id"], kept["id"]]
        assert ids == expected


async def test_a_message_is_told_to_the_workflow_with_its_number(
    residents: Residents, residents_stage: Stage
) -> None:
    agent_id = await residents.create()
    await residents.send(agent_id)
    handle = residents_stage.temporal.get_workflow_handle(f"agent-{agent_id}")
    async for event in handle.fetch_history_events():
        if event.HasField("workflow_execution_signaled_event_attributes"):
            told = event.workflow_execution_signaled_event_attributes
            assert told.signal_name == "look"
            [number] = await residents_stage.temporal.data_converter.decode(told.input.payloads)
            assert number == 1
            return
    pytest.fail("nobody was told")


async def test_a_message_to_an_agent_that_answers_is_no_signal_unless_it_interrupts(
    residents: Residents, residents_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent_id = await residents.create()
    told: list[tuple[str, int]] = []

    def note(run: ConversationRun, word: str, seq: int) -> None:
        if str(run.agent_id) == agent_id:  # Others that have been told for long are told again.
            told.append((word, seq))

    async def look(run: ConversationRun, seq: int, **how: object) -> None:
        note(run, "look", seq)

    async def interrupt(run: ConversationRun, seq: int, **how: object) -> None:
        note(run, "interrupt", seq)

    conversations = residents_stage.services.temporal.conversations
    monkeypatch.setattr(conversations, "look", look)
    monkeypatch.setattr(conversations, "interrupt", interrupt)
    await residents.send(agent_id)
    await residents.begin(agent_id)
    await residents.send(agent_id, "Meanwhile")
    await residents.send(agent_id, "Stop!", mode="interrupt")
    await residents.send(agent_id, "Another thing")
    # An interruption may be told once more by who tells what nobody was told of.
    assert list(dict.fromkeys(told)) == [("look", 1), ("interrupt", 3)]
    await residents.reply(agent_id, "Done.")
    # Between the two, it may be told of the rest: it answers nothing then.
    await residents.reply(agent_id, "Done with the rest.")
    await residents.send(agent_id, "Next")
    assert told[-1] == ("look", 7)


async def test_the_workflow_of_a_terminated_agent_is_asked_to_stop(
    residents: Residents, residents_stage: Stage
) -> None:
    agent_id = await residents.create()
    await residents.send(agent_id)
    await residents.http.post(f"/agents/{agent_id}/terminate")
    handle = residents_stage.temporal.get_workflow_handle(f"agent-{agent_id}")
    kinds = [event.event_type async for event in handle.fetch_history_events()]
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED in kinds
