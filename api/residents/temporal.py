"""The workflows of agents that stay, seen from the API. Each is open only while there is work."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from api.tasks.temporal_calls import (
    CALL_TIMEOUT_SECONDS,
    PATIENT_TIMEOUT_SECONDS,
    summary,
    temporal_errors,
    unless_ended,
)
from api.temporal_labels import Appearance, Labelling
from workflows import policies
from workflows.conversation import ConversationWorkflow
from workflows.details import memo
from workflows.priorities import priority_of
from workflows.resident_contracts import INTERRUPT, LOOK, ConversationRun, agent_workflow_id

_PATIENCE = timedelta(seconds=CALL_TIMEOUT_SECONDS)
_PRIORITY = 5


class TemporalConversations:
    """Every call raises ``TemporaryFailure`` when Temporal cannot be reached, in a few seconds."""

    def __init__(self, client: Client, task_queue: str, labelling: Labelling) -> None:
        self._client = client
        self._task_queue = task_queue
        self._labelling = labelling

    async def look(
        self, run: ConversationRun, seq: int, *, appearance: Appearance, is_awake: bool = False
    ) -> None:
        """Tell an agent that there is message ``seq``: its workflow starts unless it is open. With
        ``is_awake`` that is what is expected, and told more quickly; if it is not, a call later."""
        await self._say(run, LOOK, seq, appearance, is_awake=is_awake)

    async def interrupt(
        self, run: ConversationRun, seq: int, *, appearance: Appearance, is_awake: bool = False
    ) -> None:
        """The same, and what it answers at that moment is cut short, unless it has begun with
        ``seq`` or one after it."""
        await self._say(run, INTERRUPT, seq, appearance, is_awake=is_awake)

    async def signal(self, agent_id: UUID, signal: str, arguments: Sequence[object] = ()) -> bool:
        """False when no workflow is open: the agent has nothing to do."""
        async with temporal_errors():
            handle = self._client.get_workflow_handle(agent_workflow_id(agent_id))
            return await unless_ended(handle.signal(signal, args=arguments, rpc_timeout=_PATIENCE))

    async def cancel(self, agent_id: UUID) -> bool:
        """Stop whatever it does. False when no workflow is open."""
        async with temporal_errors():
            handle = self._client.get_workflow_handle(agent_workflow_id(agent_id))
            return await unless_ended(handle.cancel(rpc_timeout=_PATIENCE))

    async def status(self, agent_id: UUID) -> WorkflowExecutionStatus | None:
        """Of its latest workflow; None when Temporal knows of none."""
        async with temporal_errors(PATIENT_TIMEOUT_SECONDS):
            handle = self._client.get_workflow_handle(agent_workflow_id(agent_id))
            try:
                patience = timedelta(seconds=PATIENT_TIMEOUT_SECONDS)
                return (await handle.describe(rpc_timeout=patience)).status
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise

    async def _say(
        self, run: ConversationRun, signal: str, seq: int, appearance: Appearance, *, is_awake: bool
    ) -> None:
        if is_awake and await self.signal(run.agent_id, signal, (seq,)):
            return

        async def start(labels: TypedSearchAttributes | None) -> None:
            await self._client.start_workflow(
                ConversationWorkflow.__name__,
                run,
                id=agent_workflow_id(run.agent_id),
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                # No time bounds an agent's life: Temporal counts it over all that continue as new.
                run_timeout=policies.CONVERSATION_RUN_TIMEOUT,
                memo=memo(1, appearance.page),
                static_summary=summary(appearance.title),
                static_details=appearance.details,
                search_attributes=labels,
                priority=priority_of(_PRIORITY, run.team_id, None),
                start_signal=signal,
                start_signal_args=[seq],
                rpc_timeout=_PATIENCE,
            )

        async with temporal_errors():
            await self._labelling.start(appearance.labels, start)
