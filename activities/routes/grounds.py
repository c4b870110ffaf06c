"""What a choice is based on: what each type of task could use, and what it may not."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from activities.kinds.base import Installed
from activities.kinds.pipeline_validation import problems_with_pipeline
from activities.kinds.tool_names import NAME_CHARACTERS, unknown_tool
from activities.routes.choices import CompilePipeline, CreateTask
from activities.skills.metadata import Skill
from activities.store.turns import BegunTurn
from activities.tools.offered import OfferedTool
from activities.tools.selection import unknown_names
from workflows.definitions.auto import Auto
from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.plan import MIN_TURNS
from workflows.pointers import Problem, problems_in
from workflows.states import Permission
from workflows.suggestions import nearest

# Of more problems than a model is shown in full, it is told where the others are.
PROBLEMS_IN_FULL = 9


@dataclass(frozen=True, slots=True)
class Grounds:
    """``tools`` and ``skills`` are those that the task may use, by name."""

    begun: BegunTurn
    auto: Auto
    installed: Installed
    tools: Mapping[str, OfferedTool]
    skills: Mapping[str, Skill]

    @property
    def may_be_pipeline(self) -> bool:
        """A pipeline asks nobody before a step, and its result is files, of no schema."""
        runs = self._tool_of_type("skill")
        has_schema = self.auto.as_agent.output_schema or self.auto.as_plan.output_schema
        return bool(self.skills) and _needs_nobody(runs) and not has_schema

    async def problems_with_creation(
        self, arguments: Mapping[str, JsonValue]
    ) -> Sequence[tuple[str, str]]:
        """What is wrong with the arguments of ``create_task``."""
        try:
            created = CreateTask.model_validate(arguments)
        except ValidationError as error:
            found = problems_in(error.errors(include_url=False), arguments, model=CreateTask)
            return _told(found)
        return _told(await asyncio.to_thread(lambda: list(self._unfit(created))))

    async def problems_with_compilation(
        self, arguments: Mapping[str, JsonValue]
    ) -> Sequence[tuple[str, str]]:
        """What is wrong with the arguments of ``compile_pipeline``."""
        try:
            pipeline = CompilePipeline.model_validate(arguments).pipeline
        except ValidationError as error:
            errors = error.errors(include_url=False)
            return _told(problems_in(errors, arguments, model=CompilePipeline))
        begun = self.begun
        found = await problems_with_pipeline(
            self.installed, begun.team_id, pipeline, begun.inputs, by_model=True
        )
        return _told([*found, *self._forbidden(pipeline, found)])

    def _unfit(self, created: CreateTask) -> Iterator[Problem]:
        turns = self.auto.as_plan.limits.turns
        if created.type == "plan" and turns < MIN_TURNS:
            message = f"a plan takes {MIN_TURNS} turns or more, and this task may take {turns}"
            yield Problem("/type", f"{message}; create a task of type agent")
        yield from self._unknown(created)

    def _unknown(self, created: CreateTask) -> Iterator[Problem]:
        for index, name in enumerate(created.skills or ()):
            if name not in self.skills:
                near = nearest(name, self.skills)
                more = f"Did you mean {near}?" if near else f"Skills: {', '.join(self.skills)}."
                shown = name[:NAME_CHARACTERS]
                yield Problem(f"/skills/{index}", f"there is no skill {shown!r} here. {more}")
        wanted = created.tools or ()
        unknown = set(unknown_names(wanted, self.tools))
        for index, name in enumerate(wanted):
            if name in unknown:
                yield Problem(f"/tools/{index}", unknown_tool(name, self.tools))

    def _forbidden(self, pipeline: Pipeline, found: Sequence[Problem]) -> Iterator[Problem]:
        """Steps that are sound by themselves, but that the task may not make, or not without a
        person's approval. Who writes a pipeline approves its steps by that: here it is a model."""
        for index, step in enumerate(pipeline.steps):
            at = f"/pipeline/steps/{index}"
            if any(f"{problem.pointer}/".startswith(f"{at}/") for problem in found):
                continue
            skill = step.code.skill if step.code else step.skill
            tool = self._tool_of(step)
            if tool is None or not (skill is None or skill in self.skills):
                yield Problem(at, f"the task may not run {skill or step.runs}")
            elif not _needs_nobody(tool):
                message = f"{tool.name} needs a person's approval, for which no pipeline waits"
                yield Problem(at, f"{message}; create a task of type agent")

    def _tool_of(self, step: Step) -> OfferedTool | None:
        """What an agent would make the step with."""
        return self._tool_of_type(step.kind) if step.tool is None else self.tools.get(step.tool)

    def _tool_of_type(self, kind: str) -> OfferedTool | None:
        return next((tool for tool in self.tools.values() if tool.call_type == kind), None)


def _needs_nobody(tool: OfferedTool | None) -> bool:
    return tool is not None and tool.permission is Permission.AUTO and tool.question is None


def _told(problems: Sequence[Problem]) -> Sequence[tuple[str, str]]:
    """All of them: those that are too many to be shown in full by their places."""
    shown = [(problem.pointer, problem.message) for problem in problems[:PROBLEMS_IN_FULL]]
    if more := problems[PROBLEMS_IN_FULL:]:
        places = ", ".join(problem.pointer for problem in more)
        shown.append(("", f"{len(more)} more, at {places}"))
    return shown
