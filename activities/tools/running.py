"""Running a script for an agent, in the sandbox, with the task's files at hand."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from activities.attempts.exits import error_of
from activities.attempts.scripts import Script
from activities.patience import patiently
from activities.tools.context import AgentContext, ToolResult
from activities.tools.working_files import working_files
from workflows.definitions.pipeline import Step
from workflows.states import Phase

SCRIPT_SECONDS = 600.0
# Dependencies may have to be installed, and inputs to be fetched, before the script runs.
PREPARATION_SECONDS = 1_200.0
TIMEOUT_SECONDS = SCRIPT_SECONDS + PREPARATION_SECONDS

Prepare = Callable[[Step, Sequence[str], Path], AbstractAsyncContextManager[Script]]


async def run_script(
    context: AgentContext, step: Step, args: Sequence[str], prepare: Prepare
) -> ToolResult:
    """Run what ``prepare`` makes of ``step``. Its text is stdout, and stderr when it failed."""
    reporter, equipment = context.reporter, context.equipment
    files = await patiently(
        lambda: working_files(equipment.database, context.task_id, context.team_id)
    )
    arguments = files.in_arguments(args)
    limits = equipment.scripts.limits(SCRIPT_SECONDS)
    async with (
        equipment.inputs.leased(
            context.task_id, context.team_id, files.to_lease(arguments.files)
        ) as inputs,
        prepare(step, arguments.words, context.code) as script,
    ):
        reporter.skill = script.used
        reporter.enter(Phase.EXECUTING)
        ended = await equipment.sandbox.run(
            script.job(inputs, context.output, limits), reporter.output
        )
    reporter.enter(Phase.POST_PROCESS)
    error = error_of(
        step,
        ended,
        limits,
        script,
        stdout=reporter.stdout,
        stderr=reporter.stderr,
        disk=equipment.scratch.disk,
    )
    text = reporter.stdout.decode("utf-8", "replace")
    if error is not None and reporter.stderr:
        errors = reporter.stderr.decode("utf-8", "replace")
        text = "\n".join(filter(None, (text.rstrip("\n"), "stderr:", errors)))
    return ToolResult(text, exit_code=ended.code, error=error)
