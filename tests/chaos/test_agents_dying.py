"""Parts of the stack that die while an agent works. It goes on, and does nothing twice."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from tests.doubles.model_server import Exchange
from tests.doubles.scripted_models import (
    Conversation,
    Endless,
    Held,
    ScriptedModels,
    Wanted,
    asks,
    finishes,
)
from tests.live import Live, processes_mentioning, until
from tests.pressure import allowed
from tests.temporal_runs import reset_to_turn

PARTS = ["postgres", "s3", "temporal", "api"]

MARK = f"{5 + uuid4().int % 1_000_000 / 1e9:.9f}"  # Seconds, and a name for the process.
SLEEP_AND_WRITE = {
    "language": "python",
    "source": "import sys, time; time.sleep(float(sys.argv[1])); open('slept', 'w').close()",
    "args": [MARK],
}


def write(name: str, text: str = "x") -> Wanted:
    return "write_file", {"name": name, "text": text}


@dataclass
class Survivor:
    """A task whose worker was killed, after its end."""

    talk: Conversation
    task: dict[str, Any]


@pytest.fixture(scope="module")
async def survivors(
    agents_live: Live, models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Survivor]:
    """Three tasks that one worker was at when it was killed: it takes a while to be missed."""
    await agents_live.register_mcp_server("double")
    begun = tmp_path_factory.mktemp("mcp") / "begun"
    endless = Endless("I will ", "write ")
    waits = {"begun": str(begun), "cancelled": f"{begun}-not", "seconds": 600}
    answers = {
        "stream": (asks(write("1.txt")), endless, asks(write("2.txt")), finishes()),
        "interrupted": (asks(("mcp.double.wait", waits), write("beside.txt")), finishes()),
        "repeated": (asks(("run_code", SLEEP_AND_WRITE)), finishes()),
    }
    talks = {name: models.conversation(*acts) for name, acts in answers.items()}
    started = {
        name: await agents_live.submit_agent(talks[name].prompt())
        for name in ("stream", "interrupted")
    }
    await asyncio.wait_for(endless.begun.wait(), 60)
    await until(lambda: asyncio.to_thread(begun.exists))
    started["repeated"] = await agents_live.submit_agent(talks["repeated"].prompt())
    await until(_code_runs)
    agents_live.kill("worker")
    return {
        name: Survivor(talks[name], await agents_live.ended(task_id))
        for name, task_id in started.items()
    }


async def test_a_worker_killed_in_mid_stream_has_the_answer_given_again(
    agents_live: Live, survivors: Mapping[str, Survivor]
) -> None:
    talk, task = survivors["stream"].talk, survivors["stream"].task
    assert task["status"] == "completed"
    assert sorted(file["name"] for file in task["artifacts"]) == ["1.txt", "2.txt"]
    assert len(talk.requests) == 4
    assert talk.messages(1) == talk.messages(2)
    kinds = [kind for kind, _ in await agents_live.events_of(task["task_id"])]
    assert kinds.count("llm.restarted") == 1


async def test_a_call_that_may_be_repeated_is_made_again_when_its_worker_was_killed(
    agents_live: Live, survivors: Mapping[str, Survivor]
) -> None:
    talk, task = survivors["repeated"].talk, survivors["repeated"].task
    assert task["status"] == "completed"
    assert "File 'slept' created" in talk.results()[0]
    attempts = [log["status"] for log in await agents_live.log_of(task["task_id"])]
    assert attempts == ["failed", "completed"]
    await until(_code_is_gone, allowed(1))


async def test_a_call_that_must_not_be_repeated_is_told_to_have_been_interrupted(
    survivors: Mapping[str, Survivor],
) -> None:
    talk, task = survivors["interrupted"].talk, survivors["interrupted"].task
    assert task["status"] == "completed"
    interrupted, written = talk.results()
    assert "Interrupted" in interrupted
    assert "File 'beside.txt' created" in written
    [call, beside] = task["sub_tasks"]
    assert (call["status"], call["error"]["code"]) == ("failed", "call-interrupted")
    assert beside["status"] == "completed"
    assert [file["name"] for file in task["artifacts"]] == ["beside.txt"]


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_that_dies_in_mid_run_delays_the_agent_and_no_more(
    agents_live: Live, models: ScriptedModels, part: str
) -> None:
    killed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def kill_and_answer(exchange: Exchange) -> None:
        killed.set_result(agents_live.kill(part))
        await asks(write("2.txt"))(exchange)

    talk = models.conversation(asks(write("1.txt")), kill_and_answer, finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    await agents_live.recovered(part, await asyncio.wait_for(killed, 60))
    task = await agents_live.ended(task_id)
    assert task["status"] == "completed"
    assert [file["name"] for file in task["artifacts"]] == ["1.txt", "2.txt"]
    assert len(talk.requests) == 3  # No answer is asked for twice.
    seqs = [message["seq"] for message in await agents_live.messages_of(task_id)]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_a_finished_run_that_is_reset_to_turn_three_goes_on_from_there(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(*(asks(write(f"{n}.txt")) for n in (1, 2, 3)), finishes("First."))
    task_id = await agents_live.submit_agent(talk.prompt())
    assert (await agents_live.ended(task_id))["result"]["summary"] == "First."
    before = await agents_live.messages_of(task_id)

    held = Held(asks(write("another.txt")))
    talk.answers += [held, finishes("Second.")]
    client = await Client.connect(agents_live.services.temporal_address)
    await reset_to_turn(client, f"task-{task_id}", 3)
    await asyncio.wait_for(held.begun.wait(), 60)
    task = await agents_live.task(task_id)
    assert (task["status"], task["result"], task["finished_at"]) == ("running", None, None)
    assert [step["name"] for step in task["sub_tasks"]] == ["1.1 write_file", "2.1 write_file"]
    held.go_on.set()

    task = await agents_live.ended(task_id)
    assert (task["status"], task["result"]["summary"]) == ("completed", "Second.")
    assert [file["name"] for file in task["artifacts"]] == ["1.txt", "2.txt", "another.txt"]
    after = await agents_live.messages_of(task_id)
    kept = [message for message in before if message["turn"] <= 2]
    assert after[: len(kept)] == kept
    assert talk.messages(-2) == talk.messages(2)  # Turn 3 was asked as it was the first time.
    _check_whole(talk)


def _check_whole(talk: Conversation) -> None:
    """Every call that the model is shown has its result."""
    asked = [call["id"] for message in talk.messages() for call in message.get("tool_calls") or ()]
    answered = [message["tool_call_id"] for message in talk.messages() if message["role"] == "tool"]
    assert asked == answered


async def _code_runs() -> bool:
    return bool(processes_mentioning(MARK))


async def _code_is_gone() -> bool:
    return not processes_mentioning(MARK)
