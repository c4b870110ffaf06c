"""Counting calls of tools, those of agents and those of pipelines."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from activities.attempts.holding import Held
from activities.breakers.errors import BreakerOpen
from activities.metrics.definitions import TOOL_CALLS, TOOL_SECONDS
from activities.metrics.numbers import Numbers
from workflows.errors.mcp import McpAsks


@dataclass(slots=True)
class Call:
    """``has_failed``: it has answered that it could not do what was asked."""

    has_failed: bool = False


@contextmanager
def counted_call(numbers: Numbers, tool: str) -> Iterator[Call]:
    """One call; a question of its server is none of its failures."""
    started, end, call = time.monotonic(), "cancelled", Call()
    try:
        yield call
        end = "failed" if call.has_failed else "ok"
    except (BreakerOpen, Held):
        end = "refused"
        raise
    except McpAsks:
        end = "ok"
        raise
    except Exception:  # Also what nobody foresaw.
        end = "failed"
        raise
    finally:
        numbers.count(TOOL_CALLS, tool, end)
        if end != "refused":
            numbers.observe(TOOL_SECONDS, time.monotonic() - started, tool)
