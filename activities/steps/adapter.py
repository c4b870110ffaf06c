"""The adapter of ``ports.Steps``: skills and code run in the sandbox, tools are called."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from pydantic import JsonValue
from temporalio import activity

from activities.attempts.artifacts import publish_output
from activities.attempts.attempt import Perform, Performed, run_attempt
from activities.attempts.exits import error_of, timed_out
from activities.attempts.holding import HoldsForRoom, held_for_room
from activities.attempts.losses import Repeat
from activities.attempts.reporter import Reporter
from activities.attempts.scripts import Script
from activities.attempts.unforeseen import foreseen
from activities.breakers.errors import BreakerOpen
from activities.breakers.holding import held_by
from activities.equipment import Equipment
from activities.metrics.steps import Counted
from activities.off_loop import off_loop
from activities.patience import patiently
from activities.sandbox.base import Stream
from activities.steps.arguments import Arguments, Item, steps_read
from activities.steps.remembering import Memory
from activities.steps.texts import texts_where_wanted
from activities.store.attempts import Attempt, Begun
from activities.store.reading.results import results_of
from activities.tools.context import ToolContext
from activities.tools.fallbacks import fallback_events
from activities.tools.toolbox import Toolbox
from workflows import ports
from workflows.definitions.input_reach import inputs_within_reach
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError, DiskFull
from workflows.pipeline_contracts import StepCall, StepOutcome
from workflows.states import Phase

Prepare = Callable[[Step, Sequence[str], Path], AbstractAsyncContextManager[Script]]


class Steps(ports.Steps):
    def __init__(self, equipment: Equipment, toolbox: Toolbox) -> None:
        self._equipment = equipment
        self._toolbox = toolbox
        self._memory = Memory(equipment, toolbox)
        self._holds = HoldsForRoom()

    @activity.defn
    async def run_skill(self, call: StepCall) -> StepOutcome:
        return await self._run_script(call, "skill", self._equipment.scripts.of_skill)

    @activity.defn
    async def run_code(self, call: StepCall) -> StepOutcome:
        return await self._run_script(call, "code", self._equipment.scripts.of_code)

    @activity.defn
    async def call_tool(self, call: StepCall) -> StepOutcome:
        async def perform(begun: Begun, reporter: Reporter) -> Performed:
            step = Step.model_validate(begun.definition)
            arguments = await self._arguments(call, step, begun)
            given = await off_loop(arguments.named, step.json_args)
            assert isinstance(given, dict)
            named = await self._with_texts(begun, step, given)
            call_it = partial(self._call_tool, call, begun, step, named, reporter)
            wanted = await self._memory.of_tool(call.task_id, begun, step, named)
            return await self._memory.performed(wanted, reporter, call_it)

        return await self._run(call, "tool", perform)

    async def _with_texts(
        self, begun: Begun, step: Step, named: Mapping[str, JsonValue]
    ) -> Mapping[str, JsonValue]:
        try:
            tool = await self._toolbox.find(begun.team_id, step.tool or "")
        except AgentOSError:
            return named  # Whoever calls it says why.
        return texts_where_wanted(named, tool.schema)

    async def _call_tool(
        self,
        call: StepCall,
        begun: Begun,
        step: Step,
        named: Mapping[str, JsonValue],
        reporter: Reporter,
    ) -> Performed:
        equipment = self._equipment
        async with equipment.scratch.workplace() as workplace:
            context = ToolContext(call.task_id, call.team_id, workplace.output, equipment)
            reporter.enter(Phase.EXECUTING)
            deadline = asyncio.timeout(call.timeout_seconds)
            try:
                async with deadline:
                    result = await self._toolbox.call(context, step.tool or "", named)
            except TimeoutError:
                if not deadline.expired():
                    raise
                raise timed_out(_named(step, call), call.timeout_seconds) from None
            if isinstance(result.error, BreakerOpen):
                raise held_by(result.error)
            reporter.output(Stream.STDOUT, result.text.encode("utf-8", "replace"))
            try:
                with foreseen():
                    performed = await self._publish(
                        call,
                        workplace.output,
                        result.exit_code,
                        result.error,
                        result.mime_types,
                    )
                    return replace(
                        performed,
                        events=fallback_events(begun.name, result),
                        answered_by=result.answered_by,
                    )
            except AgentOSError as error:
                # The call has been made, and another attempt would make it again.
                error.retries_used_up |= await self._repeat_of(begun) is Repeat.NEVER
                raise

    async def _run_script(self, call: StepCall, kind: str, prepare: Prepare) -> StepOutcome:
        equipment = self._equipment

        async def perform(begun: Begun, reporter: Reporter) -> Performed:
            step = Step.model_validate(begun.definition)
            arguments = await self._arguments(call, step, begun)
            unused = begun.inputs.keys() - inputs_within_reach(step, begun.inputs.keys())
            words, step = (
                _resolved(step, arguments)
                if arguments.are_short
                else await off_loop(_resolved, step, arguments)
            )
            files = await equipment.inputs.without_gone(begun.team_id, arguments.files, unused)
            gone = sorted(arguments.files.keys() - files.keys())
            if gone:
                reporter.output(Stream.STDERR, _without(gone).encode())
            async with (
                equipment.scratch.workplace() as workplace,
                prepare(step, words, workplace.code) as script,
            ):
                reporter.skill = script.used
                run = partial(
                    self._run_in_sandbox,
                    *(call, step, script, files),
                    output=workplace.output,
                    reporter=reporter,
                )
                wanted = None
                if not gone:  # Else what is kept would speak of inputs that others never had.
                    wanted = await self._memory.of_script(call.task_id, begun, step, script, files)
                return await self._memory.performed(wanted, reporter, run)

        return await self._run(call, kind, perform)

    async def _run_in_sandbox(
        self,
        call: StepCall,
        step: Step,
        script: Script,
        inputs: Mapping[str, str],
        *,
        output: Path,
        reporter: Reporter,
    ) -> Performed:
        equipment = self._equipment
        limits = equipment.scripts.limits(call.timeout_seconds)
        async with equipment.inputs.leased(call.task_id, call.team_id, inputs) as files:
            reporter.enter(Phase.EXECUTING)
            ended = await equipment.sandbox.run(script.job(files, output, limits), reporter.output)
            reporter.enter(Phase.POST_PROCESS)
            error = error_of(
                _named(step, call),
                ended,
                limits,
                script,
                stdout=reporter.stdout,
                stderr=reporter.stderr,
                disk=equipment.scratch.disk,
            )
            may_wait = ended.no_room is not None and not script.network
            if (
                may_wait
                and isinstance(error, DiskFull)
                and self._holds.take(call.sub_task_id, call.run)
            ):
                raise held_for_room(error)
            return await self._publish(call, output, ended.code, error)

    async def _run(self, call: StepCall, kind: str, perform: Perform) -> StepOutcome:
        equipment = self._equipment
        return await run_attempt(
            equipment.database,
            self._attempt(call),
            perform,
            self._repeat_of,
            equipment.slots,
            counted=Counted(equipment.numbers, kind),
            names_files=equipment.names_files,
        )

    async def _repeat_of(self, begun: Begun) -> Repeat:
        """What it costs to run a step again when nobody knows if its last attempt took effect."""
        step = Step.model_validate(begun.definition)
        if "any" in step.retry_on:
            return Repeat.FREE
        if step.tool is not None:
            is_safe = await self._toolbox.is_safe_step(begun.team_id, step.tool)
            return Repeat.FREE if is_safe else Repeat.NEVER
        is_online = step.skill is not None and self._equipment.scripts.may_use_network(step.skill)
        return Repeat.COSTLY if is_online else Repeat.FREE

    def _attempt(self, call: StepCall) -> Attempt:
        return Attempt(
            task_id=call.task_id,
            sub_task_id=call.sub_task_id,
            run=call.run,
            number=call.tried + activity.info().attempt,
            retries=call.retries,
            worker_id=self._equipment.worker_id,
            is_last=call.is_last,
            begun_in=activity.info().workflow_run_id,
            tried=call.tried,
        )

    async def _arguments(self, call: StepCall, step: Step, begun: Begun) -> Arguments:
        database = self._equipment.database
        steps, printing = steps_read(step.json_values)
        results = await patiently(
            lambda: results_of(database, call.task_id, steps, with_stdout=printing)
        )
        item = None
        if begun.item is not None and begun.index is not None:
            item = Item(begun.index, begun.item)
        return Arguments(begun.inputs, results, item)

    async def _publish(
        self,
        call: StepCall,
        output: Path,
        exit_code: int | None,
        error: AgentOSError | None,
        mime_types: Mapping[str, str] = MappingProxyType({}),
    ) -> Performed:
        limits = self._equipment.scripts.limits(call.timeout_seconds)
        files, refused = await publish_output(
            self._equipment.blobs, call.team_id, output, limits, mime_types
        )
        return Performed(exit_code=exit_code, files=files, refused=refused, error=error)


def _resolved(step: Step, arguments: Arguments) -> tuple[Sequence[str], Step]:
    """The arguments of a script, and its step with the variables that it is given."""
    arguments.place(step.files)
    words = arguments.command_line(list(step.args))
    return words, step.model_copy(update={"env": arguments.environment(step.env)})


def _without(names: Sequence[str]) -> str:
    """A line of the log."""
    named = ", ".join(names)
    return f"AgentOS: this step runs without {named}, which was deleted; its code names no input.\n"


def _named(step: Step, call: StepCall) -> Step:
    """The step under the name that people know it by: that of its item, where it runs for one."""
    return step.model_copy(update={"id": call.step})
