"""Steps that call a tool, as activities: what their time limit means."""

import asyncio
import errno
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO
from uuid import UUID

import pytest
from pydantic import JsonValue
from sqlalchemy import text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.disk import Room
from activities.sandbox.base import Exit, Job, Limit, NoRoom, OnOutput, Sandbox
from activities.steps.adapter import Steps
from activities.store import attempts, tasks
from activities.store.attempts import Attempt
from activities.store.blobs import Blobs, SmallBlob, Stored
from activities.store.options import S3Options
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpFile, McpResult
from activities.tools.offered import OfferedTool
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from activities.units import MEBIBYTE
from tests.integration.agent_desk import Desk
from tests.integration.cached_steps import run, write_skill
from tests.integration.new_tasks import first_call, new_task
from workflows.contracts import RETRIES_USED_UP
from workflows.definitions.pipeline import Pipeline
from workflows.errors import DiskFull, InternalError
from workflows.errors.inputs import InputFolderFull
from workflows.errors.scripts import StepTimedOut
from workflows.errors.tasks import StepInterrupted
from workflows.errors.tools import ToolArgumentsInvalid
from workflows.pipeline_contracts import StepCall, StepOutcome
from workflows.states import TaskType


class Clock:
    """A server with a tool that waits, and one that fails with a time-out of its own."""

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        names = ("mcp.clock.wait", "mcp.clock.fail", "mcp.clock.tick")
        tools = [OfferedTool(name, "Waits.", {"type": "object"}) for name in names]
        return [*tools, replace(tools[-1], name="mcp.clock.read", is_retry_safe=True)]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        if name == "mcp.clock.fail":
            raise TimeoutError("its own")
        if name in ("mcp.clock.tick", "mcp.clock.read"):
            return McpResult("tick", (McpFile("face", "image/png", b"dots"),))
        await asyncio.sleep(600)
        raise AssertionError("it was never stopped")


async def call(
    desk: Desk,
    tool: str,
    *retry_on: str,
    was_lost: bool = False,
    seconds: float = 0.1,
    blobs: Blobs | None = None,
    registry: Registry | None = None,
) -> UUID:
    """As ``outcome_of``; the id of the step."""
    step_id, _ = await outcome_of(
        desk,
        tool,
        *retry_on,
        was_lost=was_lost,
        seconds=seconds,
        blobs=blobs,
        registry=registry,
    )
    return step_id


async def outcome_of(
    desk: Desk,
    tool: str,
    *retry_on: str,
    was_lost: bool = False,
    seconds: float = 0.1,
    blobs: Blobs | None = None,
    registry: Registry | None = None,
    names_files: bool = False,
    args: Mapping[str, JsonValue] = MappingProxyType({}),
    parameters: Mapping[str, JsonValue] = MappingProxyType({}),
) -> tuple[UUID, StepOutcome]:
    """The only step of a pipeline; ``was_lost``: the worker of its first attempt has died."""
    step = {"id": "a", "tool": tool, "args": {**args}, "retry_on": retry_on}
    document = {"name": "test", "parameters": {**parameters}, "steps": [step]}
    definition = Pipeline.model_validate(document)
    task = new_task(TaskType.PIPELINE, definition)
    await tasks.create_task(desk.database, task)
    toolbox = Toolbox(registry or Registry(), desk.database, mcp=Clock())
    step_call = first_call(task, retries=3, timeout_seconds=seconds)
    environment = ActivityEnvironment()
    if was_lost:
        first = Attempt(task.id, step_call.sub_task_id, 1, 1, 3, "worker-0")
        await attempts.begin(desk.database, first)
        environment.info = replace(environment.info, attempt=2)
    equipment = replace(desk.equipment, blobs=blobs or desk.blobs, names_files=names_files)
    outcome = await environment.run(Steps(equipment, toolbox).call_tool, step_call)
    return step_call.sub_task_id, outcome


async def test_temporal_has_the_names_of_files_only_where_it_may(desk: Desk) -> None:
    _, open_ = await outcome_of(desk, "mcp.clock.tick", seconds=30, names_files=True)
    _, plain = await outcome_of(desk, "mcp.clock.tick", seconds=30)
    assert (open_.files, len(open_.made)) == (1, 1)
    assert open_.made[0].startswith("face")
    assert (plain.files, plain.made) == (1, ())


@pytest.mark.parametrize(
    ("retry_on", "again"), [((), False), (("timeout",), True), (("any",), True)]
)
async def test_the_time_limit_of_a_tool_is_tried_again_where_its_step_asks_for_that(
    desk: Desk, retry_on: tuple[str, ...], *, again: bool
) -> None:
    with pytest.raises(ApplicationError, match=r"limit of 0\.1 s") as raised:
        await call(desk, "mcp.clock.wait", *retry_on)
    assert raised.value.type == StepTimedOut.code
    assert raised.value.non_retryable is not again


async def test_a_time_out_within_a_tool_is_not_taken_for_that_of_its_step(desk: Desk) -> None:
    with pytest.raises(ApplicationError, match="TimeoutError") as raised:
        await call(desk, "mcp.clock.fail", "timeout")
    assert raised.value.type == InternalError.code


async def run_code(desk: Desk, source: str, **fields: object) -> UUID:
    """A pipeline of one step with code; the id of its step."""
    step_id, _ = await outcome_of_code(desk, source, **fields)
    return step_id


async def outcome_of_code(desk: Desk, source: str, **fields: object) -> tuple[UUID, StepOutcome]:
    step_call = await call_of_code(desk, source, **fields)
    steps = Steps(desk.equipment, Toolbox(Registry(), desk.database))
    outcome = await ActivityEnvironment().run(steps.run_code, step_call)
    return step_call.sub_task_id, outcome


async def call_of_code(desk: Desk, source: str, **fields: object) -> StepCall:
    step = {"id": "a", "code": {"language": "python", "source": source}, **fields}
    definition = Pipeline.model_validate({"name": "test", "inputs": ["sales"], "steps": [step]})
    given = {"sales": await desk.upload(b"1,2")}
    task = new_task(TaskType.PIPELINE, definition, inputs=given)
    await tasks.create_task(desk.database, task)
    return first_call(task)


class FullDisk(Sandbox):
    """Stops its jobs because others have filled the disk."""

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        no_room = NoRoom(
            Room(free_bytes=0, kept_bytes=MEBIBYTE), written_bytes=0, free_at_begin_bytes=0
        )
        return Exit(None, 9, Limit.DISK, 1, None, no_room=no_room)

    async def check(self) -> str:
        return "it is there"


async def test_a_step_that_was_stopped_on_a_full_disk_waits_which_costs_no_attempt(
    desk: Desk,
) -> None:
    desk.equipment = replace(desk.equipment, sandbox=FullDisk())
    step, outcome = await outcome_of_code(desk, "print('said')")
    assert outcome.held is not None
    assert outcome.held.tried == 0
    [row] = await desk.database.execute(
        text("SELECT status FROM sub_tasks WHERE id = :id"), {"id": step}
    )
    assert row.status == "queued"
    [event] = await desk.database.execute(
        text("SELECT data FROM events WHERE type = 'step.held'"), {}
    )
    assert "room on the disk of the worker" in event.data["reason"]
    assert "had written 0 MiB" in event.data["reason"]


async def test_a_step_that_was_stopped_on_a_full_disk_again_has_failed(desk: Desk) -> None:
    """It may be what it writes itself that leaves no room: else it would go on without end."""
    equipment = replace(desk.equipment, sandbox=FullDisk())
    steps = Steps(equipment, Toolbox(Registry(), desk.database))
    one, other = await call_of_code(desk, "print(1)"), await call_of_code(desk, "print(2)")
    for step_call in (one, other):
        assert (await ActivityEnvironment().run(steps.run_code, step_call)).held is not None
    with pytest.raises(ApplicationError, match="had written 0 MiB") as raised:
        await ActivityEnvironment().run(steps.run_code, one)
    assert raised.value.type == DiskFull.code
    assert raised.value.details == (RETRIES_USED_UP,)
    [row] = await desk.database.execute(
        text("SELECT status FROM sub_tasks WHERE id = :id"), {"id": one.sub_task_id}
    )
    assert row.status == "blocked"


async def test_a_script_with_network_that_was_stopped_on_a_full_disk_has_failed(
    dice: Desk, tmp_path: Path
) -> None:
    """It may have done something elsewhere."""
    write_skill(tmp_path, "online", None)
    dice.equipment = replace(dice.equipment, sandbox=FullDisk())
    with pytest.raises(ApplicationError, match="had written 0 MiB") as raised:
        await run(dice, {"skill": "online", "script": "roll.py"})
    assert raised.value.type == DiskFull.code
    assert raised.value.details == (RETRIES_USED_UP,)


async def test_the_last_line_of_a_failed_script_is_in_its_row_and_not_in_history(
    desk: Desk,
) -> None:
    with pytest.raises(ApplicationError, match="exit code 1") as raised:
        await run_code(desk, "raise ValueError('row 7 of Ann')")
    assert "Ann" not in str(raised.value)
    assert raised.value.__cause__ is None
    [row] = await desk.database.execute(
        text("SELECT error FROM sub_tasks WHERE error ->> 'code' = 'script-failed'"), {}
    )
    assert row.error["message"].endswith("It ended with: ValueError: row 7 of Ann")


async def test_variables_of_a_step_are_given_with_their_references_resolved(desk: Desk) -> None:
    source = "import os\nprint(open(os.environ['DATA']).read(), os.environ['MODE'])"
    step = await run_code(desk, source, env={"DATA": "${inputs.sales}", "MODE": "fast"})
    [row] = await desk.database.execute(
        text("SELECT stdout FROM execution_logs WHERE sub_task_id = :id"), {"id": step}
    )
    assert row.stdout == "1,2 fast\n"


async def test_a_tool_that_may_have_taken_effect_is_not_called_again_by_its_step(
    desk: Desk,
) -> None:
    with pytest.raises(
        ApplicationError, match="during step a, which may have taken effect"
    ) as raised:
        await call(desk, "mcp.clock.tick", was_lost=True, seconds=60)
    assert raised.value.type == StepInterrupted.code
    assert raised.value.non_retryable


def house(folder: Path, flags: str) -> Registry:
    """The tools of a house that has one, ``ring``, with these flags."""
    source = (
        "from activities.tools.context import ToolContext\n"
        "from activities.tools.registry import tool\n"
        f"@tool({flags})\n"
        "def ring(context: ToolContext) -> dict[str, int]:\n"
        '    """Ring the bell, and write down that it rang."""\n'
        "    (context.output / 'rung.txt').write_text('once')\n"
        "    return {'rings': 1}\n"
    )
    (folder / "bell.py").write_text(source)
    return Registry(modules([folder]))


async def test_a_tool_of_the_house_is_a_step_whose_result_and_files_are_kept(
    desk: Desk, tmp_path: Path
) -> None:
    step = await call(desk, "ring", registry=house(tmp_path, ""), seconds=60)
    [row] = await desk.database.execute(
        text("""SELECT stdout, name FROM execution_logs JOIN task_artifacts
            USING (sub_task_id) WHERE sub_task_id = :id"""),
        {"id": step},
    )
    assert (row.stdout, row.name) == ('{"rings":1}', "rung.txt")


async def test_a_tool_of_the_house_is_called_again_only_if_it_says_that_this_is_safe(
    desk: Desk, tmp_path: Path
) -> None:
    with pytest.raises(ApplicationError) as raised:
        await call(desk, "ring", was_lost=True, registry=house(tmp_path, ""), seconds=60)
    assert raised.value.type == StepInterrupted.code
    safe = house(tmp_path, "is_retry_safe=True")
    await call(desk, "ring", was_lost=True, registry=safe, seconds=60)


AWAY = (
    "from activities.tools.registry import tool\n"
    "from workflows.errors import TemporaryFailure\n"
    "from workflows.errors.tools import ToolUnavailable\n"
    "@tool({flags})\n"
    "def pay() -> None:\n"
    '    """Pay, and lose the database."""\n'
    "    raise {error}\n"
)
LOST = "TemporaryFailure(service='PostgreSQL', reason='it is restarted')"
UNAVAILABLE = "ToolUnavailable(tool='pay', reason='the bank answers 503')"


@pytest.mark.parametrize(
    ("flags", "error", "retry_on", "again"),
    [
        ("", LOST, (), False),
        ("", LOST, ("any",), True),
        ("is_retry_safe=True", LOST, (), True),
        ("", UNAVAILABLE, (), True),
    ],
    ids=["unsafe", "asked for", "safe", "says so itself"],
)
async def test_a_tool_of_the_house_that_lost_a_service_is_called_again_only_where_that_is_safe(
    desk: Desk, tmp_path: Path, flags: str, error: str, retry_on: tuple[str, ...], *, again: bool
) -> None:
    (tmp_path / "bank.py").write_text(AWAY.format(flags=flags, error=error))
    registry = Registry(modules([tmp_path]))
    with pytest.raises(ApplicationError) as raised:
        await call(desk, "pay", *retry_on, registry=registry, seconds=60)
    assert raised.value.non_retryable is not again
    assert (RETRIES_USED_UP in raised.value.details) is not again


class BrokenBlobs(Blobs):
    """A store that fails in this way."""

    failure: Exception

    async def put(
        self, team_id: UUID, sha256: str, size: int, mime_type: str, source: BinaryIO
    ) -> None:
        raise self.failure

    async def put_small(self, team_id: UUID, wanted: Sequence[SmallBlob], stored: Stored) -> None:
        raise self.failure


@pytest.mark.parametrize(
    "failure",
    [
        lambda: InputFolderFull(folder="/store"),
        lambda: OSError(errno.ENOSPC, "full"),
        lambda: KeyError("etag"),
    ],
    ids=["refused", "full", "unforeseen"],
)
@pytest.mark.parametrize(
    ("tool", "retry_on", "again"),
    [
        ("mcp.clock.tick", (), False),
        ("mcp.clock.tick", ("any",), True),
        ("mcp.clock.read", (), True),
    ],
    ids=["unsafe", "asked for", "safe"],
)
async def test_a_step_whose_files_cannot_be_kept_is_called_again_only_where_that_does_no_harm(
    desk: Desk,
    failure: Callable[[], Exception],
    tool: str,
    retry_on: tuple[str, ...],
    *,
    again: bool,
) -> None:
    blobs = BrokenBlobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))
    blobs.failure = failure()
    with pytest.raises(ApplicationError) as raised:
        await call(desk, tool, *retry_on, seconds=60, blobs=blobs)
    assert raised.value.non_retryable is not again
    assert (RETRIES_USED_UP in raised.value.details) is not again


async def test_a_tool_that_promises_to_be_safe_is_called_again_by_its_step(desk: Desk) -> None:
    await call(desk, "mcp.clock.read", was_lost=True, seconds=60)


async def test_a_tool_is_called_again_by_a_step_that_asks_for_that(desk: Desk) -> None:
    await call(desk, "mcp.clock.tick", "any", was_lost=True, seconds=60)


async def test_a_native_tool_is_called_again_by_its_step(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as raised:  # It lacks its arguments.
        await call(desk, "write_file", was_lost=True, seconds=60)
    assert raised.value.type == ToolArgumentsInvalid.code


async def test_a_file_of_a_server_keeps_the_type_that_the_server_names(desk: Desk) -> None:
    step = await call(desk, "mcp.clock.tick", seconds=60)
    query = text("SELECT name, mime_type FROM task_artifacts WHERE sub_task_id = :id")
    async with desk.database.reading(fresh=True) as connection:
        [row] = await connection.execute(query, {"id": step})
    assert tuple(row) == ("face", "image/png")


async def test_a_reference_that_stands_alone_becomes_text_where_a_tool_wants_text(
    desk: Desk,
) -> None:
    args = {"name": "x.txt", "text": "${parameters.rows}"}
    step, _ = await outcome_of(desk, "write_file", args=args, parameters={"rows": 345}, seconds=60)
    [row] = await desk.database.execute(
        text("SELECT sha256 FROM task_artifacts WHERE sub_task_id = :id"), {"id": step}
    )
    assert row.sha256 == hashlib.sha256(b"345").hexdigest()
