"""What people tell agents that are at work: read before the next turn, whoever dies meanwhile."""

import asyncio
from typing import Any

from tests.doubles.scripted_models import Held, ScriptedModels, Wanted, asks, finishes
from tests.live import Live

WRITE: Wanted = ("write_file", {"name": "a.txt", "text": "a"})
ASK: Wanted = ("ask_human", {"question": "Which year?"})


async def tell(live: Live, task_id: str, text: str) -> dict[str, Any]:
    path = f"/api/v1/tasks/{task_id}/messages"
    answer = await live.http.post(path, json={"content": text})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def said(messages: list[dict[str, Any]]) -> list[str]:
    """By people, after the task itself."""
    return [message["content"] for message in messages if message["role"] == "user"][1:]


async def test_what_is_told_while_a_task_is_paused_waits_or_finishes_is_read(
    agents_live: Live, models: ScriptedModels
) -> None:
    writing, finishing = Held(asks(WRITE)), Held(finishes("Too early."))
    talk = models.conversation(writing, asks(ASK), finishing, finishes("Done at last."))
    task_id = await agents_live.submit_agent(talk.prompt())
    await asyncio.wait_for(writing.begun.wait(), 30)
    await agents_live.post(task_id, "pause")
    writing.go_on.set()
    await agents_live.when(task_id, lambda task: task["status"] == "paused")
    assert (await tell(agents_live, task_id, "While it is paused."))["number"] == 1
    await agents_live.post(task_id, "resume")
    await agents_live.when(task_id, lambda task: task["status"] == "waiting")
    await tell(agents_live, task_id, "While it asks.")
    path = "approvals/2.1"
    assert await agents_live.post(task_id, path, decision="approve", note="2007") == 202
    await asyncio.wait_for(finishing.begun.wait(), 30)
    await tell(agents_live, task_id, "While it finishes.")
    finishing.go_on.set()
    task = await agents_live.ended(task_id)
    assert (task["status"], task["result"]["summary"]) == ("completed", "Done at last.")
    words = ["While it is paused.", "While it asks.", "While it finishes."]
    assert [said(talk.messages(number)) for number in range(4)] == [
        [],
        words[:1],
        words[:2],
        words,
    ]
    page = (await agents_live.http.get(f"/api/v1/tasks/{task_id}/messages")).json()
    told = [item for item in page["items"] if item["from_name"]]
    assert [item["content"] for item in told] == words
    assert [item["turn"] for item in told] == [2, 3, 4]


async def test_what_was_told_survives_a_worker_that_is_killed_and_is_read_again_after_a_retry(
    agents_live: Live, models: ScriptedModels
) -> None:
    held, ending = Held(asks(WRITE)), Held(finishes("Once."))
    talk = models.conversation(asks(WRITE), held, asks(WRITE), ending, finishes("Twice."))
    task_id = await agents_live.submit_agent(talk.prompt())
    await asyncio.wait_for(held.begun.wait(), 30)
    await tell(agents_live, task_id, "And Q2.")
    killed = agents_live.kill("worker")
    await agents_live.recovered("worker", killed)
    await asyncio.wait_for(ending.begun.wait(), 60)
    assert said(talk.messages(-1)) == ["And Q2."]
    ending.go_on.set()
    assert (await agents_live.ended(task_id))["result"]["summary"] == "Once."
    assert await agents_live.post(task_id, "retry", **{"from": "1.1"}) == 202
    task = await agents_live.when(task_id, lambda task: task["run"] == 2)
    task = await agents_live.ended(task_id)
    assert task["result"]["summary"] == "Twice."
    assert said(talk.messages(-1)) == ["And Q2."]


async def test_what_has_no_agent_says_so_on_the_command_line(live: Live) -> None:
    task_id = await live.submit({"id": "a", "code": {"language": "shell", "source": "echo"}})
    printed = await live.agentos("tell", task_id, "And Q2.")
    assert printed.code == 2
    assert "it is a pipeline, which has no agent" in printed.stderr
