"""``agentos cache``, ``--no-cache``, and what commands say of steps that were given a result."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import text

from activities.store import result_cache
from activities.store.keys import DEFAULT_TEAM
from activities.store.result_cache import Result, Wanted
from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos


async def keep(stage: Stage, name: str) -> None:
    hour = timedelta(hours=1)
    wanted = Wanted(DEFAULT_TEAM, uuid4().hex, uuid4(), hour, "skill", name, "draw")
    await result_cache.claim(stage.database, wanted, 10)
    await result_cache.keep(stage.database, wanted, Result(0, "", ""))


async def test_results_are_listed_and_cleared_from_the_command_line(stage: Stage) -> None:
    skill = f"skill-{uuid4().hex}"
    await keep(stage, skill)
    table = await agentos(stage.url, "cache", "ls")
    assert table.code == 0, table.stderr
    [row] = [line for line in table.stdout.splitlines() if skill in line]
    assert "draw" in row
    listed = json.loads((await agentos(stage.url, "cache", "ls", "-o", "json")).stdout)
    assert skill in {item["name"] for item in listed["items"]}
    cleared = await agentos(stage.url, "cache", "clear", "--skill", skill)
    assert (cleared.code, cleared.stdout) == (0, "1\n")
    words = ("cache", "clear", "--skill", skill, "--step", "draw", "-o", "json")
    assert json.loads((await agentos(stage.url, *words)).stdout) == {"cleared": 0}
    assert skill not in (await agentos(stage.url, "cache", "ls")).stdout


async def test_a_name_that_is_too_long_is_refused_before_anything_is_sent() -> None:
    printed = await agentos("http://127.0.0.1:9", "cache", "clear", "--step", "x" * 64)
    assert printed.code == 2
    assert "step" in printed.stderr


async def test_commands_say_which_steps_were_given_a_result(stage: Stage) -> None:
    task_id = await stage.submit("cached", "print {}")
    await stage.until(task_id, "completed")
    shown = (await agentos(stage.url, "show", task_id)).stdout
    assert [line.split()[0] for line in shown.splitlines() if "cached" in line] == ["a"]
    watched = (await agentos(stage.url, "watch", task_id)).stderr
    assert "a: taken from the cache" in watched
    assert "b: completed in" in watched
    traced = (await agentos(stage.url, "trace", task_id)).stdout
    assert [line.split()[1] for line in traced.splitlines() if "(cached)" in line] == ["a"]


async def test_a_task_is_submitted_and_retried_without_the_cache(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "pipeline.json"
    step = {"id": "a", "code": {"language": "python", "source": "fail"}, "cache": "1h"}
    file.write_text(json.dumps({"name": "test", "steps": [step]}))

    async def cache_of(task_id: str) -> bool:
        async with stage.database.reading(fresh=True) as connection:
            query = text("SELECT cache FROM tasks WHERE id = :id")
            return bool(await connection.scalar(query, {"id": UUID(task_id)}))

    async def submitted(*words: str) -> str:
        words = ("submit", "pipeline", str(file), *words, "-o", "json")
        return str(json.loads((await agentos(stage.url, *words)).stdout)["task_id"])

    assert not await cache_of(await submitted("--no-cache"))
    task_id = await submitted()
    assert await cache_of(task_id)
    await stage.until(task_id, "failed")
    printed = await agentos(stage.url, "retry", task_id, "--no-cache")
    assert printed.code == 0, printed.stderr
    assert not await cache_of(task_id)
