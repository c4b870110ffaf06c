"""Calling the function of a tool: plain or async, with or without a context, whatever it gives."""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog

from activities.attempts.diagnosis import shown_line
from activities.tools.context import ToolContext, ToolResult
from activities.tools.own.code import OwnCode, plain_names, shown_place
from activities.tools.own.errors import ToolBrokenOff
from activities.tools.own.results import most_bytes_of, written
from workflows.errors import AgentOSError
from workflows.errors.tools import ToolFailed, ToolUnavailable

_FRAMES_LOGGED = 20

log = structlog.get_logger(__name__)


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
            returned = await function(*given, **arguments)
        else:
            returned = await asyncio.to_thread(function, *given, **arguments)
        if isinstance(returned, ToolResult):
            return returned
        return await asyncio.to_thread(written, function, returned, most_bytes_of(context))

    return call


@contextmanager
def failing_as(tool: str, code: OwnCode, *, is_safe: bool) -> Iterator[None]:
    """Whatever is raised in a tool of the house is its failure, and none of AgentOS.

    Raises:
        ToolFailed: it raised what is no error of ours. ``said`` has what that says.
        ToolBrokenOff: it raised one that may pass, and a call is not known to be ``is_safe`` to
            make again: who says how far it had come? ``ToolUnavailable`` does.
    """
    try:
        yield
    except AgentOSError as error:
        if is_safe or not error.retryable or isinstance(error, ToolUnavailable):
            raise
        raise _broken_off(tool, code, error) from error
    except (Exception, SystemExit) as failure:  # It is not our code.
        raise _failed(tool, code, failure) from failure


def _broken_off(tool: str, code: OwnCode, error: AgentOSError) -> ToolBrokenOff:
    broken_off = ToolBrokenOff(tool=tool, code=error.code, place=_place(code, error))
    broken_off.said = error.account
    return broken_off


def _failed(tool: str, code: OwnCode, failure: BaseException) -> ToolFailed:
    kind = type(failure).__name__
    error = ToolFailed(tool=tool, place=_place(code, failure), kind=kind)
    error.said = plain_names(shown_line(f"{kind}: {failure}") or "")
    frames = [f"{frame.filename}, line {frame.lineno}" for frame in _frames(failure)]
    # Not what it says, which may quote anything: that is in the row of the attempt.
    log.warning("tool.failed", tool=tool, error=kind, frames=frames[-_FRAMES_LOGGED:])
    return error


def _place(code: OwnCode, failure: BaseException) -> str:
    """The last line that its author can mend, in whatever library it ended."""
    frames = _frames(failure)
    last = ([frame for frame in frames if code.has(frame.filename)] or frames)[-1]
    return shown_place(last.filename, last.lineno)


def _frames(failure: BaseException) -> traceback.StackSummary:
    """Where it came from, the innermost last."""
    return traceback.extract_tb(failure.__traceback__)
