"""How calls of tools are counted."""

import asyncio

import pytest

from activities.attempts.holding import Held
from activities.metrics.definitions import OF_WORKERS
from activities.metrics.numbers import Numbers
from activities.tools.counting import counted_call
from workflows.errors.mcp import McpUnavailable
from workflows.errors.tools import ToolUnavailable


@pytest.mark.parametrize(
    ("failure", "end"),
    [
        (KeyError("what nobody foresaw"), "failed"),
        (ToolUnavailable(tool="t", reason="r"), "failed"),
        (McpUnavailable(server="s", reason="r"), "failed"),
        (Held(what="a slot", seconds=1), "refused"),
        (asyncio.CancelledError(), "cancelled"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_call_is_cancelled_only_when_somebody_has_cancelled_it(
    failure: BaseException, end: str
) -> None:
    numbers = Numbers(OF_WORKERS)
    with pytest.raises(type(failure)), counted_call(numbers, "t"):
        raise failure
    assert (
        f'agentos_tool_calls_total{{end="{end}",tool="t"}} 1.0' in (await numbers.text()).decode()
    )
