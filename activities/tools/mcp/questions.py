"""Questions that a server puts to a person while it works on a call, and the replies."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue, TypeAdapter

MAX_QUESTION_CHARACTERS = 4_000
MAX_QUESTIONS = 10  # of one call
_MAX_FIELDS = 50
_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})

Action = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True, slots=True)
class Question:
    """``schema`` is an object without nesting, whose properties are the fields of a form; None
    where a person only has to agree. ``key`` is the same when the server asks the same again."""

    text: str
    schema: Mapping[str, JsonValue] | None = None

    @property
    def key(self) -> str:
        document = json.dumps([self.text, self.schema], sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()

    @property
    def shown(self) -> str:
        """With what to answer."""
        lines = [
            _described(name, self._fields[name], name in self._required) for name in self._fields
        ]
        if not lines:
            return self.text
        how = "Answer with" if len(lines) == 1 else "Answer with lines NAME=VALUE, or JSON, for"
        return "\n".join([self.text, f"{how}:", *lines])

    def content(self, answer: str) -> dict[str, JsonValue] | None:
        """An answer in words as the fields of the form. Raises ``ValueError`` with the reason."""
        if self.schema is None:
            return None
        given = dict(self._given(answer)) if self._fields else {}
        if unknown := [name for name in given if name not in self._fields]:
            raise ValueError(f"there is no field {unknown[0]!r}")
        if missing := [name for name in self._required if name not in given]:
            raise ValueError(f"{missing[0]!r} is missing")
        return {name: _value(name, self._fields[name], value) for name, value in given.items()}

    @property
    def _fields(self) -> dict[str, Mapping[str, JsonValue]]:
        named = (self.schema or {}).get("properties")
        pairs = named.items() if isinstance(named, dict) else ()
        return {name: part if isinstance(part, dict) else {} for name, part in pairs}

    @property
    def _required(self) -> list[str]:
        named = (self.schema or {}).get("required")
        wanted = named if isinstance(named, list) else []
        return [name for name in self._fields if name in wanted]

    def _given(self, answer: str) -> Iterator[tuple[str, JsonValue]]:
        try:
            parsed = json.loads(answer)
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            yield from parsed.items()
            return
        only = self._required if len(self._required) == 1 else list(self._fields)
        if len(only) == 1:
            yield only[0], answer.strip()
            return
        for line in filter(None, map(str.strip, answer.splitlines())):
            name, sign, value = line.partition("=")
            if not sign:
                raise ValueError(f"write a line NAME=VALUE for each of {', '.join(self._fields)}")
            yield name.strip(), value.strip()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person replied; ``content`` are the fields of the form."""

    action: Action
    content: dict[str, JsonValue] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, stored: Mapping[str, JsonValue]) -> "Reply":
        return _REPLY.validate_python(stored)


_REPLY = TypeAdapter(Reply)

Replies = Mapping[str, Reply]
"""By the keys of the questions."""


def question_of(message: str, schema: Mapping[str, JsonValue] | None) -> Question | None:
    """None for one that is too long to be put to anybody."""
    properties = (schema or {}).get("properties")
    is_short = not isinstance(properties, dict) or len(properties) <= _MAX_FIELDS
    question = Question(message, schema)
    return question if is_short and len(question.shown) <= MAX_QUESTION_CHARACTERS else None


def _described(name: str, part: Mapping[str, JsonValue], is_required: bool) -> str:
    says = part.get("description") or part.get("title")
    kind = part.get("type", "string")
    values = _choices(part)
    one_of = f"one of {', '.join(values)}" if values else str(kind)
    optional = "" if is_required else ", optional"
    return f"- {name} ({one_of}{optional})" + (f": {says}" if says else "")


def _choices(part: Mapping[str, JsonValue]) -> list[str]:
    items = part.get("items")
    within = items if isinstance(items, dict) else part
    listed = within.get("enum")
    if isinstance(listed, list):
        return [str(value) for value in listed]
    named = within.get("oneOf") or within.get("anyOf")
    options = named if isinstance(named, list) else []
    return [str(item["const"]) for item in options if isinstance(item, dict) and "const" in item]


def _value(name: str, part: Mapping[str, JsonValue], given: JsonValue) -> JsonValue:
    text = given.strip() if isinstance(given, str) else json.dumps(given)
    choices = _choices(part)
    match part.get("type", "string"):
        case "boolean":
            if text.lower() not in _YES | _NO:
                raise ValueError(f"{name!r} is yes or no")
            return text.lower() in _YES
        case "integer" | "number" as kind:
            return _number(name, text, is_whole=kind == "integer")
        case "array":
            chosen = given if isinstance(given, list) else text.split(",")
            values = [str(item).strip() for item in chosen]
            if choices and (wrong := [value for value in values if value not in choices]):
                raise ValueError(f"{name!r} has no {wrong[0]!r}; there is {', '.join(choices)}")
            return list(values)
    words = given if isinstance(given, str) else text
    if choices and words not in choices:
        raise ValueError(f"{name!r} is one of {', '.join(choices)}")
    return words


def _number(name: str, text: str, *, is_whole: bool) -> JsonValue:
    try:
        value = int(text) if is_whole else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name!r} is a {'whole ' if is_whole else ''}number")
    return value
