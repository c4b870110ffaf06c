"""The adapter of ``ports.Steps``: skills and code run in the sandbox, tools are called."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from temporalio import activity

from activities.attempts.artifacts import publish_output
from activities.attempts.attempt import Performed, run_attempt
from activities.attempts.reporter import Reporter
from activities.attempts.scratch import Scratch
from activities.attempts.scripts import Script, Scripts, error_of
from activities.inputs import Inputs
from activities.patience import patiently
from activities.sandbox.base import Sandbox, Stream
from activities.steps.arguments import Arguments, steps_read
from activities.store.attempts import Attempt, Begun
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.results import results_of
from activities.tools.context import ToolContext
from activities.tools.toolbox import Toolbox
from workflows import ports
from workflows.contracts import StepCall, StepOutcome
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError, StepTimedOut
from workflows.states import Phase

Prepare = Callable[[Step, Sequence[str], Path], AbstractAsyncContextManager[Script]]


class Steps(ports.Steps):
    """Runs steps on this machine. ``worker_id`` is written beside what it runs."""

    def __init__(
        self,
        *,
        worker_id: str,
        database: Database,
        blobs: Blobs,
        inputs: Inputs,
        sandbox: Sandbox,
        scripts: Scripts,
        tools: Toolbox,
        scratch: Scratch,
    ) -> None:
        self._worker_id = worker_id
        self._database = database
        self._blobs = blobs
        self._inputs = inputs
        self._sandbox = sandbox
        self._scripts = scripts
        self._tools = tools
        self._scratch = scratch

    @activity.defn
    async def run_skill(self, call: StepCall) -> StepOutcome:
        return await self._run_script(call, self._scripts.of_skill)

    @activity.defn
    async def run_code(self, call: StepCall) -> StepOutcome:
        return await self._run_script(call, self._scripts.of_code)

    @activity.defn
    async def call_tool(self, call: StepCall) -> StepOutcome:
        async def perform(begun: Begun, reporter: Reporter) -> Performed:
            step = Step.model_validate(begun.definition)
            arguments = await self._arguments(call, step, begun.inputs)
            named = arguments.named(step.json_args)
            assert isinstance(named, dict)
            async with self._scratch.workplace() as workplace:
                context = ToolContext(
                    call.task_id, call.team_id, workplace.output, self._database, self._inputs
                )
                reporter.enter(Phase.EXECUTING)
                try:
                    async with asyncio.timeout(call.timeout_seconds):
                        result = await self._tools.call(context, step.tool or "", named)
                except TimeoutError:
                    raise StepTimedOut(step=call.step, seconds=call.timeout_seconds) from None
                reporter.output(Stream.STDOUT, result.text.encode())
                return await self._publish(call, workplace.output, result.exit_code, result.error)

        return await run_attempt(self._database, self._attempt(call), perform)

    async def _run_script(self, call: StepCall, prepare: Prepare) -> StepOutcome:
        async def perform(begun: Begun, reporter: Reporter) -> Performed:
            step = Step.model_validate(begun.definition)
            arguments = await self._arguments(call, step, begun.inputs)
            words = arguments.command_line(list(step.args))
            limits = self._scripts.limits(call.timeout_seconds)
            async with (
                self._scratch.workplace() as workplace,
                self._inputs.leased(call.task_id, call.team_id, arguments.files) as files,
                prepare(step, words, workplace.code) as script,
            ):
                reporter.enter(Phase.EXECUTING)
                ended = await self._sandbox.run(
                    script.job(files, workplace.output, limits), reporter.output
                )
                reporter.enter(Phase.POST_PROCESS)
                error = error_of(step, ended, limits)
                return await self._publish(call, workplace.output, ended.code, error)

        return await run_attempt(self._database, self._attempt(call), perform)

    def _attempt(self, call: StepCall) -> Attempt:
        return Attempt(
            task_id=call.task_id,
            sub_task_id=call.sub_task_id,
            run=call.run,
            number=activity.info().attempt,
            retries=call.retries,
            worker_id=self._worker_id,
            is_last=call.is_last,
        )

    async def _arguments(self, call: StepCall, step: Step, inputs: Mapping[str, str]) -> Arguments:
        steps, printing = steps_read(step.json_args)
        results = await patiently(
            lambda: results_of(self._database, call.task_id, steps, with_stdout=printing)
        )
        return Arguments(inputs, results)

    async def _publish(
        self, call: StepCall, output: Path, exit_code: int | None, error: AgentOSError | None
    ) -> Performed:
        limits = self._scripts.limits(call.timeout_seconds)
        files, refused = await publish_output(self._blobs, call.team_id, output, limits)
        return Performed(exit_code=exit_code, files=files, refused=refused, error=error)
