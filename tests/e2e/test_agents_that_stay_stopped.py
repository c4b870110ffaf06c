"""What people do to agents that stay while those work, in AgentOS and in Temporal, on the whole
stack; and agents that would never stop by themselves."""

import asyncio
from typing import Any

import pytest

from tests.doubles.model_server import Act, Exchange
from tests.doubles.scripted_models import Conversation, Endless, Held, ScriptedModels, asks
from tests.live import Live, a_while, processes_mentioning, until
from tests.live_agents import LiveAgent, execute, live_agent
from tests.pressure import allowed
from workflows.states import AgentState

HOPS = 4


def says(reply: str) -> Act:
    return asks(text=reply)


async def dreaming(live: Live, models: ScriptedModels, *then: Act) -> tuple[LiveAgent, Endless]:
    """An agent in the middle of an answer that has no end."""
    endless = Endless("I will ")
    agent = await live_agent(live, models.conversation(endless, *then))
    await agent.send("first")
    await asyncio.wait_for(endless.begun.wait(), 60)
    return agent, endless


async def test_an_agent_that_is_paused_in_mid_turn_rests_after_it_and_goes_on_when_resumed(
    agents_live: Live, models: ScriptedModels
) -> None:
    held = Held(asks(("list_files", {})))
    agent = await live_agent(agents_live, models.conversation(held, says("One."), says("Two.")))
    await agent.send("first")
    await asyncio.wait_for(held.begun.wait(), 60)
    assert (await agent.do("pause"))["state"] == AgentState.PAUSED
    await agent.send("second")
    held.go_on.set()
    task_id = (await agent.exchange())["task_id"]
    await agents_live.when(task_id, lambda task: bool(task["status"] == "paused"))
    shown = await agent.show()
    assert (shown["state"], shown["unread"], len(agent.talk.requests)) == ("paused", 2, 1)
    await agent.do("resume")
    await agent.replied("One.", "Two.")


async def test_the_processes_of_a_terminated_agent_are_dead_within_a_second(
    agents_live: Live, models: ScriptedModels
) -> None:
    seconds = a_while()
    code = "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]])"
    call = {"language": "python", "source": code, "args": [seconds]}
    agent = await live_agent(agents_live, models.conversation(asks(("run_code", call))))
    await agent.send("first")

    async def runs() -> bool:
        return bool(processes_mentioning(seconds))

    async def is_dead() -> bool:
        return not processes_mentioning(seconds)

    await until(runs)
    await agent.do("terminate")
    await until(is_dead, allowed(1))
    task = await agents_live.ended((await agent.exchange())["task_id"])
    assert (task["status"], task["sub_tasks"][0]["status"]) == ("cancelled", "cancelled")
    await agent.send("second", status=409)


async def test_an_agent_may_be_deleted_while_what_it_did_still_ends(
    agents_live: Live, models: ScriptedModels
) -> None:
    agent, endless = await dreaming(agents_live, models)
    task_id = (await agent.exchange())["task_id"]
    await agent.do("terminate")
    assert await agent.delete() == 204
    await asyncio.wait_for(endless.left.wait(), 60)
    assert (await agents_live.ended(task_id))["status"] == "cancelled"
    await agent.send("second", status=404)


async def test_messages_wait_while_an_agent_waits_for_a_person(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(("ask_human", {"question": "Which?"})), says("That."))
    talk.otherwise = says("Later.")
    agent = await live_agent(agents_live, talk)
    await agent.send("first")
    waiting = await _first(agent)
    task = await agents_live.when(waiting, lambda task: bool(task["status"] == "waiting"))
    await agent.send("second")
    await agent.send("third")
    shown = await agent.show()
    assert (shown["state"], shown["unread"]) == ("running", 3)
    [call] = task["sub_tasks"]
    path = f"approvals/{call['id']}"
    assert await agents_live.post(waiting, path, decision="approve", note="this") == 202
    await agent.replied("That.", "Later.")
    assert talk.results(1) == ["this"]
    assert [m["status"] for m in await agent.inbox()] == ["read"] * 5


async def test_an_agent_that_is_cancelled_in_temporal_says_so_and_reads_again_once_restarted(
    agents_live: Live, models: ScriptedModels
) -> None:
    agent, _ = await dreaming(agents_live, models, says("Both."))
    await (await agent.workflow()).cancel()
    shown = await agent.gets(AgentState.ERROR)
    assert shown["error"]["code"] == "cancelled"
    assert "Restart the agent" in shown["error"]["message"]
    assert (await agent.exchange())["temporal_url"].endswith(f"/agent-{agent.id}")
    await agent.send("second")
    assert (await agent.show())["unread"] == 2
    await agent.do("restart")
    await agent.replied("Both.")
    # What was said before may be left out, and a note stand there.
    assert _last_prompt(agent.talk).startswith("first\n\nsecond")


async def test_an_agent_that_is_terminated_in_temporal_says_so_and_may_skip_what_it_read(
    agents_live: Live, models: ScriptedModels
) -> None:
    agent, _ = await dreaming(agents_live, models, says("Only this."))
    await (await agent.workflow()).terminate("by hand")
    shown = await agent.gets(AgentState.ERROR)
    assert shown["error"]["code"] == "terminated"
    assert "Restart the agent" in shown["error"]["message"]
    await agent.send("second")
    await agent.do("restart", skip=True)
    await agent.replied("Only this.")
    # What was said before may be left out, and a note stand there.
    assert _last_prompt(agent.talk).startswith("second")
    assert (await agent.show())["unread"] == 0


@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_an_agent_that_does_nothing_does_not_mind_what_is_done_in_temporal(
    agents_live: Live, models: ScriptedModels, how: str
) -> None:
    agent = await live_agent(agents_live, models.conversation(says("One."), says("Two.")))
    await agent.send("first")
    await agent.replied("One.")
    workflow = await agent.workflow()
    await (workflow.cancel() if how == "cancel" else workflow.terminate("by hand"))
    assert (await agent.show())["state"] == AgentState.IDLE
    await agent.send("second")
    await agent.replied("One.", "Two.")


async def test_a_workflow_that_was_not_told_that_its_agent_is_terminated_is_told_later(
    agents_live: Live, models: ScriptedModels
) -> None:
    agent, endless = await dreaming(agents_live, models)
    task_id = (await agent.exchange())["task_id"]
    await execute(
        agents_live,
        "UPDATE agents SET terminated_at = now(), deleted_at = now() WHERE id = :id",
        id=agent.id,
    )
    await asyncio.wait_for(endless.left.wait(), 60)
    assert (await agents_live.ended(task_id))["status"] == "cancelled"


async def test_a_workflow_that_was_not_told_of_a_pause_or_of_its_end_is_told_later(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation()
    talk.otherwise = _works_on(talk)
    agent = await live_agent(agents_live, talk, limits={"turns": 1_000})
    await agent.send("first")
    task_id = await _first(agent)
    set_pause = "UPDATE agents SET paused_at = {} WHERE id = :id"
    await execute(agents_live, set_pause.format("now()"), id=agent.id)
    await agents_live.when(task_id, lambda task: bool(task["status"] == "paused"))
    talk.otherwise = says("Done.")
    await execute(agents_live, set_pause.format("NULL"), id=agent.id)
    await agent.replied("Done.")


async def test_two_agents_that_always_write_to_each_other_come_to_an_end_and_are_told_why(
    agents_live: Live, models: ScriptedModels
) -> None:
    talks = models.conversation(), models.conversation()
    one, other = [
        await live_agent(agents_live, talk, limits={"hops": HOPS}, tools=["send_message"])
        for talk in talks
    ]
    talks[0].otherwise, talks[1].otherwise = _writes_to(other), _writes_to(one)
    await one.send("Talk to each other.")
    await until(lambda: _are_idle(one, other))
    read = [
        str(said["content"])
        for talk in talks
        for number in range(len(talk.requests))
        for said in talk.messages(number)
        if said["role"] == "tool"
    ]
    assert any(f"{HOPS} messages in a row" in result for result in read)
    sent = [m for agent in (one, other) for m in await agent.inbox() if m["kind"] == "message"]
    # Each is followed by a message and an answer at most.
    assert HOPS < len(sent) < 2 ** (HOPS + 1)


async def test_a_group_goes_on_without_a_member_in_error_and_one_that_is_paused(
    agents_live: Live, models: ScriptedModels
) -> None:
    agents = []
    for reply in ("Yes.", "No.", None, "Late."):
        talk = models.conversation()
        if reply is not None:
            talk.otherwise = says(reply)
        agents.append(await live_agent(agents_live, talk))
    yes, no, broken, paused = agents
    await paused.do("pause")
    await broken.send("hello")
    await broken.gets(AgentState.ERROR)
    body = {
        "name": f"group {yes.name}",
        "members": [agent.name for agent in agents],
        "limits": {"rounds": 1},
    }
    group = await agents_live.http.post("/api/v1/groups", json=body)
    assert group.status_code == 201, group.text
    said = await agents_live.http.post(
        f"/api/v1/groups/{group.json()['id']}/messages",
        json={"content": "Shall we?"},
        params={"wait": 30},
    )
    assert said.status_code == 200, said.text
    replies = [m for m in said.json()["messages"] if m["from"] in (yes.id, no.id)]
    assert sorted(m["content"] for m in replies) == ["No.", "Yes."]
    assert said.json()["reason"] == "rounds"
    # The two have it as well, and read it before what they are asked next.
    for agent in (broken, paused):
        assert "Shall we?" in [m["content"] for m in await agent.inbox()]
    await paused.do("resume")
    assert (await paused.show())["state"] == AgentState.IDLE
    await paused.send("And you?")
    await paused.replied("Late.")
    assert "Shall we?" in _last_prompt(paused.talk)


async def _are_idle(*agents: LiveAgent) -> bool:
    """All at one moment. Whoever has something to read is not."""
    answer = await agents[0].live.http.get("/api/v1/agents", params={"limit": 200})
    states = {item["id"]: item["state"] for item in answer.json()["items"]}
    return {states[agent.id] for agent in agents} == {AgentState.IDLE}


def _works_on(talk: Conversation) -> Act:
    """One call after another, each a different one."""

    async def act(exchange: Exchange) -> None:
        call = {"name": f"{len(talk.requests)}.txt", "text": "x"}
        await asks(("write_file", call))(exchange)

    return act


def _writes_to(agent: LiveAgent) -> Act:
    """In each turn that begins; what comes of it is its answer."""

    async def act(exchange: Exchange) -> None:
        last: dict[str, Any] = exchange.request.body["messages"][-1]
        call = ("send_message", {"to": agent.name, "content": "And you?"})
        answer = says("I have asked.") if last["role"] == "tool" else asks(call)
        await answer(exchange)

    return act


def _last_prompt(talk: Conversation) -> str:
    return str([said["content"] for said in talk.messages() if said["role"] == "user"][-1])


async def _first(agent: LiveAgent) -> str:
    """The id of its first exchange, once it has begun."""

    async def is_there() -> bool:
        return bool(await agent.exchanges())

    await until(is_there)
    return str((await agent.exchanges())[0]["task_id"])
