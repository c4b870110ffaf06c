"""Whether the worker of this machine takes work: what the health check of a container asks."""

import socket
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from deploy import temporal_connection
from workflows.errors import AgentOSError, TemporaryFailure

# A worker asks for work by calls that Temporal holds for a minute.
_LATELY = timedelta(seconds=90)
_PATIENCE = timedelta(seconds=10)


class NotPolling(AgentOSError):
    """No worker of {machine} has asked for work on the task queue {task_queue!r} lately. Its log
    says what it waits for."""


def identity_prefix() -> str:
    """What the identities of this machine's workers begin with; their pid follows."""
    return f"{socket.gethostname()}-"


async def check_polling(task_queue: str) -> None:
    """Return when a worker of this machine polls.

    Raises:
        NotPolling: none does.
        TemporaryFailure: Temporal does not answer.
    """
    oldest = datetime.now(UTC) - _LATELY
    try:
        client = await Client.connect(**temporal_connection.connection())
        found = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            ),
            timeout=_PATIENCE,
        )
    except (RuntimeError, RPCError) as error:  # the client raises a bare RuntimeError
        raise TemporaryFailure(service="Temporal", reason=str(error)[:300]) from error
    for poller in found.pollers:
        is_ours = poller.identity.startswith(identity_prefix())
        if is_ours and poller.last_access_time.ToDatetime(UTC) > oldest:
            return
    raise NotPolling(machine=socket.gethostname(), task_queue=task_queue)
