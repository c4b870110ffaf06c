"""Stopping what agents do that were terminated."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio import activity
from temporalio.service import RPCError

from workflows.resident_contracts import agent_workflow_id

_PATIENCE = timedelta(seconds=5)

log = structlog.get_logger(__name__)


async def stop_workflows(agent_ids: Iterable[UUID]) -> None:
    """Cancel what they do. Their rows say already that they do nothing more, so one that is not
    reached ends with its turn."""
    client = activity.client()
    for agent_id in agent_ids:
        try:
            handle = client.get_workflow_handle(agent_workflow_id(agent_id))
            await handle.cancel(rpc_timeout=_PATIENCE)
        except RPCError as error:  # Most have none open.
            log.info("agent.not_cancelled", agent_id=str(agent_id), reason=error.status.name)
