"""What agents may not do without a person, and what they ask one."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from activities.tools.toolbox import REMEMBERED_SECONDS
from tests.doubles.scripted_models import ScriptedModels, Wanted, asks, finishes
from tests.live import Live

WRITE: Wanted = ("write_file", {"name": "a.txt", "text": "a"})
LIST: Wanted = ("list_files", {})


@pytest.fixture(scope="module", autouse=True)
async def asking(agents_live: Live) -> AsyncIterator[None]:
    """``write_file`` needs somebody's permission while these tests run."""
    await _permit(agents_live, "ask")
    yield
    await _permit(agents_live, "auto")


async def _permit(live: Live, level: str) -> None:
    change = {"permission_level": level}
    assert (await live.http.patch("/api/v1/tools/write_file", json=change)).is_success
    await asyncio.sleep(REMEMBERED_SECONDS)  # So long a worker may go by what was.


def is_waiting(task: dict[str, Any]) -> bool:
    return bool(task["status"] == "waiting")


async def test_an_approved_call_is_made_and_not_before(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(WRITE), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    task = await agents_live.when(task_id, is_waiting)
    [call] = task["sub_tasks"]
    assert call["status"] == "waiting"
    [asked] = (await agents_live.http.get(f"/api/v1/tasks/{task_id}/approvals")).json()["items"]
    assert asked["arguments"] == WRITE[1]
    assert task["artifacts"] == []
    assert await agents_live.post(task_id, f"approvals/{call['id']}", decision="approve") == 202
    task = await agents_live.ended(task_id)
    assert (task["status"], len(task["artifacts"])) == ("completed", 1)
    assert "File 'a.txt' created" in talk.results()[0]


async def test_a_denied_call_is_not_made_and_the_model_reads_why(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(WRITE, LIST), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    await agents_live.when(task_id, is_waiting)
    printed = await agents_live.agentos("deny", task_id, "--note", "not on a Saturday")
    assert printed.code == 0, printed.stderr
    task = await agents_live.ended(task_id)
    assert (task["status"], task["artifacts"]) == ("completed", [])
    denied, listed = talk.results()
    assert "Denied" in denied
    assert "not on a Saturday" in denied
    assert "[]" in listed


async def test_a_question_to_a_person_gets_its_answer(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(("ask_human", {"question": "Which year?"})), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    task = await agents_live.when(task_id, is_waiting)
    [call] = task["sub_tasks"]
    assert call["approval"]["question"] == "Which year?"
    word = {"decision": "approve", "note": "1984"}
    assert await agents_live.post(task_id, f"approvals/{call['id']}", decision="approve") == 422
    assert await agents_live.post(task_id, f"approvals/{call['id']}", **word) == 202
    assert (await agents_live.ended(task_id))["status"] == "completed"
    assert talk.results() == ["1984"]


async def test_an_agent_that_waits_for_a_person_can_be_cancelled(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(("ask_human", {"question": "Which year?"})))
    task_id = await agents_live.submit_agent(talk.prompt())
    await agents_live.when(task_id, is_waiting)
    assert await agents_live.post(task_id, "cancel") < 300
    task = await agents_live.ended(task_id)
    assert (task["status"], task["sub_tasks"][0]["status"]) == ("cancelled", "cancelled")


async def test_a_question_that_nobody_answers_expires_and_the_agent_goes_on(live: Live) -> None:
    question = json.dumps({"question": "Which year?"})
    task = await live.run_agent(f"call ask_human {question}")
    assert task["status"] == "completed"
    [call] = task["sub_tasks"]
    assert (call["status"], call["error"]["code"]) == ("failed", "call-expired")
    told = [message["content"] for message in await live.messages_of(task["task_id"])]
    assert any("nobody answered in time" in content for content in told)
