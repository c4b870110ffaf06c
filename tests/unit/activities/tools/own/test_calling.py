"""What the function of a tool gives and raises, as its caller gets it."""

import asyncio
import threading
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic import BaseModel

from activities.equipment import Equipment
from activities.tools.context import ToolContext, ToolResult
from activities.tools.own.calling import calling, failing_as
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from workflows.errors.tools import ToolFailed, ToolTimedOut, ToolUnavailable

CONTEXT = ToolContext(UUID(int=1), UUID(int=2), Path("/nowhere"), cast(Equipment, None))
HEAD = "from activities.tools.registry import tool\n"


class Customer(BaseModel):
    name: str


async def result_of(returned: object) -> ToolResult:
    def give() -> object:
        return returned

    return await calling(give, has_context=False)(CONTEXT, {})


GIVEN: dict[str, tuple[object, str]] = {
    "text": ("as it is", "as it is"),
    "nothing": (None, ""),
    "number": (1.5, "1.5"),
    "flag": (True, "true"),
    "list": ([1, "a"], '[1,"a"]'),
    "model": (Customer(name="Ann"), '{"name":"Ann"}'),
    "not a number": ({"x": float("nan")}, '{"x":"NaN"}'),
}


@pytest.mark.parametrize("kind", GIVEN)
async def test_what_a_function_gives_is_text_or_json(kind: str) -> None:
    returned, expected = GIVEN[kind]
    assert (await result_of(returned)).text == expected


async def test_a_result_of_more_than_text_is_taken_as_it_is() -> None:
    given = ToolResult("x", exit_code=3)
    assert await result_of(given) is given


@pytest.mark.parametrize("returned", [object(), {1, object()}], ids=["object", "set"])
async def test_a_result_that_is_no_json_is_a_failure_of_the_tool(returned: object) -> None:
    with pytest.raises(ToolFailed, match=r"its result: an? .*which is no JSON"):
        await result_of(returned)


async def test_a_plain_function_runs_beside_the_event_loop_and_an_async_one_in_it() -> None:
    def plain(context: ToolContext) -> bool:
        return context is CONTEXT and threading.current_thread() is threading.main_thread()

    async def in_loop(context: ToolContext) -> bool:
        return context is CONTEXT and threading.current_thread() is threading.main_thread()

    assert (await calling(plain, has_context=True)(CONTEXT, {})).text == "false"
    assert (await calling(in_loop, has_context=True)(CONTEXT, {})).text == "true"


async def own(folder: Path, body: str, **arguments: Any) -> ToolResult:
    """The result of a tool of the house with this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f'{HEAD}@tool(timeout_seconds=0.05)\nasync def act(n: int = 0) -> object:\n    "x"\n'
    (folder / "acting.py").write_text(source + lines + "\n")
    return await Registry(modules([folder])).find("act").call(CONTEXT, arguments)


FAILING = {
    "error": ("raise ValueError('row 7')", "ValueError", "ValueError: row 7"),
    "exit": ("raise SystemExit(3)", "SystemExit", "SystemExit: 3"),
    "library": ("import json\njson.loads('{')", "JSONDecodeError", "JSONDecodeError: "),
}


@pytest.mark.parametrize("kind", FAILING)
async def test_what_is_raised_is_a_failure_of_the_tool_with_its_line(
    tmp_path: Path, kind: str
) -> None:
    body, name, said = FAILING[kind]
    with pytest.raises(ToolFailed, match=rf"'act' failed in .*line \d+: {name}") as failed:
        await own(tmp_path, body)
    assert failed.value.said.startswith(said)
    assert not failed.value.retryable
    if kind != "library":
        assert "acting.py, line 5" in str(failed.value)


async def test_what_a_tool_raised_may_say_is_no_word_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed) as failed:
        await own(tmp_path, "raise ValueError('Ann was here')")
    assert "Ann" not in str(failed.value)


async def test_a_tool_may_ask_to_be_called_again(tmp_path: Path) -> None:
    body = (
        "from workflows.errors.tools import ToolUnavailable\n"
        "raise ToolUnavailable(tool='act', reason='the CRM answers 503')"
    )
    with pytest.raises(ToolUnavailable, match="CRM answers 503") as failed:
        await own(tmp_path, body)
    assert failed.value.retryable


async def test_a_tool_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ToolTimedOut):
        await own(tmp_path, "import asyncio\nawait asyncio.sleep(60)")


async def test_a_time_out_of_the_tool_itself_is_a_failure_and_not_ours(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="TimeoutError"):
        await own(tmp_path, "raise TimeoutError('the CRM is slow')")


async def test_cancellation_passes_through() -> None:
    with pytest.raises(asyncio.CancelledError), failing_as("act"):
        raise asyncio.CancelledError
