"""The adapter of ``ports.Tasks``."""

from temporalio import activity

from activities.store import tasks
from activities.store.database import Database
from workflows import ports
from workflows.contracts import TaskClose, TaskMark
from workflows.states import Status


class Tasks(ports.Tasks):
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def mark_task(self, mark: TaskMark) -> None:
        await tasks.mark_task(self._database, mark)

    @activity.defn
    async def close_task(self, close: TaskClose) -> Status | None:
        if await tasks.close_task(self._database, close):
            return close.status
        return await tasks.find_status(self._database, close.task_id, close.run)
