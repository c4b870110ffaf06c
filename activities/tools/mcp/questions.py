"""Questions that a server puts to a person while it works on a call, and the replies."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue, TypeAdapter

from activities.tools.mcp.forms import Field
from activities.tools.mcp.pages import fault_of_page, shown_page

MAX_QUESTION_CHARACTERS = 4_000
MAX_QUESTIONS = 10  # of one call
_MAX_FIELDS = 50

# PostgreSQL keeps neither, whoever writes them as escapes in JSON.
_NOT_KEPT = re.compile("[\0\ud800-\udfff]")

Action = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True, slots=True)
class Question:
    """``schema`` is an object without nesting, whose properties are the fields of a form; None
    where a person only has to agree. ``url`` is a page that they are to open for that."""

    text: str
    schema: Mapping[str, JsonValue] | None = None
    url: str | None = None

    @property
    def key(self) -> str:
        """The same when the server asks the same again."""
        parts = [self.text, self.schema] if self.url is None else [self.text, self.schema, self.url]
        document = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()

    @property
    def shown(self) -> str:
        """With what to answer."""
        if self.url is not None:
            return shown_page(self.url, self.text)
        lines = [field.shown for field in self.fields.values()]
        if not lines:
            return self.text
        how = "Answer with" if len(lines) == 1 else "Answer with lines NAME=VALUE, or JSON, for"
        return "\n".join([self.text, f"{how}:", *lines])

    def content(self, answer: str) -> dict[str, JsonValue] | None:
        """An answer in words as the fields of the form, with the defaults of those that are left
        out. Raises ``ValueError`` with the reason."""
        if self.schema is None:
            return None
        fields = self.fields
        given = {name: value for name, value in self._given(answer) if value is not None}
        if unknown := [name for name in given if name not in fields]:
            raise ValueError(f"there is no field {unknown[0]!r}")
        content = {name: part.value(given[name]) for name, part in fields.items() if name in given}
        for name, part in fields.items():
            if name not in content and part.default is not None:
                content[name] = part.default
            if name not in content and part.is_required:
                raise ValueError(f"{name!r} is missing")
        if any(_NOT_KEPT.search(words) for value in content.values() for words in _texts(value)):
            raise ValueError("it has a character that cannot be kept: a NUL, or half of one")
        return content

    @property
    def fields(self) -> dict[str, Field]:
        """By their names, in the order of the form."""
        schema = self.schema or {}
        named, wanted = schema.get("properties"), schema.get("required")
        required = wanted if isinstance(wanted, list) else []
        return {
            name: Field(name, part if isinstance(part, dict) else {}, name in required)
            for name, part in (named.items() if isinstance(named, dict) else ())
        }

    def _given(self, answer: str) -> Iterator[tuple[str, JsonValue]]:
        fields = self.fields
        if not fields or not answer.strip():
            return
        try:
            parsed = json.loads(answer)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            yield from parsed.items()
            return
        lines = [line.partition("=") for line in filter(None, map(str.strip, answer.splitlines()))]
        if all(sign and name.strip() in fields for name, sign, _ in lines):
            yield from ((name.strip(), value.strip()) for name, _, value in lines)
            return
        needed = [
            name for name, part in fields.items() if part.is_required and part.default is None
        ]
        only = needed if len(needed) == 1 else list(fields)
        if len(only) == 1 and (len(fields) == 1 or (len(lines) == 1 and not lines[0][1])):
            yield only[0], answer.strip()
            return
        for name, sign, value in lines:
            if not sign:
                raise ValueError(f"write a line NAME=VALUE for each of {', '.join(fields)}")
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


def _texts(value: JsonValue) -> Iterator[str]:
    parts = value if isinstance(value, list) else [value]
    return (part for part in parts if isinstance(part, str))


def fault_of(question: Question) -> str | None:
    """Why a question is not put to anybody."""
    if question.url is not None and (fault := fault_of_page(question.url)) is not None:
        return fault
    properties = (question.schema or {}).get("properties")
    if isinstance(properties, dict) and len(properties) > _MAX_FIELDS:
        return f"it wants a form of more than {_MAX_FIELDS} fields filled in"
    if len(question.shown) > MAX_QUESTION_CHARACTERS:
        return f"it asks a question of more than {MAX_QUESTION_CHARACTERS} characters"
    return None
