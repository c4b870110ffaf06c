"""The adapter of ``ports.Conversations``: what an agent that stays reads and says."""

import structlog
from temporalio import activity

from activities.attempts.attempt import as_application_error
from activities.attempts.heartbeat import heartbeating
from activities.kinds.base import Installed
from activities.patience import patiently
from activities.residents.options import ConversationOptions
from activities.residents.prompts import shape
from activities.residents.summarising import Summariser
from activities.store import exchanges, interruptions
from activities.store.exchanges import BegunExchange
from workflows import ports
from workflows.agent_contracts import AgentRun, RunLimits
from workflows.resident_contracts import CutCall, TakeCall, Taken

log = structlog.get_logger(__name__)


class Conversations(ports.Conversations):
    def __init__(
        self,
        installed: Installed,
        options: ConversationOptions,
        summariser: Summariser | None = None,
    ) -> None:
        """Without a ``summariser`` nothing is summed up."""
        self._installed = installed
        self._options = options
        self._summariser = summariser

    @activity.defn
    async def take_messages(self, call: TakeCall) -> Taken:
        database, execution = self._installed.database, _execution()
        async with as_application_error():
            begun = await patiently(
                lambda: exchanges.begin_exchange(
                    database, call.agent_id, call.team_id, execution, shape
                )
            )
        if begun is None:
            return Taken(idle_seconds=self._options.idle_seconds)
        log.info("exchange.begun", task_id=str(begun.id), agent_id=str(call.agent_id))
        run, summarises = self._run_of(call, begun), await self._is_summary_due(call, begun)
        return Taken(exchange=run, through=begun.through, summarises=summarises)

    @activity.defn
    async def cut_short(self, call: CutCall) -> None:
        database, execution = self._installed.database, _execution()
        async with as_application_error():
            await patiently(lambda: interruptions.cut_short(database, call, execution))

    @activity.defn
    async def summarise(self, call: TakeCall) -> None:
        if self._summariser is None:
            return
        async with heartbeating(), as_application_error():
            await self._summariser.summarise(call)

    async def _is_summary_due(self, call: TakeCall, begun: BegunExchange) -> bool:
        agent = begun.definition
        return self._summariser is not None and await self._summariser.is_due(
            call.agent_id, agent.number, agent.model
        )

    def _run_of(self, call: TakeCall, begun: BegunExchange) -> AgentRun:
        return AgentRun(
            task_id=begun.id,
            team_id=call.team_id,
            run=1,
            agent_id=call.agent_id,
            limits=RunLimits.model_validate(begun.definition.limits.model_dump()),
            approval_seconds=self._installed.approval_seconds,
            model=self._installed.model_of(begun.definition.model),
        )


def _execution() -> str:
    execution = activity.info().workflow_run_id
    assert execution is not None
    return execution
