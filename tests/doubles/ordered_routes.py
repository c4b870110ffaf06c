"""What a router's choice makes of a task, as a test orders it: for what the workflow does alone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from workflows import ports
from workflows.agent_contracts import RouteCall
from workflows.contracts import RunStart


@workflow.defn
class Chosen:
    """What the task has become. It gives what it was given, and what it was started with."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        info = workflow.info()
        return {
            "given": given,
            "id": info.workflow_id,
            "run": workflow.memo_value("run"),
            "priority": info.priority.priority_key,
            "timeout_seconds": info.execution_timeout and info.execution_timeout.total_seconds(),
        }


@dataclass(slots=True)
class OrderedRoutes(ports.Routes):
    """``meanwhile`` is done while a choice is written down; with ``refuses`` it cannot be."""

    meanwhile: Callable[[], Awaitable[None]] | None = None
    refuses: bool = False
    taken: list[RouteCall] = field(default_factory=list)

    @activity.defn
    async def take_route(self, call: RouteCall) -> RunStart:
        self.taken.append(call)
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.refuses:
            raise ApplicationError("moved", type="task-moved", non_retryable=True)
        return RunStart(workflow="Chosen", input={"seq": call.seq})
