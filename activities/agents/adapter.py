"""The adapter of ``ports.Agents``: turns of a model, and the tool calls that it asks for."""

from temporalio import activity

from activities.agents.tool_call import make_call
from activities.agents.turn import TurnOptions, Turns
from activities.attempts.attempt import as_application_error
from activities.attempts.heartbeat import heartbeating
from activities.equipment import Equipment
from activities.tools.toolbox import Toolbox
from workflows import ports
from workflows.contracts import ActCall, ActOutcome, ThinkCall, Thought


class Agents(ports.Agents):
    def __init__(self, equipment: Equipment, toolbox: Toolbox, options: TurnOptions) -> None:
        self._equipment = equipment
        self._toolbox = toolbox
        self._approval_seconds = options.approval_seconds
        self._turns = Turns(equipment, toolbox, options)

    @activity.defn
    async def think(self, call: ThinkCall) -> Thought:
        async with heartbeating(), as_application_error():
            return await self._turns.make(call)

    @activity.defn
    async def act(self, call: ActCall) -> ActOutcome:
        async with as_application_error():
            return await make_call(self._equipment, self._toolbox, call, self._approval_seconds)
