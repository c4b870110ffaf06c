"""Parts of the stack that die, or are away, while agents that stay are written to and answer."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import uuid4

import httpx
import pytest

from tests.doubles.model_server import Act, Exchange
from tests.doubles.scripted_models import Conversation, Endless, ScriptedModels, asks
from tests.live import Live, processes_mentioning, until
from tests.live_agents import LiveAgent, live_agent
from tests.pressure import allowed
from workflows.states import AgentState

# A thousand requests, and a worker that is missed, on a machine that others use as well.
pytestmark = pytest.mark.timeout(300)

SENDERS, EACH = 20, 50
BEFORE = 15  # of each, until the worker is killed
MOST_SECONDS = 120

MARK = f"{5 + uuid4().int % 1_000_000 / 1e9:.9f}"  # Seconds, and a name for the process.
SLEEP = {"language": "python", "source": "import sys, time; time.sleep(float(sys.argv[1]))"}


def says(reply: str) -> Act:
    return asks(text=reply)


@pytest.fixture(scope="module")
async def survivors(
    agents_live: Live, models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, LiveAgent]:
    """Agents whose worker was killed, once: it takes a while to be missed."""
    await agents_live.register_mcp_server("stays")
    begun = tmp_path_factory.mktemp("mcp") / "begun"
    endless = Endless("I will ", "say ")
    waits = {"begun": str(begun), "cancelled": f"{begun}-not", "seconds": 600}
    talks = {
        "in mid-turn": models.conversation(endless, says("All of it.")),
        "in a call": models.conversation(asks(("mcp.stays.wait", waits)), says("Too bad.")),
        "in code": models.conversation(
            asks(("run_code", {**SLEEP, "args": [MARK]})), says("Slept.")
        ),
        "crowded": models.conversation(),
    }
    talks["crowded"].otherwise = says("Noted.")
    agents = {name: await live_agent(agents_live, talk) for name, talk in talks.items()}
    await _crowd(agents["crowded"], range(BEFORE))
    await agents["in mid-turn"].send("Go on.")
    await agents["in a call"].send("Go on.")
    await asyncio.wait_for(endless.begun.wait(), 60)
    await until(lambda: asyncio.to_thread(begun.exists))
    await agents["in code"].send("Go on.")  # It takes a while, and no longer.
    await until(_code_runs)
    rest = asyncio.create_task(_crowd(agents["crowded"], range(BEFORE, EACH)))
    agents_live.kill("worker")
    await rest
    return agents


async def _crowd(agent: LiveAgent, numbers: range) -> None:
    """Many write to an agent at once."""

    async def write(sender: int) -> None:
        for number in numbers:
            await agent.send(f"message-{sender}-{number}")

    await asyncio.gather(*map(write, range(SENDERS)))


async def test_an_answer_that_is_lost_in_mid_turn_with_its_worker_is_given_again(
    survivors: Mapping[str, LiveAgent],
) -> None:
    agent = survivors["in mid-turn"]
    await agent.replied("All of it.")
    assert len(agent.talk.requests) == 2
    assert agent.talk.messages(0) == agent.talk.messages(1)
    assert len(await agent.exchanges()) == 1


async def test_a_call_that_must_not_be_repeated_is_not_and_the_model_reads_so(
    survivors: Mapping[str, LiveAgent],
) -> None:
    agent = survivors["in a call"]
    await agent.replied("Too bad.")
    [result] = agent.talk.results()
    assert "Interrupted" in result
    [call] = (await agent.exchange())["sub_tasks"]
    assert (call["status"], call["error"]["code"]) == ("failed", "call-interrupted")


async def test_a_call_that_may_be_repeated_is_made_again(
    survivors: Mapping[str, LiveAgent],
) -> None:
    agent = survivors["in code"]
    await agent.replied("Slept.")
    task = await agent.exchange()
    attempts = [log["status"] for log in await agent.live.log_of(task["task_id"])]
    assert attempts == ["failed", "completed"]
    await until(_code_is_gone, allowed(1))


async def test_a_thousand_messages_at_once_are_each_read_once_in_their_order(
    survivors: Mapping[str, LiveAgent],
) -> None:
    agent = survivors["crowded"]
    await agent.gets(AgentState.IDLE, MOST_SECONDS)
    inbox = await agent.inbox()
    written = [item for item in inbox if item["kind"] == "message"]
    wanted = {f"message-{sender}-{n}" for sender in range(SENDERS) for n in range(EACH)}
    assert len(written) == len(wanted)
    assert {item["content"] for item in written} == wanted
    assert {item["status"] for item in inbox} == {"read"}
    assert read_by(agent.talk) == [item["content"] for item in written]
    # One reply for each time that it read, and each message is of one such time.
    answered = [item["task_id"] for item in inbox if item["kind"] == "reply"]
    assert list(dict.fromkeys(item["task_id"] for item in written)) == answered


@pytest.mark.parametrize("part", ["temporal", "postgres"])
async def test_messages_that_come_while_a_part_is_away_are_answered_once_it_is_back(
    agents_live: Live, models: ScriptedModels, part: str
) -> None:
    killed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def kill_and_answer(exchange: Exchange) -> None:
        killed.set_result(agents_live.kill(part))
        await says("First.")(exchange)

    talk = models.conversation(kill_and_answer)
    talk.otherwise = says("Later.")
    agent = await live_agent(agents_live, talk)
    await agent.send("message-0")
    pid = await asyncio.wait_for(killed, 60)
    if part == "temporal":  # What there is to write to accepts them.
        for number in range(1, 6):
            await agent.send(f"message-{number}", key=f"key-{number}")
    else:
        for number in range(1, 6):
            await _insist(agent, f"message-{number}", key=f"key-{number}")
    await agents_live.recovered(part, pid)
    await agent.gets(AgentState.IDLE)
    wanted = [f"message-{number}" for number in range(6)]
    inbox = await agent.inbox()
    assert [item["content"] for item in inbox if item["kind"] == "message"] == wanted
    assert read_by(talk) == wanted
    assert (await agent.replies())[0] == "First."


async def test_messages_that_come_while_the_model_is_away_are_answered_once_it_is_back(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation()
    talk.otherwise = says("Here I am.")
    agent = await live_agent(agents_live, talk)
    await models.stop()
    try:
        for number in range(3):
            await agent.send(f"message-{number}")
        # It has been asked in vain.
        task_id = await _first_exchange(agent)
        await agents_live.when(task_id, lambda task: task["error"] is not None)
    finally:
        await models.start()
    await agent.gets(AgentState.IDLE)
    assert read_by(talk) == ["message-0", "message-1", "message-2"]


async def test_an_agent_that_is_terminated_while_temporal_is_away_stops_once_it_is_back(
    agents_live: Live, models: ScriptedModels
) -> None:
    endless = Endless("I will ")
    agent = await live_agent(agents_live, models.conversation(endless))
    await agent.send("Go on.")
    await asyncio.wait_for(endless.begun.wait(), 60)
    killed = agents_live.kill("temporal")
    assert (await agent.do("terminate"))["state"] == AgentState.TERMINATED
    await agents_live.recovered("temporal", killed)
    await asyncio.wait_for(endless.left.wait(), 60)
    task_id = (await agent.exchanges())[-1]["task_id"]
    assert (await agents_live.ended(task_id))["status"] == "cancelled"


def read_by(talk: Conversation) -> Sequence[str]:
    """The messages that a model read, in order; what it was asked again counts once."""
    asked = [
        [said["content"] for said in request.body["messages"] if said["role"] == "user"][-1]
        for request in talk.requests
    ]
    return " ".join(dict.fromkeys(asked)).split()


async def _insist(agent: LiveAgent, content: str, key: str) -> None:
    """Send until it is accepted, as a client does that hears nothing, or that it is too early."""

    async def is_accepted() -> bool:
        try:
            answer = await agent.try_to_send(content, key=key)
        except httpx.TransportError:
            return False
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202

    await until(is_accepted)


async def _first_exchange(agent: LiveAgent) -> str:
    async def is_there() -> bool:
        return bool(await agent.exchanges())

    await until(is_there)
    return str((await agent.exchanges())[0]["task_id"])


async def _code_runs() -> bool:
    return bool(processes_mentioning(MARK))


async def _code_is_gone() -> bool:
    return not processes_mentioning(MARK)
