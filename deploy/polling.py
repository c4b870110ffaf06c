"""Whether the worker of this machine takes work: what the health check of a container asks."""

import socket

from temporalio.client import Client

from api.tasks.temporal import TemporalPort
from api.tasks.temporal_calls import PATIENT_TIMEOUT_SECONDS
from deploy import temporal_connection
from deploy.worker_identity import machine_prefix
from workflows.errors import AgentOSError


class NotPolling(AgentOSError):
    """No worker of {machine} has asked for work on the task queue {task_queue!r} lately. Its log
    says what it waits for."""


async def check_polling(task_queue: str) -> None:
    """Return when a worker of this machine polls.

    Raises:
        NotPolling: none does.
        TemporaryFailure: Temporal does not answer.
    """
    client = await Client.connect(**temporal_connection.connection(), lazy=True)
    port = TemporalPort(client, task_queue)
    if not await port.count_workers(machine_prefix(), PATIENT_TIMEOUT_SECONDS):
        raise NotPolling(machine=socket.gethostname(), task_queue=task_queue)
