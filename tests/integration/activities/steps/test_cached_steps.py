"""Steps that take the result of an equal one: when they do, and when they must not."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from minio import Minio
from sqlalchemy import text
from temporalio.exceptions import ApplicationError

from activities.inputs.fetching import Inputs
from activities.inputs.policy import InputPolicy
from activities.skills.catalogue import SCAN_INTERVAL_SECONDS
from activities.store import keys, tasks
from activities.store.audit import Deed
from activities.store.keys import DEFAULT_TEAM
from activities.store.restarts import Reason, Restart, restart_task
from activities.tools.context import ToolContext, ToolResult
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from deploy.local.services import Services
from tests.actors import SOMEBODY
from tests.integration.agent_desk import Desk
from tests.integration.cached_steps import (
    DICE,
    WRITTEN,
    NoCache,
    Outcome,
    Rolling,
    code,
    outcome_of,
    run,
    write_skill,
)
from workflows.contracts import TaskClose
from workflows.states import Status


async def test_an_equal_step_is_given_the_same_output_and_files_and_says_so(
    dice: Desk,
) -> None:
    step = code()
    first, second = await run(dice, step), await run(dice, step)
    assert not first.cached
    assert second.cached
    assert second.stdout == first.stdout
    assert second.stderr == first.stderr == "rolled\n"
    assert second.exit_code == first.exit_code == 0
    assert second.files == first.files
    assert list(first.files) == ["dice.txt"]
    assert "cached" not in first.completed
    assert second.completed["cached"] is True
    assert second.completed["files"] == 1
    assert any(event.get("text") == second.stdout for event in second.events)


async def test_a_step_that_says_nothing_of_a_cache_runs_each_time(dice: Desk) -> None:
    step = code()
    del step["cache"]
    first, second = await run(dice, step), await run(dice, step)
    assert not second.cached
    assert second.stdout != first.stdout


async def test_a_step_that_says_nothing_of_a_cache_never_asks_one(dice: Desk) -> None:
    step = code()
    del step["cache"]
    for each in (step, {"skill": "wild"}, {"tool": "write_file", "args": WRITTEN}):
        assert not (await run(dice, each, results=NoCache(dice.database, dice.blobs))).cached


HOUSE = (
    "from datetime import timedelta\n"
    "from uuid import uuid4\n"
    "from activities.tools.registry import tool\n"
    "{change}\n"
    "@tool(cache=timedelta(hours=1))\n"
    "def roll(file: str = '') -> str:\n"
    '    """Roll."""\n'
    "    return uuid4().hex\n"
)


def house(folder: Path, **files: str) -> Registry:
    """As a worker that starts now loads it."""
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source)
    return Registry(modules([folder]))


async def test_a_result_of_a_tool_of_the_house_is_kept_until_its_code_changes(
    dice: Desk, tmp_path: Path
) -> None:
    folder, step = tmp_path / "tools", {"tool": "roll", "args": {}}
    folder.mkdir()
    first = await run(dice, step, registry=house(folder, rolling=HOUSE.format(change="")))
    again = await run(dice, step, registry=house(folder))
    assert (again.cached, again.stdout) == (True, first.stdout)
    changed = house(folder, rolling=HOUSE.format(change="SIDES = 20"))
    assert not (await run(dice, step, registry=changed)).cached
    beside = house(folder, _sides="SIDES = 12")
    assert not (await run(dice, step, registry=beside)).cached
    assert (await run(dice, step, registry=house(folder))).cached


async def test_a_result_of_a_tool_follows_from_what_lies_outside_and_not_from_where_that_is(
    dice: Desk, tmp_path: Path, infrastructure: Services
) -> None:
    s3, bucket, folder = infrastructure.s3, f"outer-{uuid4().hex}", tmp_path / "tools"
    folder.mkdir()
    host = s3.endpoint.removeprefix("http://")
    client = Minio(
        host, access_key=s3.access_key, secret_key=s3.secret_key, secure=False, region="us-east-1"
    )
    await asyncio.to_thread(client.make_bucket, bucket)
    policy = InputPolicy(allowed_buckets=(bucket,))
    inputs = Inputs(dice.database, dice.blobs, dice.folder / "outer", policy)
    desk = replace(dice, equipment=replace(dice.equipment, inputs=inputs))
    registry = house(folder, rolling=HOUSE.format(change=""))

    async def rolled(data: bytes) -> Outcome:
        await asyncio.to_thread(client.put_object, bucket, "day.csv", BytesIO(data), len(data))
        step = {"tool": "roll", "args": {"file": "${inputs.day}"}}
        return await run(desk, step, registry=registry, day=f"s3://{bucket}/day.csv")

    first, again, later = await rolled(b"1"), await rolled(b"1"), await rolled(b"2")
    assert (again.cached, again.stdout) == (True, first.stdout)
    assert (later.cached, later.stdout == first.stdout) == (False, False)


async def test_a_native_tool_may_say_itself_how_long_its_results_are_kept(dice: Desk) -> None:
    calls = 0

    async def roll(context: ToolContext, arguments: Mapping[str, object]) -> ToolResult:
        nonlocal calls
        calls += 1
        return ToolResult(f"{arguments['name']} {arguments['text']} {uuid4().hex}")

    registry = Registry()
    rolling = replace(registry.tools["write_file"], function=roll, cache=timedelta(hours=1))
    registry.tools = {**registry.tools, "write_file": rolling}
    step = {"tool": "write_file", "args": WRITTEN}
    first = await run(dice, step, registry=registry)
    assert (await run(dice, step, registry=registry)).stdout == first.stdout
    assert calls == 1
    assert not (await run(dice, {**step, "cache": False}, registry=registry)).cached
    assert calls == 2


async def test_a_skill_says_itself_how_long_its_results_are_kept(dice: Desk) -> None:
    first = await run(dice, {"skill": "dice"})
    assert (await run(dice, {"skill": "dice"})).stdout == first.stdout
    wild = await run(dice, {"skill": "wild"})
    assert (await run(dice, {"skill": "wild"})).stdout != wild.stdout


async def test_a_step_may_refuse_what_its_skill_says(dice: Desk) -> None:
    step = {"skill": "dice"}
    first = await run(dice, step)
    assert (await run(dice, {**step, "cache": False})).stdout != first.stdout


async def test_a_skill_with_network_is_cached_only_if_its_step_says_so(
    dice: Desk, tmp_path: Path
) -> None:
    write_skill(tmp_path, "online", "1h")
    first = await run(dice, {"skill": "online"})
    assert not (await run(dice, {"skill": "online"})).cached
    asked = await run(dice, {"skill": "online", "cache": "1h"})
    assert asked.stdout != first.stdout
    assert (await run(dice, {"skill": "online", "cache": "1h"})).stdout == asked.stdout


async def test_a_task_without_cache_neither_takes_results_nor_leaves_any(dice: Desk) -> None:
    step = code()
    alone = await run(dice, step, cache=False)
    first = await run(dice, step)
    assert not first.cached
    assert first.stdout != alone.stdout
    assert (await run(dice, step, cache=False)).stdout != first.stdout


async def test_a_skill_that_was_edited_runs_again(dice: Desk, tmp_path: Path) -> None:
    step = {"skill": "dice"}
    first = await run(dice, step)
    write_skill(tmp_path, "dice", "1h", f"{DICE}# edited\n")
    await asyncio.sleep(SCAN_INTERVAL_SECONDS)
    again = await run(dice, step)
    assert not again.cached
    assert again.stdout != first.stdout


async def test_the_bytes_and_names_of_inputs_count_and_their_ids_do_not(dice: Desk) -> None:
    step = code(args=["${inputs.data}"])
    first = await run(dice, step, data=await dice.upload(b"1"))
    again = await dice.upload(b"1", "again.csv")
    assert (await run(dice, step, data=again)).stdout == first.stdout
    assert not (await run(dice, step, data=await dice.upload(b"2"))).cached
    other = {**step, "args": ["${inputs.other}"]}
    assert not (await run(dice, other, other=await dice.upload(b"1"))).cached


async def test_no_team_is_given_the_result_of_another(dice: Desk) -> None:
    step = code()
    first = await run(dice, step)
    other = await keys.create_team(dice.database, "others")
    assert (await run(dice, step, team_id=other)).stdout != first.stdout


async def test_a_result_that_has_expired_is_made_anew(dice: Desk) -> None:
    step = code()
    first = await run(dice, step)
    await age(dice, first, expires="now() - interval '1 s'")
    second = await run(dice, step)
    assert not second.cached
    assert (await run(dice, step)).stdout == second.stdout


async def test_a_step_takes_no_result_older_than_it_allows_and_others_still_do(
    dice: Desk,
) -> None:
    step = code()
    first = await run(dice, step)
    await age(dice, first, made="now() - interval '10 min'")
    assert (await run(dice, step)).stdout == first.stdout
    fresh = await run(dice, {**step, "cache": "5m"})
    assert not fresh.cached
    assert (await run(dice, step)).stdout == fresh.stdout


async def age(dice: Desk, made_by: Outcome, **columns: str) -> None:
    names = {"expires": "expires_at", "made": "made_at"}
    changes = ", ".join(f"{names[name]} = {value}" for name, value in columns.items())
    async with dice.database.writing() as connection:
        await connection.execute(
            text(f"UPDATE result_cache SET {changes} WHERE stdout = :stdout"),
            {"stdout": made_by.stdout},
        )


async def test_a_step_that_is_to_run_again_is_no_longer_one_that_was_given_a_result(
    dice: Desk,
) -> None:
    await run(dice, code())
    taken = await run(dice, code())
    assert taken.cached
    run_1 = TaskClose(task_id=taken.task_id, team_id=DEFAULT_TEAM, run=1, status=Status.FAILED)
    await tasks.close_task(dice.database, run_1)
    again = [taken.sub_task_id]
    restart = Restart(first_step=0, inputs={}, again=again)
    reason = Reason(SOMEBODY, Deed("task.retried", str(taken.task_id)))
    assert await restart_task(dice.database, taken.task_id, 1, restart, reason)
    assert not (await outcome_of(dice, taken.task_id, taken.sub_task_id)).cached


async def test_a_failure_is_not_kept_and_holds_up_nobody(dice: Desk) -> None:
    step = code("import sys; sys.exit(3)")
    for _ in range(2):
        with pytest.raises(ApplicationError, match="exit code 3"):
            await run(dice, step)
    assert await count(dice) == 0


async def count(dice: Desk) -> int:
    async with dice.database.reading() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM result_cache")) or 0)


async def test_a_result_whose_bytes_are_gone_is_made_anew(dice: Desk) -> None:
    step = code()
    first = await run(dice, step)
    await remove_blob(dice, first.files["dice.txt"])
    second = await run(dice, step)
    assert not second.cached
    assert second.stdout != first.stdout
    assert (await run(dice, step)).stdout == second.stdout


async def remove_blob(dice: Desk, sha256: str) -> None:
    client, bucket = dice.blobs._client, dice.blobs.bucket
    key = f"{DEFAULT_TEAM}/{sha256[:2]}/{sha256}"
    await asyncio.to_thread(client.remove_object, bucket, key)


async def test_a_tool_is_called_once_for_equal_arguments_whatever_their_order(
    dice: Desk,
) -> None:
    mcp, step = Rolling(), {"tool": "mcp.dice.roll", "cache": "1h", "args": {"a": 1, "b": [2]}}
    first = await run(dice, step, mcp=mcp)
    turned = {**step, "args": {"b": [2], "a": 1}}
    second = await run(dice, turned, mcp=mcp)
    assert (second.cached, second.stdout, second.files) == (True, first.stdout, first.files)
    other = {**step, "args": {"a": 1, "b": [2, 2]}}
    assert not (await run(dice, other, mcp=mcp)).cached
    plain = {name: value for name, value in step.items() if name != "cache"}
    assert not (await run(dice, plain, mcp=mcp)).cached
    assert mcp.calls == 3
