"""A tool as it is sent: whole, or in fewer words, for a model that has no room for all of it.

What is left out of a schema is told apart by what it costs a model: words first, then the insides
of arguments, then the arguments themselves. The server that has the tool checks them in any case.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from activities.llm.base import ToolSpec
from activities.skills.section import cut_at_word

Count = Callable[[str], int]

# What a tool takes beside its name, description and schema: the JSON around them, in tokens.
TOOL_TOKENS = 12

BRIEF_CHARACTERS = 200
_BRIEF_ARGUMENT_CHARACTERS = 80
_OUTLINE_CHARACTERS = 120
_OUTLINE_ARGUMENT_CHARACTERS = 40
_OUTLINE_ENUM_CHARACTERS = 200
_OUTLINE_NAME_CHARACTERS = 64
MAX_OUTLINE_ARGUMENTS = 20

# What is said of a tool whose arguments are not all told.
_POINTER = "[shortened: find_tools with this name tells its arguments]"
_NO_POINTER = "[shortened: not all is told of its arguments]"

_REMEMBERED_TOOLS = 4_096

# Words for people and programs that write schemas; no model calls a tool better for them.
_DROPPED = frozenset({"$schema", "$comment", "$id", "title", "examples"})
# Below these stand names of somebody's choice, or data, whatever they look like.
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_DATA = frozenset({"const", "enum", "default"})

_TYPES = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})

# OpenAI refuses an object without properties.
_ANYTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}


@dataclass(frozen=True, slots=True)
class Form:
    """A way to send a tool. ``is_partial``: its arguments are not all in it."""

    tool: ToolSpec
    tokens: int
    is_partial: bool = False


class ToolForms:
    """Makes forms of tools, and remembers those that it made. ``count`` counts tokens."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._remembered: OrderedDict[tuple[str, ...], tuple[Form, ...]] = OrderedDict()

    def of(self, tool: ToolSpec, *, is_searched: bool = True) -> tuple[Form, ...]:
        """From the whole tool to the shortest form, which has some 100 tokens at most unless its
        words are in a script of many tokens. Each has fewer than the one before. ``is_searched``: a
        search tells what is left out."""
        told = _POINTER if is_searched else _NO_POINTER
        key = (tool.name, tool.description, json.dumps(tool.parameters), told)
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= _REMEMBERED_TOOLS:
                self._remembered.popitem(last=False)
            found = self._remembered[key] = self._made(tool, told)
        return found

    def _made(self, tool: ToolSpec, told: str) -> tuple[Form, ...]:
        forms = [Form(tool, self._tokens(tool))]
        for shortened, is_partial in _shortened(tool, told):
            tokens = self._tokens(shortened)
            if tokens < forms[-1].tokens:
                forms.append(Form(shortened, tokens, is_partial))
        return tuple(forms)

    def _tokens(self, tool: ToolSpec) -> int:
        words = (tool.name, tool.description, json.dumps(tool.parameters))
        return TOOL_TOKENS + sum(map(self._count, words))


def _shortened(tool: ToolSpec, told: str) -> Sequence[tuple[ToolSpec, bool]]:
    brief = replace(
        tool,
        description=cut_at_word(tool.description, BRIEF_CHARACTERS),
        parameters=_brief(tool.parameters),
    )
    description = f"{cut_at_word(tool.description, _OUTLINE_CHARACTERS)} {told}".strip()
    outline = replace(tool, description=description, parameters=_outline(tool.parameters))
    bare = replace(tool, description=description, parameters=_ANYTHING)
    return (brief, False), (outline, True), (bare, True)


def _brief(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with short descriptions."""
    shorter: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DROPPED:
            continue
        if key == "description" and isinstance(value, str):
            value = cut_at_word(value, _BRIEF_ARGUMENT_CHARACTERS)  # noqa: PLW2901
        elif key in _NAMED and isinstance(value, dict):
            value = {name: _brief_part(part) for name, part in value.items()}  # noqa: PLW2901
        elif key not in _DATA:
            value = _brief_part(value)  # noqa: PLW2901
        shorter[key] = value
    return shorter


def _brief_part(part: Any) -> Any:
    if isinstance(part, dict):
        return _brief(part)
    return [_brief_part(item) for item in part] if isinstance(part, list) else part


def _outline(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name and type, those first that a call must have."""
    given = schema.get("properties")
    arguments = given if isinstance(given, dict) else {}
    listed = schema.get("required")
    required = [name for name in listed if name in arguments] if _is_names(listed) else []
    named = [name for name in dict.fromkeys((*required, *arguments)) if _is_short(name)]
    shown = named[:MAX_OUTLINE_ARGUMENTS]
    outline: dict[str, Any] = {
        "type": "object",
        "properties": {name: _outline_argument(arguments[name]) for name in shown},
    }
    if must := [name for name in shown if name in required]:
        outline["required"] = must
    return outline


def _outline_argument(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, dict):
        return {}
    outline: dict[str, Any] = {}
    if kind := _type_of(schema):
        outline["type"] = kind
        if "array" in kind:  # OpenAI refuses one that does not say what is in it.
            outline["items"] = _items(schema)
    if "enum" in schema and len(json.dumps(schema["enum"])) <= _OUTLINE_ENUM_CHARACTERS:
        outline["enum"] = schema["enum"]
    if isinstance(words := schema.get("description"), str):
        outline["description"] = cut_at_word(words, _OUTLINE_ARGUMENT_CHARACTERS)
    return outline


def _items(schema: Mapping[str, Any]) -> dict[str, Any]:
    items = schema.get("items")
    kind = items.get("type") if isinstance(items, dict) else None
    return {"type": kind} if isinstance(kind, str) and kind in _TYPES - {"array"} else {}


def _type_of(schema: Mapping[str, Any]) -> str | list[str] | None:
    """Its type or types; of alternatives such as text or null, those of all."""
    kind = schema.get("type")
    if _is_names(kind):
        return [name for name in kind if name in _TYPES] or None
    if isinstance(kind, str):
        return kind if kind in _TYPES else None
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(choices, list) or not choices:
        return None
    kinds = [choice.get("type") if isinstance(choice, dict) else None for choice in choices]
    if not _is_names(kinds) or not _TYPES.issuperset(kinds):
        return None
    return list(dict.fromkeys(kinds))


def _is_names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_short(name: str) -> bool:
    return len(name) <= _OUTLINE_NAME_CHARACTERS
