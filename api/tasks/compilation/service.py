"""A task of a team, compiled, and the pipeline checked as if it was submitted."""

from collections.abc import Collection
from uuid import UUID

import structlog

from activities.kinds.pipeline import KIND
from activities.off_loop import off_loop
from activities.store.mcp_tools import callable_tools
from activities.store.reading.runs import find_run
from api.services import Services
from api.tasks.compilation.compiling import Compiled, Part, at_calls, compile_runs
from api.tasks.compilation.natures import Tools
from api.tasks.lookup import found
from workflows.definitions.mcp_server import PREFIX

log = structlog.get_logger(__name__)


async def compile_task(
    services: Services, team_id: UUID, task_id: UUID, accepted: Collection[str] = ()
) -> Compiled:
    """What the agent of a task did, as a pipeline; or the places and reasons why it is none.

    Raises:
        NotFound
    """
    run = found(await find_run(services.database, team_id, task_id), task_id)
    uses_servers = any(call.definition.tool.startswith(PREFIX) for call in run.calls)
    offered = await callable_tools(services.database, team_id) if uses_servers else ()
    readers = frozenset(tool.name for tool in offered if tool.reads_resources)
    tools = Tools(services.tools.tools, readers)
    # Every word of the run is looked at: that may take a second.
    compiled = await off_loop(compile_runs, [Part(run)], tools, accepted)
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
