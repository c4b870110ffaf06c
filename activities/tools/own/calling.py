"""Calling the function of a tool: plain or async, with or without a context, whatever it gives."""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from activities.attempts.diagnosis import shown_line
from activities.tools.context import ToolContext, ToolResult
from workflows.errors import AgentOSError
from workflows.errors.tools import ToolFailed


def calling(
    function: Callable[..., Any], *, has_context: bool
) -> Callable[[ToolContext, Mapping[str, Any]], Awaitable[ToolResult]]:
    """A function as it is called by name: one that is not async runs in a thread, and what it gives
    is text, or is written as JSON.

    A thread cannot be stopped: one that outlives its call is left to itself, and its result to
    nobody.
    """

    async def call(context: ToolContext, arguments: Mapping[str, Any]) -> ToolResult:
        given = (context,) if has_context else ()
        if inspect.iscoroutinefunction(function):
            return _as_result(function.__name__, await function(*given, **arguments))
        returned = await asyncio.to_thread(function, *given, **arguments)
        return _as_result(function.__name__, returned)

    return call


@contextmanager
def failing_as(tool: str) -> Iterator[None]:
    """Whatever is raised in a tool of the house is its failure, and none of AgentOS.

    Raises:
        ToolFailed: it raised what is no error of ours. ``said`` has what that says.
    """
    try:
        yield
    except AgentOSError:
        raise
    except (Exception, SystemExit) as failure:  # It is not our code.
        raise _failed(tool, failure) from failure


def _failed(tool: str, failure: BaseException) -> ToolFailed:
    frames = traceback.extract_tb(failure.__traceback__)
    # The last that is not of a library: the line that its author can mend.
    own = [frame for frame in frames if "site-packages" not in PurePath(frame.filename).parts]
    last = (own or frames)[-1]
    error = ToolFailed(
        tool=tool,
        place=f"{PurePath(last.filename).name}, line {last.lineno}",
        kind=type(failure).__name__,
    )
    error.said = shown_line(f"{type(failure).__name__}: {failure}") or ""
    return error


def _as_result(tool: str, returned: object) -> ToolResult:
    if isinstance(returned, ToolResult):
        return returned
    if isinstance(returned, str):
        return ToolResult(returned)
    if returned is None:
        return ToolResult("")
    try:
        return ToolResult(to_json(returned, inf_nan_mode="strings").decode())
    except PydanticSerializationError as error:
        raise ToolFailed(
            tool=tool, place="its result", kind=f"a {type(returned).__name__}, which is no JSON"
        ) from error
