"""Which tool may answer in place of another: what is checked when that is declared."""

from collections.abc import Iterator, Mapping
from typing import Any

from activities.tools.context import ToolResult
from activities.tools.offered import OfferedTool
from workflows.definitions.fallback import Fallback
from workflows.events import ToolFallback
from workflows.pointers import Problem, escaped
from workflows.suggestions import nearest

# Of fallbacks of fallbacks.
MAX_CHAIN = 5


def problems_of(
    name: str, fallback: Fallback, tools: Mapping[str, OfferedTool]
) -> Iterator[Problem]:
    """What is wrong with a fallback of the tool ``name``, among the active tools of its team."""
    at = "/fallback/tool"
    theirs, ours = tools.get(fallback.tool), tools.get(name)
    if theirs is None:
        yield Problem(at, f"there is no active tool {fallback.tool!r}")
        return
    if theirs.question is not None:
        yield Problem(at, f"{theirs.name} asks a person, so it cannot answer for another tool")
    if _is_circle(name, fallback, tools):
        yield Problem(at, f"{theirs.name} leads back to {name}, or over more than {MAX_CHAIN}")
    if ours is not None:
        if ours.is_retry_safe and not theirs.is_retry_safe:
            reason = f"{name} may be called again after a lost worker, and {theirs.name} may not"
            yield Problem(at, reason)
        yield from _misfits(ours, theirs, fallback)


def fallback_events(step: str, result: ToolResult) -> tuple[ToolFallback, ...]:
    """What is told of a call that another tool has answered."""
    if not result.answered_by:
        return ()
    return (ToolFallback(step=step, tool=result.in_place_of, answered_by=result.answered_by),)


def _is_circle(name: str, fallback: Fallback, tools: Mapping[str, OfferedTool]) -> bool:
    passed = [name]
    following: Fallback | None = fallback
    while following is not None:
        if following.tool in passed or len(passed) > MAX_CHAIN:
            return True
        passed.append(following.tool)
        tool = tools.get(following.tool)
        following = None if tool is None else tool.fallback
    return False


def _misfits(ours: OfferedTool, theirs: OfferedTool, fallback: Fallback) -> Iterator[Problem]:
    """Arguments that are known not to fit. A schema of a server may say less than it means."""
    mine, known = _properties(ours.schema), _properties(theirs.schema)
    given = set(mine) if fallback.arguments is None else set(fallback.arguments)
    at = "/fallback" if fallback.arguments is None else "/fallback/arguments"
    if _is_closed(theirs.schema):
        for name in sorted(given - set(known)):
            meant = nearest(name, known)
            hint = f"; did you mean {meant!r}?" if meant else ""
            where = at if fallback.arguments is None else f"{at}/{escaped(name)}"
            yield Problem(where, f"{theirs.name} has no argument {name!r}{hint}")
    required = theirs.schema.get("required")
    for name in sorted(set(required if isinstance(required, list) else ()) - given):
        yield Problem(at, f"{theirs.name} needs the argument {name!r}")
    if _is_closed(ours.schema):
        for name, wanted in fallback.wanted:
            if wanted not in mine:
                yield Problem(f"{at}/{escaped(name)}", f"{ours.name} has no argument {wanted!r}")


def _is_closed(schema: Mapping[str, Any]) -> bool:
    """Whether it takes the arguments that it names, and no other; it may name none."""
    return schema.get("additionalProperties") is False and not schema.get("patternProperties")


def _properties(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("properties")
    return list(found) if isinstance(found, dict) else []
