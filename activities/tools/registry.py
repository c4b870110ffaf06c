"""Native tools: async functions with types and a docstring, found in ``activities.tools.native``.

A tool's first parameter is its ``ToolContext``; the others are its arguments, and their types make
its JSON schema. To add one, add a module with one function under ``@tool``.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, create_model

from activities.inputs import Inputs
from activities.store.database import Database
from workflows.errors import ToolArgumentsInvalid, ToolNotFound


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where a tool is called. What it writes to ``output`` becomes an artifact."""

    task_id: UUID
    team_id: UUID
    output: Path
    database: Database
    inputs: Inputs


ToolFunction = Callable[..., Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as people and models see it. ``schema`` is the JSON schema of its arguments."""

    name: str
    description: str
    arguments: type[BaseModel]
    function: ToolFunction

    @property
    def schema(self) -> dict[str, Any]:
        return self.arguments.model_json_schema()

    def problems(self, arguments: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
        """What is wrong with arguments: pairs of a JSON pointer and a message."""
        try:
            self.arguments.model_validate(arguments)
        except ValidationError as error:
            return [
                ("".join(f"/{part}" for part in item["loc"]), item["msg"])
                for item in error.errors(include_url=False)
            ]
        return []

    async def call(self, context: ToolContext, arguments: Mapping[str, JsonValue]) -> str:
        """Raises ``ToolArgumentsInvalid`` before the tool does anything."""
        if found := self.problems(arguments):
            reason = "; ".join(f"{pointer or '/'}: {message}" for pointer, message in found)
            raise ToolArgumentsInvalid(tool=self.name, reason=reason)
        valid = self.arguments.model_validate(arguments)
        given = {name: getattr(valid, name) for name in type(valid).model_fields}
        return await self.function(context, **given)


def tool(function: ToolFunction) -> ToolFunction:
    """Offer a function as a native tool, under its own name."""
    _offered[function.__name__] = _describe(function)
    return function


class Registry:
    """The native tools by name."""

    def __init__(self) -> None:
        package = importlib.import_module("activities.tools.native")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
        self.tools: Mapping[str, Tool] = MappingProxyType(dict(sorted(_offered.items())))

    def find(self, name: str) -> Tool:
        if name not in self.tools:
            raise ToolNotFound(tool=name, known=", ".join(self.tools))
        return self.tools[name]


_offered: dict[str, Tool] = {}


def _describe(function: ToolFunction) -> Tool:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    fields: dict[str, Any] = {
        item.name: (item.annotation, ... if item.default is item.empty else item.default)
        for item in parameters
    }
    model = create_model(
        function.__name__, __config__=ConfigDict(extra="forbid", frozen=True), **fields
    )
    description = inspect.cleandoc(function.__doc__ or "")
    return Tool(function.__name__, description, model, function)
