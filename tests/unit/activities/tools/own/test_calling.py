"""What the function of a tool gives and raises, as its caller gets it."""

import asyncio
import importlib
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import structlog
from pydantic import BaseModel, field_serializer

from activities.attempts.scripts import Scripts
from activities.equipment import Equipment
from activities.sandbox.base import Limits
from activities.tools.context import ToolContext, ToolResult
from activities.tools.own.calling import calling, failing_as
from activities.tools.own.code import OwnCode
from activities.tools.own.errors import ToolBrokenOff, ToolResultTooLarge, ToolResultUnwritable
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from workflows.errors import TemporaryFailure
from workflows.errors.tools import ToolFailed, ToolTimedOut, ToolUnavailable

MOST_BYTES = 1_000


@dataclass(frozen=True)
class Bench:
    """What of a worker's equipment bounds a result."""

    scripts: Scripts


def context() -> ToolContext:
    limits = Limits(printed_bytes=MOST_BYTES)
    nothing = cast(Any, None)
    scripts = Scripts(nothing, nothing, nothing, python=Path("/python"), limits=limits)
    bench = cast(Equipment, Bench(scripts))
    return ToolContext(UUID(int=1), UUID(int=2), Path("/nowhere"), bench)


CONTEXT = context()
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
    place = r"'give' \(own/test_calling\.py, line \d+\)"
    words = rf"{place} returned what .*, of type {type(returned).__name__};"
    with pytest.raises(ToolResultUnwritable, match=words):
        await result_of(returned)


async def test_a_plain_function_runs_beside_the_event_loop_and_an_async_one_in_it() -> None:
    def plain(context: ToolContext) -> bool:
        return context is CONTEXT and threading.current_thread() is threading.main_thread()

    async def in_loop(context: ToolContext) -> bool:
        return context is CONTEXT and threading.current_thread() is threading.main_thread()

    assert (await calling(plain, has_context=True)(CONTEXT, {})).text == "false"
    assert (await calling(in_loop, has_context=True)(CONTEXT, {})).text == "true"


class Named(BaseModel):
    name: str

    @field_serializer("name")
    def _write(self, name: str) -> str:
        return f"{name} in {threading.current_thread() is not threading.main_thread()}"


async def test_a_result_is_written_as_json_beside_the_event_loop() -> None:
    async def give() -> object:
        return Named(name="another")

    result = await calling(give, has_context=False)(CONTEXT, {})
    assert result.text == '{"name":"another in True"}'


AS_LARGE_AS_MAY_BE: dict[str, object] = {
    "numbers": [1] * 499,
    "text": ["x" * (MOST_BYTES - 4)],
    "names": {"x" * (MOST_BYTES - 6): 1},
    "lists": [[]] * 333,
}


@pytest.mark.parametrize("kind", AS_LARGE_AS_MAY_BE)
async def test_a_result_may_be_as_large_as_what_a_script_may_print(kind: str) -> None:
    result = await result_of(AS_LARGE_AS_MAY_BE[kind])
    assert MOST_BYTES - 1 <= len(result.text) <= MOST_BYTES + 1


def endless() -> list[object]:
    found: list[object] = []
    found += [found, found]
    return found


TOO_LARGE = {
    "text": "return 'x' * 1_001",
    "text of wide characters": "return '\N{SNOWMAN}' * 334",
    "numbers": "return [1] * 600",
    "names": "return {str(n): n for n in range(400)}",
    "deep": "return {'rows': [{'name': ['x' * 999]}]}",
    "whole result": (
        "from activities.tools.context import ToolResult\nreturn ToolResult('x' * 1_001)"
    ),
    "of a model": (
        "from pydantic import BaseModel\nclass M(BaseModel):\n    t: str\nreturn M(t='x' * 1_001)"
    ),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
async def test_a_larger_result_is_refused_and_what_to_do_is_said(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ToolResultTooLarge, match=r"write to a file in `context\.output`") as failed:
        await own(tmp_path, TOO_LARGE[kind])
    assert not failed.value.retryable


async def test_a_list_that_holds_itself_is_no_result() -> None:
    with pytest.raises((ToolFailed, ToolResultTooLarge)):
        await result_of(endless())


async def own(
    folder: Path, body: str, flags: str = "timeout_seconds=5", **arguments: Any
) -> ToolResult:
    """The result of a tool of the house with this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f'{HEAD}@tool({flags})\nasync def act(n: int = 0) -> object:\n    "x"\n'
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
    line = 6 if kind == "library" else 5  # Not where a library has raised it.
    assert f"acting.py, line {line}:" in str(failed.value)


async def test_the_line_is_that_of_a_module_beside_the_tool_if_it_fails_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "_beside.py").write_text("import json\n\n\ndef read():\n    json.loads('{')\n")
    with pytest.raises(ToolFailed, match=r"_beside\.py, line 5: JSONDecodeError"):
        await own(tmp_path, "import _beside\n_beside.read()")


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """Where packages are installed: those in the list are `acme`."""
    folder = tmp_path / "site-packages"
    (folder / "acme").mkdir(parents=True)
    sys.path.append(str(folder))
    yield folder / "acme"
    sys.path.remove(str(folder))
    for name in [each for each in sys.modules if each.partition(".")[0] == "acme"]:
        del sys.modules[name]


async def test_the_line_of_a_tool_in_an_installed_package_is_one_of_that_package(
    installed: Path,
) -> None:
    (installed / "__init__.py").write_text("")
    (installed / "reading.py").write_text("import json\n\n\ndef read():\n    json.loads('{')\n")
    source = f"{HEAD}from acme.reading import read\n@tool()\ndef act():\n    'x'\n    read()\n"
    (installed / "tools.py").write_text(source)
    found = Registry([importlib.import_module("acme.tools")]).find("act")
    with pytest.raises(ToolFailed, match=r"reading\.py, line 5: JSONDecodeError"):
        await found.call(CONTEXT, {})


async def test_the_log_has_the_lines_that_led_to_a_failure_and_none_of_its_words(
    tmp_path: Path,
) -> None:
    with structlog.testing.capture_logs() as logged, pytest.raises(ToolFailed):
        await own(tmp_path, "import json\njson.loads('{\"Ann')")
    [entry] = [each for each in logged if each["event"] == "tool.failed"]
    assert (entry["tool"], entry["error"]) == ("act", "JSONDecodeError")
    assert f"{tmp_path}/acting.py, line 6" in entry["frames"]
    assert "decoder.py" in entry["frames"][-1]
    assert "Ann" not in json.dumps(logged)


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


AWAY = (
    "from workflows.errors import TemporaryFailure\n"
    "raise TemporaryFailure(service='PostgreSQL', reason='it is restarted')"
)


async def test_a_tool_that_was_broken_off_says_that_it_may_have_taken_effect(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        ToolBrokenOff, match=r"in \S+/acting\.py, line 6 .*, temporary-failure, and may"
    ):
        await own(tmp_path, AWAY)


async def test_a_tool_that_is_safe_to_call_again_is_so_when_a_service_is_away(
    tmp_path: Path,
) -> None:
    with pytest.raises(TemporaryFailure):
        await own(tmp_path, AWAY, "is_retry_safe=True")


async def test_a_tool_that_is_not_safe_with_these_arguments_is_not_taken_for_safe(
    tmp_path: Path,
) -> None:
    flags = "is_retry_safe=True, unsafe_if=lambda equipment, arguments: arguments['n'] == 1"
    with pytest.raises(TemporaryFailure):
        await own(tmp_path, AWAY, flags, n=0)
    with pytest.raises(ToolBrokenOff):
        await own(tmp_path, AWAY, flags, n=1)


async def test_a_tool_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ToolTimedOut) as stopped:
        await own(tmp_path, "import asyncio\nawait asyncio.sleep(60)", "timeout_seconds=0.05")
    account = stopped.value.account
    assert "raise `timeout_seconds` of its @tool() in " in account
    assert f"{tmp_path.name}/" in account
    assert "The `timeout` of a step ends it earlier, never later." in account


async def test_a_time_out_of_the_tool_itself_is_a_failure_and_not_ours(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="TimeoutError"):
        await own(tmp_path, "raise TimeoutError('the CRM is slow')")


async def test_cancellation_passes_through() -> None:
    code = OwnCode(Path("/nowhere"))
    with pytest.raises(asyncio.CancelledError), failing_as("act", code, is_safe=True):
        raise asyncio.CancelledError
