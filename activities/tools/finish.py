"""``finish``, by which an agent ends: its schema, and whether what it gave was asked for."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from activities.tools.schemas import MAX_PROBLEMS, check_instance, rebased
from workflows.pointers import Problem

FINISH = "finish"
FINISH_DESCRIPTION = (
    "End the task. Call it alone, once everything is done: what was asked for is made, and checked."
)
MAX_SUMMARY_CHARACTERS = 20_000

_SUMMARY: dict[str, JsonValue] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_SUMMARY_CHARACTERS,
    "description": "What was done and found, for the person who gave the task. Name the files.",
}


def finish_schema(output_schema: Mapping[str, JsonValue] | None) -> dict[str, Any]:
    """The JSON schema of the arguments of ``finish``."""
    properties: dict[str, JsonValue] = {"summary": _SUMMARY}
    if output_schema is not None:
        properties["result"] = rebased(output_schema, "/properties/result")
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


async def finish_problems(
    output_schema: Mapping[str, JsonValue] | None, arguments: Mapping[str, JsonValue]
) -> tuple[Problem, ...]:
    """Why the arguments of ``finish`` do not do, each at a JSON pointer into them; at most ten."""
    problems = list(_form_problems(arguments, has_result=output_schema is not None))
    if output_schema is not None and "result" in arguments:
        found = await check_instance(output_schema, arguments["result"])
        problems += (Problem(f"/result{item.pointer}", item.message) for item in found)
    return tuple(problems[:MAX_PROBLEMS])


def _form_problems(arguments: Mapping[str, JsonValue], *, has_result: bool) -> Iterator[Problem]:
    wanted = {"summary", "result"} if has_result else {"summary"}
    for name in sorted(wanted - arguments.keys()):
        yield Problem("", f"{name!r} is missing")
    for name in sorted(arguments.keys() - wanted):
        yield Problem("", f"{name[:100]!r} is not an argument")
    summary = arguments.get("summary", " ")
    if not isinstance(summary, str):
        yield Problem("/summary", "it must be text")
    elif not summary:
        yield Problem("/summary", "it is empty")
    elif len(summary) > MAX_SUMMARY_CHARACTERS:
        yield Problem("/summary", f"it has more than {MAX_SUMMARY_CHARACTERS} characters")
