"""The adapter of ``ports.Agents``: turns of a model, and the tool calls that it asks for."""

from temporalio import activity

from activities.agents.tool_call import Acting
from activities.agents.turn import Thinking
from activities.attempts.attempt import told_to_temporal
from activities.attempts.heartbeat import heartbeating
from workflows import ports
from workflows.contracts import ActCall, ActOutcome, ThinkCall, Thought


class Agents(ports.Agents):
    def __init__(self, thinking: Thinking, acting: Acting) -> None:
        self._thinking = thinking
        self._acting = acting

    @activity.defn
    async def think(self, call: ThinkCall) -> Thought:
        async with heartbeating(), told_to_temporal():
            return await self._thinking.think(call)

    @activity.defn
    async def act(self, call: ActCall) -> ActOutcome:
        return await self._acting.act(call)
