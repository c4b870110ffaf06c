"""Steps whose result an equal step may have given before: which they are, and what they give.

What an agent's calls give is not kept: each of them sees all files of its task, so hardly two are
equal.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from pydantic import JsonValue

from activities.attempts.attempt import Performed
from activities.attempts.reporter import Reporter
from activities.attempts.scripts import Script
from activities.equipment import Equipment
from activities.results.keys import ScriptIngredients, ToolIngredients, lock_of
from activities.sandbox.base import Stream
from activities.store.attempts import Begun
from activities.store.result_cache import Result, Wanted
from activities.tools.toolbox import Toolbox
from workflows.definitions.inputs import ArtifactRef, FileRef, parse
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError


class Memory:
    """What steps gave. Each question is one about a step whose references are resolved."""

    def __init__(self, equipment: Equipment, toolbox: Toolbox) -> None:
        self._equipment = equipment
        self._toolbox = toolbox

    async def of_script(
        self,
        task_id: UUID,
        begun: Begun,
        step: Step,
        script: Script,
        inputs: Mapping[str, str],
    ) -> Wanted | None:
        """The result of a step that runs a script; None when it must not come from elsewhere."""
        lifetime = await self._lifetime_of_script(begun, step)
        if lifetime is None:
            return None
        equipment = self._equipment
        digests = await equipment.inputs.digests(task_id, begun.team_id, inputs)
        ingredients = ScriptIngredients(
            team_id=begun.team_id,
            sandbox=equipment.sandbox.kind,
            python=await self._python_of(script),
            command=script.command,
            environment=script.environment,
            inputs=digests,
            skills=script.copies,
            lock=await asyncio.to_thread(lock_of, script.venv) if script.venv else None,
            language=step.code.language if step.code else None,
            source=step.code.source if step.code else None,
            network=script.network,
            limits=equipment.scripts.limits(0),
        )
        name = script.skill or step.runs
        return _wanted(begun, step, lifetime, ingredients.key, name)

    async def of_tool(
        self, task_id: UUID, begun: Begun, step: Step, arguments: Mapping[str, JsonValue]
    ) -> Wanted | None:
        """The result of a step that calls a tool; None when it must not come from elsewhere."""
        assert step.tool is not None
        if not begun.cache or step.cache is False:
            return None
        try:
            tool = await self._toolbox.find(begun.team_id, step.tool)
        except AgentOSError:
            return None  # Whoever calls it says why.
        lifetime = step.cache or tool.cache
        if lifetime is None or not tool.may_be_cached:
            return None
        refs = _from_outside(begun, arguments) if tool.native is not None else {}
        digests = await self._equipment.inputs.digests(task_id, begun.team_id, refs)
        ingredients = ToolIngredients(
            team_id=begun.team_id,
            tool=tool.name,
            digest=tool.result_digest,
            arguments=dict(arguments),
            inputs=digests,
        )
        return _wanted(begun, step, lifetime, ingredients.key, tool.name)

    async def performed(
        self, wanted: Wanted | None, reporter: Reporter, perform: Callable[[], Awaitable[Performed]]
    ) -> Performed:
        """What an equal step gave, or else what ``perform`` gives, which is kept if it ends well.
        When nothing is ``wanted``, the step is performed."""
        if wanted is None:
            return await perform()
        async with self._equipment.results.place(wanted) as place:
            if place.result is not None:
                return _taken(place.result, reporter)
            performed = await perform()
            # What another tool answered is none of its own results.
            if performed.error is None and not performed.answered_by:
                place.keep(_result(performed, reporter))
            return performed

    async def _python_of(self, script: Script) -> str:
        """The interpreter, where it is one of this machine. Elsewhere the sandbox has its own, and
        its kind tells which."""
        if not self._equipment.sandbox.takes_interpreters:
            return ""
        return await self._equipment.scripts.python_of(script)

    async def _lifetime_of_script(self, begun: Begun, step: Step) -> timedelta | None:
        if not begun.cache or step.cache is False:
            return None
        if step.cache is not None or step.skill is None:
            return step.cache
        if self._equipment.scripts.may_use_network(step.skill):
            return None  # Who knows what its skill was told there?
        return (await self._equipment.catalogue.find(step.skill)).lifetime


def _from_outside(begun: Begun, arguments: Mapping[str, JsonValue]) -> dict[str, str]:
    """The inputs of the task that arguments name, and whose bytes may be others in another task.
    What else looks like one need not be a file at all, and is not fetched."""
    outside = {
        ref for ref in begun.inputs.values() if not isinstance(parse(ref), FileRef | ArtifactRef)
    }
    return {text: text for text in _texts(dict(arguments)) if text in outside} if outside else {}


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _wanted(begun: Begun, step: Step, lifetime: timedelta, key: str, name: str) -> Wanted:
    return Wanted(
        team_id=begun.team_id,
        key=key,
        owner=uuid4(),
        lifetime=lifetime,
        kind=step.kind,
        name=name,
        step=step.id,
    )


def _taken(result: Result, reporter: Reporter) -> Performed:
    reporter.output(Stream.STDOUT, result.stdout.encode())
    reporter.output(Stream.STDERR, result.stderr.encode())
    return Performed(
        exit_code=result.exit_code, files=result.files, refused=result.refused, cached=True
    )


def _result(performed: Performed, reporter: Reporter) -> Result:
    return Result(
        exit_code=performed.exit_code,
        stdout=reporter.stdout_text,
        stderr=reporter.stderr_text,
        files=performed.files,
        refused=performed.refused,
    )
