"""The adapter of ``ports.Routes``: a task of type ``auto`` becomes what was chosen."""

from dataclasses import replace

from temporalio import activity

from activities.attempts.attempt import as_application_error
from activities.kinds.base import Installed
from activities.kinds.table import KINDS
from activities.routes.choices import Chosen, chosen
from activities.store.routes import RoutableTask, Route, find_routable, take_route
from activities.store.turns import CallDefinition
from workflows import ports
from workflows.agent_contracts import AgentRun, RouteCall, Spent
from workflows.contracts import RunStart
from workflows.definitions.auto import Auto
from workflows.errors.tasks import TaskMoved
from workflows.states import TaskType


class Routes(ports.Routes):
    def __init__(self, installed: Installed) -> None:
        self._installed = installed

    @activity.defn
    async def take_route(self, call: RouteCall) -> RunStart:
        async with as_application_error():
            task = await self._find(call)
            if task.type is TaskType.AUTO and not task.status.is_final:
                task = await self._take(task) or await self._find(call)
            if task.type is TaskType.AUTO or task.status.is_final:
                raise TaskMoved(task_id=call.task_id)
            return await self._start(task, call)

    async def _find(self, call: RouteCall) -> RoutableTask:
        database = self._installed.database
        task = await find_routable(database, call.task_id, call.run, call.seq)
        if task is None:
            raise TaskMoved(task_id=call.task_id)
        return task

    async def _take(self, task: RoutableTask) -> RoutableTask | None:
        """The task as it is then; None when somebody else was faster."""
        if task.call is None:
            raise TaskMoved(task_id=task.id)
        call = CallDefinition.model_validate(task.call)
        choice = chosen(call.tool, call.arguments, Auto.model_validate(task.definition))
        route, execution = _route(task, choice), activity.info().workflow_run_id
        if not await take_route(self._installed.database, task, route, execution):
            return None
        return replace(task, type=route.type, definition=route.definition)

    async def _start(self, task: RoutableTask, call: RouteCall) -> RunStart:
        kind = KINDS[task.type]
        run = await kind.message(self._installed, task)
        if isinstance(run, AgentRun):
            # Of turns and answers it has made none yet.
            used = call.spent.model_dump(include={"tokens", "cost_usd", "seconds"})
            run = run.model_copy(update={"spent": Spent(**used)})
        return RunStart(workflow=kind.workflow.__name__, input=run.model_dump(mode="json"))


def _route(task: RoutableTask, choice: Chosen) -> Route:
    kind = KINDS[choice.type]
    return Route(
        type=choice.type,
        name=kind.name(task.prompt, choice.definition),
        definition=choice.definition.model_dump(mode="json", exclude_defaults=True),
        sub_tasks=kind.sub_tasks(task.id, choice.definition),
        reason=choice.reason,
    )
