"""What may be done to an agent that stays in which state, over HTTP."""

import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from api.residents import acts, pauses
from api.residents.pauses import Pauses
from api.services import Services
from api.tasks.sweeper import Sweeper
from api.tasks.temporal import TemporalPort
from deploy.local.tcp_ports import choose_ports
from tests.actors import SOMEBODY
from tests.integration.residents import FAILURE, Residents
from workflows.errors import TemporaryFailure
from workflows.resident_states import LEGAL, AgentAct, ChildrenFate, is_legal, why_not
from workflows.states import AgentState

# Each act as a request: method, path after the agent's, and body.
REQUESTS: dict[AgentAct, tuple[str, str, Any]] = {
    AgentAct.MESSAGE: ("POST", "/messages", {"content": "Hello"}),
    AgentAct.INTERRUPT: ("POST", "/interrupt", None),
    AgentAct.PAUSE: ("POST", "/pause", None),
    AgentAct.RESUME: ("POST", "/resume", None),
    AgentAct.RESTART: ("POST", "/restart", None),
    AgentAct.CHANGE: ("PATCH", "", {"profile": {"tone": "dry"}}),
    AgentAct.TERMINATE: ("POST", "/terminate", None),
    AgentAct.DELETE: ("DELETE", "", None),
}
_CANCELLED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED

CASES = [(act, state) for act in AgentAct for state in AgentState]


async def do(residents: Residents, act: AgentAct, agent_id: str) -> httpx.Response:
    method, path, body = REQUESTS[act]
    return await residents.http.request(method, f"/agents/{agent_id}{path}", json=body)


@pytest.mark.parametrize(("act", "state"), CASES, ids=lambda each: each.value)
async def test_an_act_is_done_where_the_table_allows_it_and_refused_with_the_reason_elsewhere(
    residents: Residents, act: AgentAct, state: AgentState
) -> None:
    agent_id = await residents.in_state(state)
    answer = await do(residents, act, agent_id)
    if is_legal(act, state):
        assert answer.is_success, answer.text
        return
    assert answer.status_code == 409
    assert answer.json()["code"] == "agent-conflict"
    assert why_not(act, state) in answer.json()["detail"]
    assert (await residents.show(agent_id))["state"] == state


class Model:
    """What an agent should be like, by the acts that were done to it."""

    def __init__(self) -> None:
        self.unread = self.taken = 0
        self.fails = self.is_paused = self.is_terminated = self.is_deleted = False

    @property
    def state(self) -> AgentState:
        if self.is_terminated:
            return AgentState.TERMINATED
        if self.is_paused:
            return AgentState.PAUSED
        if self.fails:
            return AgentState.ERROR
        return AgentState.RUNNING if self.unread else AgentState.IDLE

    def allows(self, act: AgentAct) -> bool:
        if act is AgentAct.INTERRUPT and not self.taken:
            return False  # It has not begun to answer.
        return is_legal(act, self.state)

    def do(self, act: AgentAct) -> None:
        match act:
            case AgentAct.MESSAGE:
                self.unread += 1
            case AgentAct.PAUSE:
                self.is_paused = True
            case AgentAct.RESUME:
                self.is_paused = False
            case AgentAct.RESTART:
                self.fails = False
            case AgentAct.TERMINATE:
                self.is_terminated = True
            case AgentAct.DELETE:
                self.is_deleted = True


async def _work(residents: Residents, model: Model, agent_id: str, choice: str) -> None:
    """What a worker does in an agent's life, where it may."""
    may_begin = model.state is AgentState.RUNNING and not model.taken
    if choice == "take" and may_begin:
        await residents.begin(agent_id)
        model.taken = model.unread
    elif choice == "reply" and model.taken and not model.is_terminated:
        await residents.reply(agent_id, "Yes.")
        model.unread -= model.taken
        model.taken = 0
    elif choice == "fail" and model.taken and not model.is_terminated:
        await residents.fail(agent_id)
        model.taken, model.fails = 0, True


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_done_in_whatever_order_the_state_is_what_follows_from_it(
    residents: Residents, seed: int
) -> None:
    chance = random.Random(seed)
    agent_id, model = await residents.create(), Model()
    usual = [act for act in AgentAct if act not in (AgentAct.TERMINATE, AgentAct.DELETE)]
    for number in range(40):
        last = [AgentAct.TERMINATE, AgentAct.DELETE] if number > 25 else []
        choice = chance.choice([*usual, *usual, *last, "take", "take", "reply", "fail"])
        if not isinstance(choice, AgentAct):
            await _work(residents, model, agent_id, choice)
        else:
            allowed = model.allows(choice)
            answer = await do(residents, choice, agent_id)
            expected = 409 if not allowed else answer.status_code
            assert answer.status_code == expected, (choice, model.state, answer.text)
            assert answer.is_success is allowed, (choice, model.state, answer.text)
            if allowed:
                model.do(choice)
        if model.is_deleted:
            assert (await residents.http.get(f"/agents/{agent_id}")).status_code == 404
            return
        shown = await residents.show(agent_id)
        assert (shown["state"], shown["unread"]) == (model.state, model.unread), choice


async def test_a_paused_agent_reads_nothing_and_a_resumed_one_what_came_meanwhile(
    residents: Residents,
) -> None:
    agent_id = await residents.create()
    await residents.http.post(f"/agents/{agent_id}/pause")
    await residents.send(agent_id)
    with pytest.raises(AssertionError):
        await residents.begin(agent_id)
    resumed = await residents.http.post(f"/agents/{agent_id}/resume")
    assert (resumed.json()["state"], resumed.json()["unread"]) == (AgentState.RUNNING, 1)
    await residents.reply(agent_id, "Here I am.")
    assert (await residents.show(agent_id))["state"] == AgentState.IDLE


async def test_an_agent_says_what_its_last_turn_failed_of(residents: Residents) -> None:
    agent_id = await residents.in_state(AgentState.ERROR)
    shown = await residents.show(agent_id)
    assert shown["error"]["code"] == FAILURE.code
    assert (shown["unread"], shown["task_id"]) == (1, None)


@pytest.mark.parametrize(("skip", "unread"), [(False, 2), (True, 1)], ids=["again", "skip"])
async def test_a_restart_reads_the_same_messages_again_or_skips_them_but_no_later_ones(
    residents: Residents, skip: bool, unread: int
) -> None:
    agent_id = await residents.in_state(AgentState.ERROR)
    await residents.send(agent_id, "And this")
    answer = await residents.http.post(f"/agents/{agent_id}/restart", json={"skip": skip})
    assert (answer.json()["state"], answer.json()["unread"]) == (AgentState.RUNNING, unread)
    assert answer.json()["error"] is None


async def test_the_name_of_a_deleted_agent_is_free_again(residents: Residents) -> None:
    agent_id = await residents.create(name="the one")
    await residents.http.post(f"/agents/{agent_id}/terminate")
    again = await residents.http.post("/agents", json={"name": "the one"})
    assert (again.status_code, again.json()["code"]) == (409, "agent-name-taken")
    await residents.http.delete(f"/agents/{agent_id}")
    assert await residents.create(name="the one") != agent_id


async def _without_temporal(residents: Residents) -> Services:
    """The same, where Temporal cannot be reached."""
    [port] = choose_ports([None])
    away = TemporalPort(await Client.connect(f"127.0.0.1:{port}", lazy=True), "none")
    return replace(residents.stage.services, temporal=away)


async def test_an_end_that_temporal_did_not_hear_of_is_told_to_it_later(
    residents: Residents,
) -> None:
    agent_id = await residents.in_state(AgentState.RUNNING)
    stage, services = residents.stage, await _without_temporal(residents)
    fate = ChildrenFate.TERMINATE
    ended = await acts.terminate(services, SOMEBODY, UUID(agent_id), fate)
    assert ended.state is AgentState.TERMINATED
    handle = stage.temporal.get_workflow_handle(f"agent-{agent_id}")
    assert _CANCELLED not in [each.event_type async for each in handle.fetch_history_events()]
    await Sweeper(stage.services).sweep()  # It has not had its time yet.
    assert _CANCELLED not in [each.event_type async for each in handle.fetch_history_events()]
    await stage.execute(
        "UPDATE agents SET terminated_at = terminated_at - interval '1 hour' WHERE id = :id",
        id=UUID(agent_id),
    )
    await Sweeper(stage.services).sweep()
    assert _CANCELLED in [each.event_type async for each in handle.fetch_history_events()]


async def _signals(residents: Residents, agent_id: str) -> list[str]:
    handle = residents.stage.temporal.get_workflow_handle(f"agent-{agent_id}")
    told = [each async for each in handle.fetch_history_events()]
    signals = [each.workflow_execution_signaled_event_attributes.signal_name for each in told]
    return [signal for signal in signals if signal in ("pause", "resume")]


async def test_a_pause_and_its_end_that_temporal_did_not_hear_of_are_told_to_it_later(
    residents: Residents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "AGE_SECONDS", 0.0)
    agent_id = await residents.in_state(AgentState.RUNNING)
    stage, away = residents.stage, await _without_temporal(residents)
    again = Pauses(stage.services)
    paused = await acts.pause(away, SOMEBODY, UUID(agent_id))
    assert paused.state is AgentState.PAUSED
    assert await _signals(residents, agent_id) == []
    await again.tell_again()
    assert await _signals(residents, agent_id) == ["pause"]
    rests = "UPDATE tasks SET status = 'paused', updated_at = now() WHERE parent_id = :id"
    await stage.execute(rests, id=UUID(agent_id))
    resumed = await acts.resume(away, SOMEBODY, UUID(agent_id))
    assert resumed.state is AgentState.RUNNING
    await again.tell_again()
    assert await _signals(residents, agent_id) == ["pause", "resume"]


async def test_an_interruption_that_temporal_did_not_hear_of_is_refused(
    residents: Residents,
) -> None:
    agent_id = await residents.in_state(AgentState.RUNNING)
    await residents.begin(agent_id)
    with pytest.raises(TemporaryFailure):
        await acts.interrupt(await _without_temporal(residents), SOMEBODY, UUID(agent_id))


def test_no_state_is_a_trap_and_none_but_deletion_follows_termination() -> None:
    ways_out = {AgentAct.TERMINATE, AgentAct.DELETE}
    for state in AgentState:
        assert any(is_legal(act, state) for act in ways_out), state
        assert not (is_legal(AgentAct.PAUSE, state) and is_legal(AgentAct.RESUME, state))
    after_the_end = {act for act, states in LEGAL.items() if AgentState.TERMINATED in states}
    assert after_the_end == {AgentAct.DELETE}
    assert all(why_not(act, state) for act in AgentAct for state in AgentState)
