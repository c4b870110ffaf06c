"""Native tools: functions with types and a docstring, under ``@tool()``. Those of AgentOS are in
``activities.tools.native``; ``activities.tools.own`` finds those of whoever runs it.

A tool's first parameter may be its ``ToolContext``, or an ``AgentContext`` if it is for agents
only; the others are its arguments, and their types make its JSON schema. Whatever else sets a tool
apart is a flag: nobody asks for its name.
"""

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from activities.equipment import Equipment
from activities.tools import options, signatures
from activities.tools.context import AgentContext, ToolContext, ToolResult
from activities.tools.finish import FINISH
from activities.tools.options import Need
from activities.tools.own.calling import calling, failing_as
from activities.tools.own.code import OwnCode, shown_place
from activities.tools.own.results import bounded, most_bytes_of
from workflows.definitions.fallback import Fallback
from workflows.discovery import modules_of
from workflows.errors.tools import ToolArgumentsInvalid, ToolNameTaken, ToolNotFound, ToolTimedOut
from workflows.pointers import MAX_PROBLEMS, problems_in
from workflows.states import Permission

DEFAULT_TIMEOUT_SECONDS = 60.0

_NATIVE = "activities.tools.native"

Call = Callable[[ToolContext, Mapping[str, Any]], Awaitable[ToolResult]]
ToolFunction = TypeVar("ToolFunction", bound=Callable[..., Any])
Condition = Callable[[Equipment, Mapping[str, JsonValue]], bool]
"""Something that holds of a call with these arguments, on a worker with this equipment."""

CallType = Literal["skill", "code", "tool", "plan", "route"]
"""What people see a call as: the run of a skill's script, of code, or of anything else."""

Reads = Literal["data", "means"]
"""What a call only reads: ``data``, or which ``means`` there are, such as skills and tools."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as people and models see it. ``schema`` is the JSON schema of its arguments.

    ``permission`` holds unless the team says otherwise. ``is_retry_safe``: it may be called again
    when nobody knows whether the last call took effect; but not where ``unsafe_if`` holds of the
    call. ``question`` is the argument that is put to a person: the workflow waits for the answer,
    which is the result, and the tool is never run. ``shows_skills``: a model that is offered it is
    given the list of skills in advance. ``finds_tools``: its results name tools that a model could
    not be shown, and is shown from then on; it is sent only where there are some. ``finds_skills``:
    a model that is offered it can be left to search for skills. ``reads``: a call leaves nothing
    behind but what the model has read. ``cache``: its result follows from its arguments alone, and
    may be taken for that of an equal call of a step for so long. The ``fallback`` is called in its
    place while its breaker is open, unless the team names another. ``is_for_residents``: it is
    offered to agents that stay only. ``shows_notes``: a model that is offered it is told how many
    notes it has. ``origin`` is the module that it comes from, ``place`` the
    file and line, and ``source`` is the SHA-256 of a house's own code, where results are kept that
    follow from it.
    """

    name: str
    description: str
    schema: dict[str, Any]
    arguments: type[BaseModel]
    function: Call
    origin: str
    place: str
    permission: Permission = Permission.AUTO
    is_retry_safe: bool = False
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    is_for_agents_only: bool = False
    need: Need | None = None
    call_type: CallType = "tool"
    unsafe_if: Condition | None = None
    question: str | None = None
    shows_skills: bool = False
    finds_tools: bool = False
    finds_skills: bool = False
    reads: Reads | None = None
    cache: timedelta | None = None
    fallback: Fallback | None = None
    is_for_residents: bool = False
    shows_notes: bool = False
    source: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is of the house that runs AgentOS, and so is not known to be safe."""
        return _is_own(self.origin)

    def is_unsafe_with(self, equipment: Equipment, arguments: Mapping[str, JsonValue]) -> bool:
        """Whether these arguments make it unsafe to repeat, even if it else is not."""
        return self.unsafe_if is not None and self.unsafe_if(equipment, arguments)

    def problems(self, arguments: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
        """What is wrong with arguments: pairs of a JSON pointer and a message."""
        try:
            self.arguments.model_validate(arguments)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
            problems = problems_in(found, arguments, model=self.arguments)
            return [(problem.pointer, problem.message) for problem in problems]
        return []

    async def call(self, context: ToolContext, arguments: Mapping[str, JsonValue]) -> ToolResult:
        """Run the tool.

        Raises:
            ToolArgumentsInvalid: before the tool does anything.
            ToolTimedOut: it took longer than ``timeout_seconds`` and was stopped.
            AgentOSError: what else the tool has to say.
        """
        if self.is_for_agents_only and not isinstance(context, AgentContext):
            raise ToolNotFound(tool=self.name, known="those for pipelines; this is one for agents")
        if found := self.problems(arguments):
            reason = "; ".join(f"{at or '/'}: {message}" for at, message in found)
            raise ToolArgumentsInvalid(tool=self.name, reason=reason)
        valid = self.arguments.model_validate(arguments)
        given = {name: getattr(valid, name) for name in type(valid).model_fields}
        deadline = asyncio.timeout(self.timeout_seconds)
        try:
            async with deadline:
                if not self.is_own:
                    return await self.function(context, given)
                is_unsafe = self.is_unsafe_with(context.equipment, arguments)
                is_safe = self.is_retry_safe and not is_unsafe
                with failing_as(self.name, _code_of(self.origin, self.place), is_safe=is_safe):
                    result = await self.function(context, given)
                return bounded(self.name, result, most_bytes_of(context))
        except TimeoutError:
            if not deadline.expired():
                raise
            raise self._timed_out() from None

    def _timed_out(self) -> ToolTimedOut:
        error = ToolTimedOut(tool=self.name, seconds=self.timeout_seconds)
        file, _, line = self.place.rpartition(":")
        longer = f", or raise `timeout_seconds` of its @tool() in {shown_place(file, line)}"
        error.remedy = (
            f"give it less to do at once{longer if self.is_own else ''}. The `timeout` of a step "
            "ends it earlier, never later."
        )
        return error


def _is_own(module: str) -> bool:
    return not module.startswith(f"{_NATIVE}.")


def _code_of(origin: str, place: str) -> OwnCode:
    return OwnCode.of(origin, place.rpartition(":")[0])


def tool(
    bare: Callable[..., Any] | None = None,
    /,
    *,
    permission: Permission | Literal["auto", "ask", "deny"] = Permission.AUTO,
    is_retry_safe: bool = False,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    need: Need | None = None,
    call_type: CallType = "tool",
    unsafe_if: Condition | None = None,
    question: str | None = None,
    shows_skills: bool = False,
    finds_tools: bool = False,
    finds_skills: bool = False,
    reads: Reads | None = None,
    cache: timedelta | None = None,
    fallback: Fallback | None = None,
    is_for_residents: bool = False,
    shows_notes: bool = False,
) -> Callable[[ToolFunction], ToolFunction]:
    """Offer a function as a native tool, under its own name. See ``Tool`` for the rest.

    Raises:
        ToolDefinitionInvalid: it cannot be one, or an option is none.
        ToolNameTaken: its module has another of this name.
    """
    given = {name: value for name, value in locals().items() if name != "bare"}
    if bare is not None:
        raise signatures.invalid(bare, "write @tool() above it, with parentheses")

    def offer(function: ToolFunction) -> ToolFunction:
        made = _made_of(function, given)
        key = function.__module__, function.__qualname__
        _refuse_second(_made.get(key), function, made)
        _made[key] = (function, made)
        return function

    return offer


def _made_of(function: Callable[..., Any], given: Mapping[str, Any]) -> Tool:
    signature = signatures.read(function)
    try:
        flags = options.read(given, signature.arguments.model_fields)
    except ValueError as error:
        raise signatures.invalid(function, str(error)) from error
    origin, place = function.__module__, signatures.place_of(function)
    keeps_own = flags["cache"] is not None and _is_own(origin)
    return Tool(
        name=function.__name__,
        description=inspect.cleandoc(function.__doc__ or ""),
        schema=signature.schema,
        arguments=signature.arguments,
        function=calling(function, has_context=signature.context is not None),
        origin=origin,
        place=place,
        is_for_agents_only=signatures.is_for_agents(signature),
        source=_code_of(origin, place).digest if keeps_own else "",
        **flags,
    )


def _refuse_second(
    other: tuple[Callable[..., Any], Tool] | None, function: Callable[..., Any], made: Tool
) -> None:
    """A module that is loaded anew makes its tools again: it has other globals then."""
    if other is None or other[1].place == made.place:
        return
    if signatures.globals_of(other[0]) is signatures.globals_of(function):
        raise _name_taken(function, made, {made.name: other[1]})


class Registry:
    """The native tools by name: those of AgentOS, and those of the house, in modules of its own.

    Raises:
        ToolNameTaken: a tool of the house is called like another one.
    """

    def __init__(self, own: Iterable[ModuleType] = ()) -> None:
        built_in = modules_of(importlib.import_module(_NATIVE))
        found: dict[str, Tool] = {}
        for function, tool in _tools_of([*built_in, *own]):
            if tool.name in found or tool.name == FINISH:
                raise _name_taken(function, tool, found)
            found[tool.name] = tool
        self.tools: Mapping[str, Tool] = MappingProxyType(dict(sorted(found.items())))

    @property
    def for_pipelines(self) -> Mapping[str, Tool]:
        return {name: tool for name, tool in self.tools.items() if not tool.is_for_agents_only}

    def find(self, name: str) -> Tool:
        if name not in self.tools:
            raise ToolNotFound(tool=name, known=", ".join(self.tools))
        return self.tools[name]


_made: dict[tuple[str, str], tuple[Callable[..., Any], Tool]] = {}
"""Every function under ``@tool()`` that was imported, by its module and name."""


def _tools_of(modules: Iterable[ModuleType]) -> Iterator[tuple[Callable[..., Any], Tool]]:
    """Those that were made in the modules, or in the packages that they are, in that order."""
    for module in modules:
        inside = f"{module.__name__}."
        for function, tool in list(_made.values()):
            if tool.origin == module.__name__ or tool.origin.startswith(inside):
                yield function, tool


def _name_taken(
    function: Callable[..., Any], tool: Tool, found: Mapping[str, Tool]
) -> ToolNameTaken:
    other = found.get(tool.name)
    return ToolNameTaken(
        place=signatures.place_of(function),
        tool=tool.name,
        other=other.place if other and other.is_own else "AgentOS",
    )
