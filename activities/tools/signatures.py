"""What a tool's function says of itself: its arguments, their schema, and whether it is sound."""

import inspect
import linecache
import re
import traceback
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticUndefined
from pydantic_core.core_schema import ModelSchema

from activities.tools.context import AgentContext, ToolContext
from activities.tools.own.code import plain_names
from workflows.errors.tools import ToolDefinitionInvalid

MAX_DESCRIPTION_CHARACTERS = 16_384

# What models of every vendor take for the name of a function.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Signature:
    """``context`` is the type of the first parameter, where that is one; else None.

    ``arguments`` is a model of the others, and ``schema`` that of the model.
    """

    context: type[ToolContext] | None
    arguments: type[BaseModel]
    schema: dict[str, Any]


def read(function: Callable[..., Any]) -> Signature:
    """The signature of a function that is to be a tool.

    Raises:
        ToolDefinitionInvalid: what no model could call, or no check could judge.
    """
    if not is_function(function):
        raise invalid(function, "it is no function; write @tool() above one with `def`")
    if inspect.isasyncgenfunction(function):
        raise invalid(function, "it yields, and a tool gives its result at once; return a list")
    parameters = list(inspect.signature(function).parameters.values())
    types = _types(function)
    context = types.get(parameters[0].name) if parameters else None
    if not (isinstance(context, type) and issubclass(context, ToolContext)):
        context = None
    arguments = parameters[context is not None :]
    if reason := _objection(function, arguments, types):
        raise invalid(function, reason)
    try:
        model = _model_of(function.__name__, arguments, types)
        return Signature(context, model, _schema_of(model))
    except (PydanticUserError, TypeError) as error:
        # What pydantic says is how to mend models of pydantic.
        raise invalid(function, _misfit(arguments, types)) from error


def is_for_agents(signature: Signature) -> bool:
    return signature.context is not None and issubclass(signature.context, AgentContext)


def _types(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise invalid(function, f"a type cannot be found: {error}") from error


def _objection(
    function: Callable[..., Any], arguments: Sequence[inspect.Parameter], types: dict[str, Any]
) -> str:
    """What is wrong with a function; empty where it can be a tool."""
    description = inspect.cleandoc(function.__doc__ or "")
    if not _NAME.fullmatch(function.__name__):
        return "its name must be a-z, 0-9 and _, begin with a letter, and have 64 characters"
    if not description:
        return "it has no docstring, which is what people and models are told of it"
    if len(description) > MAX_DESCRIPTION_CHARACTERS:
        return f"its docstring has more than {MAX_DESCRIPTION_CHARACTERS} characters"
    return next(filter(None, (_objection_to(item, types) for item in arguments)), "")


def _objection_to(item: inspect.Parameter, types: dict[str, Any]) -> str:
    if item.kind in _STARRED:
        return f"*{item.name} has no schema; name each argument"
    if item.kind is inspect.Parameter.POSITIONAL_ONLY:
        return f"{item.name!r} is positional only, and arguments are passed by name"
    if item.name not in types:
        return f"argument {item.name!r} has no type"
    if item.name.startswith(("_", "model_")):
        return f"argument {item.name!r} may begin neither with _ nor with model_"
    return ""


def _misfit(parameters: Sequence[inspect.Parameter], types: dict[str, Any]) -> str:
    """Which argument has no schema, and why."""
    for item in parameters:
        given = types[item.name]
        bare = typing.get_args(given)[0] if typing.get_origin(given) is typing.Annotated else given
        kind = plain_names(inspect.formatannotation(bare))
        try:
            _schema_of(_model_of("argument", [item], types))
        except PydanticUserError:
            return (
                f"argument {item.name!r} has the type {kind}, for which there is no JSON. Use "
                "text, numbers, lists, mappings, enums, or dataclasses or models of pydantic of "
                "these"
            )
        except TypeError:
            return f"argument {item.name!r} has the type {kind}, which its Field() does not fit"
    return "its arguments have no JSON schema together"


def place_of(function: Callable[..., Any]) -> str:
    """The file of a function, and the line with its name. Of what is none, the line that is run
    just now outside of AgentOS."""
    if not is_function(function):
        return _running_line()
    code = inspect.unwrap(function).__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename)
    head = re.compile(rf"\s*(async\s+)?def\s+{re.escape(code.co_name)}\b")
    first = code.co_firstlineno  # That of the first decorator.
    found = (number for number in range(first, len(lines) + 1) if head.match(lines[number - 1]))
    return f"{code.co_filename}:{next(found, first)}"


def _running_line() -> str:
    frames = traceback.walk_stack(None)
    ours = __name__.rpartition(".")[0]
    frame, line = next(
        found
        for found in frames
        if found[0].f_globals.get("__name__", "").rpartition(".")[0] != ours
    )
    return f"{frame.f_code.co_filename}:{line}"


def is_function(function: Callable[..., Any]) -> bool:
    bare = inspect.unwrap(function)
    return inspect.isfunction(bare) or inspect.ismethod(bare)


def globals_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The names of the module that it is defined in."""
    found: dict[str, Any] = inspect.unwrap(function).__globals__
    return found


def invalid(function: Callable[..., Any], reason: str) -> ToolDefinitionInvalid:
    name = getattr(function, "__name__", type(function).__name__)
    return ToolDefinitionInvalid(tool=name, place=place_of(function), reason=reason)


class _WithoutTitles(GenerateJsonSchema):
    """A title repeats the name, and a model pays for every word."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        found.pop("title", None)
        return found


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(schema_generator=_WithoutTitles)


def _model_of(
    name: str, parameters: Sequence[inspect.Parameter], types: dict[str, Any]
) -> type[BaseModel]:
    fields: dict[str, Any] = {
        item.name: (
            types[item.name],
            PydanticUndefined if item.default is item.empty else item.default,
        )
        for item in parameters
    }
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), **fields)
