"""The calls of tasks."""

from api.client.calls import Calls, Id, part
from api.client.connected import Connected
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.responses.approvals import AskedCall
from api.wire.responses.files import TaskInputList
from api.wire.responses.pages import Page
from api.wire.responses.plans import PlanOfTask
from api.wire.responses.tasks import Changed, Task, TaskSummary


class TaskCalls(Calls):
    """Part of ``Client``."""

    async def tasks(self, /, params: Params | None = None, **filters: Filter) -> Page[TaskSummary]:
        """A page of tasks, the newest first. ``params``, or keywords, as
        in ``status="failed"``, are the query of ``GET /tasks``."""
        return await self._get("/tasks", Page[TaskSummary], queried(params, filters))

    async def task(self, task_id: Id) -> Task:
        return await self._get(f"/tasks/{part(task_id)}", Task)

    async def plan(self, task_id: Id) -> PlanOfTask:
        """The nodes of a plan, with their states."""
        return await self._get(f"/tasks/{part(task_id)}/plan", PlanOfTask)

    async def inputs(self, task_id: Id) -> TaskInputList:
        """What a task was given, with the names of the files."""
        return await self._get(f"/tasks/{part(task_id)}/inputs", TaskInputList)

    async def approvals(
        self, /, task_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[AskedCall]:
        """A page of the calls of an agent that wait for a person."""
        return await self._get(
            f"/tasks/{part(task_id)}/approvals", Page[AskedCall], queried(params, filters)
        )

    async def cancel(self, task_id: Id) -> Changed:
        return await self._change(task_id, "cancel")

    async def delete(self, task_id: Id) -> None:
        """Delete a task that has ended, with everything that is its own."""
        await self._transport.delete(f"/tasks/{part(task_id)}")

    async def pause(self, task_id: Id) -> Changed:
        return await self._change(task_id, "pause")

    async def resume(self, task_id: Id) -> Changed:
        return await self._change(task_id, "resume")


class TaskClient(Connected, TaskCalls):
    """A client with these calls alone, which takes a sixth of the time to load."""
