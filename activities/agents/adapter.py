"""The adapter of ``ports.Agents``: turns of a model, and the tool calls that it asks for."""

import asyncio
from collections.abc import Mapping

from temporalio import activity

from activities.agents.roles.base import Role
from activities.agents.tool_call import make_call
from activities.agents.turn import TurnOptions, Turns
from activities.attempts.attempt import as_application_error
from activities.attempts.heartbeat import heartbeating, was_stopped
from activities.attempts.holding import Held
from activities.attempts.losses import check_losses, failures_before
from activities.equipment import Equipment
from activities.tools.toolbox import Toolbox
from workflows import policies, ports
from workflows.agent_contracts import ActCall, ActOutcome, ThinkCall, Thought
from workflows.contracts import Hold
from workflows.errors import AgentOSError
from workflows.errors.tasks import WorkersLost, WorkerStopping
from workflows.states import TaskType


class Agents(ports.Agents):
    def __init__(
        self,
        equipment: Equipment,
        toolbox: Toolbox,
        roles: Mapping[TaskType, Role],
        options: TurnOptions,
    ) -> None:
        self._equipment = equipment
        self._toolbox = toolbox
        self._approval_seconds = options.approval_seconds
        self._turns = Turns(equipment, roles, options)

    @activity.defn
    async def think(self, call: ThinkCall) -> Thought:
        failures = failures_before(call.tried)
        lost = activity.info().attempt - 1 - (failures - call.tried)
        async with heartbeating(failures), as_application_error():
            try:
                return await self._turns.make(call, lost)
            except Held as held:
                tried = failures + (held.failure is not None)
                hold = Hold(seconds=held.seconds, tried=tried)
                return Thought(seq=call.seq, tokens=0, cost_usd=0, digest="", held=hold)
            except AgentOSError as error:
                error.retries_used_up |= failures >= policies.THINK_RETRIES
                activity.heartbeat(failures + 1)
                raise
            except asyncio.CancelledError:
                if not was_stopped():
                    raise
                await self._check_one_more(call, lost + 1)
                raise WorkerStopping from None

    async def _check_one_more(self, call: ThinkCall, lost: int) -> None:
        try:
            check_losses(lost)
        except WorkersLost as error:
            await self._turns.tell_of_failure(call, error)
            raise

    @activity.defn
    async def act(self, call: ActCall) -> ActOutcome:
        async with as_application_error():
            return await make_call(self._equipment, self._toolbox, call, self._approval_seconds)
