"""Tasks that begin again, for tests that do without the API."""

from typing import Any
from uuid import UUID

from activities.store import restarts
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.restarts import Reason, Restart


async def restart(database: Database, task_id: UUID, run: int, **how: Any) -> bool:
    """``how`` are the fields of a ``Restart``."""
    reason = Reason(Actor(DEFAULT_TEAM, "test"), Deed("task.retried", str(task_id)))
    return await restarts.restart_task(database, task_id, run, Restart(**how), reason)
