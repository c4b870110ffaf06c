"""JSON schemas that people write: are they sound, and does a value fit one.

A check may take any time: references that unfold without end, patterns that backtrack. So it is
made in a process of its own, within limits. No reference is ever followed out of a schema.
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import JsonValue, TypeAdapter

from activities.tools.schema_words import words_of
from workflows.pointers import Problem, escaped, pointer

# Some 4,000 tokens, which every prompt holds. To check more takes a second, too.
MAX_SCHEMA_BYTES = 16 * 1024
MAX_SCHEMA_DEPTH = 40  # Each level of a value takes two or three of its schema.
MAX_ARGUMENT_DEPTH = 100  # pydantic gives up at 255, and nobody means as many.
MAX_INSTANCE_BYTES = 1024 * 1024
MAX_PROBLEMS = 10
CHECK_SECONDS = 10.0

_CHECKER = Path(__file__).with_name("schema_checker.py")
_MESSAGE_CHARACTERS = 300

# Below these stands data, even when it looks like a schema; and names of somebody's choice.
_DATA = frozenset({"const", "enum", "default", "examples"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


@dataclass(frozen=True, slots=True)
class _Misfit:
    path: list[str | int]
    message: str = ""
    keyword: str | None = None
    wanted: JsonValue = None
    found: str = "null"
    names: tuple[str, ...] = ()
    value: str | None = None

    @property
    def problem(self) -> Problem:
        words = self.message or words_of(
            self.keyword, self.wanted, self.found, self.names, self.value
        )
        return Problem(pointer(self.path), _shortened(words))


_FOUND = TypeAdapter(list[_Misfit])


def schema_problems(schema: Mapping[str, JsonValue]) -> tuple[Problem, ...]:
    """Why ``schema`` cannot be an output schema, each at a JSON pointer into it; at most ten."""
    if is_deeper(schema, MAX_SCHEMA_DEPTH):
        return (Problem("", f"it is nested more than {MAX_SCHEMA_DEPTH} levels deep"),)
    size = len(json.dumps(schema).encode())
    if size > MAX_SCHEMA_BYTES:
        return (Problem("", f"it has {size} bytes, more than {MAX_SCHEMA_BYTES}"),)
    from jsonschema import Draft202012Validator

    from activities.tools.schema_checker import distinct

    errors = Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)
    found = (_Misfit(**found).problem for found in distinct(errors))
    return tuple(islice(found, MAX_PROBLEMS)) or tuple(islice(_unusable(schema), MAX_PROBLEMS))


async def check_instance(
    schema: Mapping[str, JsonValue], instance: JsonValue, *, seconds: float = CHECK_SECONDS
) -> tuple[Problem, ...]:
    """Where ``instance`` does not fit ``schema``, which must be sound; at most ten problems.

    A check that takes longer than ``seconds`` is a problem, too.
    """
    work = json.dumps({"schema": schema, "instance": instance, "limit": MAX_PROBLEMS}).encode()
    if len(work) > MAX_SCHEMA_BYTES + MAX_INSTANCE_BYTES:
        return (Problem("", f"it has more than {MAX_INSTANCE_BYTES} bytes: write it to a file"),)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(_CHECKER)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(work), seconds)
    except TimeoutError:
        return (Problem("", f"it could not be checked within {seconds:g} s"),)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        return (Problem("", "it could not be checked within the limits of the check"),)
    return tuple(item.problem for item in _FOUND.validate_json(printed))


def is_deeper(value: JsonValue | Mapping[str, JsonValue], levels: int) -> bool:
    """Whether objects and lists are nested in more than so many levels."""
    if not isinstance(value, (dict, list)):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deeper(part, levels - 1) for part in parts)


def rebased(schema: Mapping[str, JsonValue], at: str) -> dict[str, JsonValue]:
    """The schema with its references as they must be when it stands at ``at`` in another one."""
    copy: dict[str, Any] = json.loads(json.dumps(schema))
    for name in ("$id", "$schema"):
        copy.pop(name, None)
    for _, part in _subschemas(copy, ""):
        if isinstance(part.get("$ref"), str):
            part["$ref"] = f"#{at}{part['$ref'].removeprefix('#')}"
    return copy


def _unusable(schema: Mapping[str, JsonValue]) -> Iterator[Problem]:
    """What the standard allows, and we do not."""
    for at, part in _subschemas(schema, ""):
        reference = part.get("$ref")
        if isinstance(reference, str) and not re.fullmatch("#(/.*)?", reference):
            yield Problem(f"{at}/$ref", "only references within the schema, as #/$defs/NAME")
        elif isinstance(reference, str) and not _leads_somewhere(reference, schema):
            yield Problem(f"{at}/$ref", f"{_shortened(reference)} leads nowhere")
        if at and "$id" in part:
            yield Problem(f"{at}/$id", "a part of the schema cannot have an $id of its own")
        for name in ("$dynamicRef", "$anchor", "$dynamicAnchor"):
            if name in part:
                yield Problem(f"{at}/{name}", "write references as #/$defs/NAME")
        for pattern in _patterns(part):
            try:
                re.compile(pattern)
            except (re.error, OverflowError, RecursionError) as error:
                reason = _shortened(str(error))
                yield Problem(at, f"a pattern is not a regular expression: {reason}")


def _patterns(part: Mapping[str, JsonValue]) -> Iterator[str]:
    if isinstance(pattern := part.get("pattern"), str):
        yield pattern
    if isinstance(named := part.get("patternProperties"), dict):
        yield from named


def _subschemas(
    node: JsonValue | Mapping[str, JsonValue], at: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, itself first, with its JSON pointer."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _subschemas(item, f"{at}/{number}")
    if not isinstance(node, dict):
        return
    yield at, node
    for key, value in node.items():
        if key in _NAMED and isinstance(value, dict):
            for name, item in value.items():
                yield from _subschemas(item, f"{at}/{key}/{escaped(name)}")
        elif key not in _DATA:
            yield from _subschemas(value, f"{at}/{escaped(key)}")


def _leads_somewhere(reference: str, schema: Mapping[str, JsonValue]) -> bool:
    node: Any = schema
    for part in unquote(reference.removeprefix("#")).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return False
    return isinstance(node, (dict, bool))


def _shortened(message: str) -> str:
    """Its middle is the value, of any length; what is wrong with it comes last."""
    if len(message) <= _MESSAGE_CHARACTERS:
        return message
    half = _MESSAGE_CHARACTERS // 2
    return f"{message[:half]}...{message[-half:]}"
