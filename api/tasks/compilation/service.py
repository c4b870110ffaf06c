"""A task of a team, compiled, and the pipeline checked as if it was submitted."""

from collections.abc import Collection, Iterator
from uuid import UUID

import structlog

from activities.kinds.pipeline import KIND
from activities.off_loop import off_loop
from activities.store.mcp_tools import callable_tools
from activities.store.reading.plan_runs import RecordedPlan, find_plan
from activities.store.reading.runs import RecordedCall, find_run
from api.services import Services
from api.tasks.compilation.compiling import Compiled, Part, at_calls, compile_runs
from api.tasks.compilation.natures import Tools
from api.tasks.compilation.plans import compile_plan
from api.tasks.lookup import found
from workflows.definitions.mcp_server import PREFIX
from workflows.states import TaskType

log = structlog.get_logger(__name__)


async def compile_task(
    services: Services, team_id: UUID, task_id: UUID, accepted: Collection[str] = ()
) -> Compiled:
    """What the agent or the plan of a task did, as a pipeline; or why it is none, and where.

    Raises:
        NotFound
    """
    run = found(await find_run(services.database, team_id, task_id), task_id)
    plan = None
    if run.type is TaskType.PLAN:
        plan = found(await find_plan(services.database, team_id, task_id), task_id)
    calls = run.calls if plan is None else _calls_of(plan)
    uses_servers = any(call.definition.tool.startswith(PREFIX) for call in calls)
    offered = await callable_tools(services.database, team_id) if uses_servers else ()
    readers = frozenset(tool.name for tool in offered if tool.reads_resources)
    tools = Tools(services.tools.tools, readers)
    # Every word of the run is looked at: that may take a second.
    if plan is None:
        compiled = await off_loop(compile_runs, [Part(run)], tools, accepted)
    else:
        compiled = await off_loop(compile_plan, plan, tools, accepted)
    if compiled.pipeline is not None:
        # A skill, a tool or a file may be gone by now.
        inputs = dict(compiled.inputs)
        problems = await KIND.problems(services.installed, team_id, compiled.pipeline, inputs)
        if problems:
            compiled = Compiled(problems=at_calls(problems, compiled.places, at="/pipeline"))
    log.info(
        "task.compiled",
        task_id=str(task_id),
        steps=len(compiled.steps),
        problems=len(compiled.problems),
    )
    return compiled


def _calls_of(plan: RecordedPlan) -> Iterator[RecordedCall]:
    for node in plan.nodes:
        if isinstance(node.work, RecordedPlan):
            yield from _calls_of(node.work)
        elif node.work is not None:
            yield from node.work.calls
