"""Steps that take the result of an equal one: when they do, and when they must not."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import JsonValue
from sqlalchemy import text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.results.cache import ResultCache
from activities.skills.catalogue import SCAN_INTERVAL_SECONDS
from activities.steps.adapter import Steps
from activities.store import keys, result_cache, tasks
from activities.store.audit import Actor
from activities.store.keys import DEFAULT_TEAM
from activities.store.result_cache import Clearing, Result, Wanted
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpFile, McpResult
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from deploy.local.services import Services
from tests.integration.agent_desk import Desk, agent_desk
from tests.integration.new_tasks import new_task
from tests.pressure import allowed
from workflows.contracts import StepCall
from workflows.definitions.pipeline import Pipeline
from workflows.states import TaskType

ANYBODY = Actor(DEFAULT_TEAM, "test")

# Prints and writes what no second run would: whoever has the same has not run.
DICE = """\
import sys, uuid
word = uuid.uuid4().hex
print(word)
print("rolled", file=sys.stderr)
open("dice.txt", "w").write(word)
"""


@pytest.fixture
async def desk(
    infrastructure: Services, database_url: str, bucket: str, tmp_path: Path
) -> AsyncIterator[Desk]:
    """With a skill ``dice`` that says itself that it may be cached, which it may not."""
    write_skill(tmp_path, "dice", "1h")
    write_skill(tmp_path, "wild", None)
    async with agent_desk(
        infrastructure, database_url, bucket, tmp_path, networked=["online"]
    ) as desk:
        yield desk


def write_skill(folder: Path, name: str, lifetime: str | None, script: str = DICE) -> None:
    (folder / name / "scripts").mkdir(parents=True, exist_ok=True)
    metadata = f"metadata: {{agentos-cache: {lifetime}}}\n" if lifetime else ""
    head = f"---\nname: {name}\ndescription: Rolls.\n{metadata}---\n"
    (folder / name / "SKILL.md").write_text(head)
    (folder / name / "scripts" / "roll.py").write_text(script)


@dataclass(frozen=True)
class Outcome:
    status: str
    cached: bool
    stdout: str
    stderr: str
    exit_code: int | None
    files: dict[str, str]
    events: list[dict[str, Any]] = field(repr=False)

    @property
    def completed(self) -> dict[str, Any]:
        return self.events[-1]


async def run(
    desk: Desk,
    step: Mapping[str, object],
    *,
    cache: bool = True,
    team_id: UUID = DEFAULT_TEAM,
    seconds: float = 30,
    mcp: "Rolling | None" = None,
    environment: ActivityEnvironment | None = None,
    results: ResultCache | None = None,
    **inputs: str,
) -> Outcome:
    """Run a pipeline of one step, on a worker of its own."""
    definition = Pipeline.model_validate(
        {"name": "test", "inputs": list(inputs), "steps": [{"id": "a", "retries": 0, **step}]}
    )
    task = new_task(TaskType.PIPELINE, definition, team_id=team_id, inputs=inputs, cache=cache)
    await tasks.create_task(desk.database, task)
    call = StepCall(
        task_id=task.id,
        team_id=team_id,
        sub_task_id=task.sub_tasks[0].id,
        run=1,
        step="a",
        retries=0,
        timeout_seconds=seconds,
    )
    equipment = replace(
        desk.equipment,
        results=results or ResultCache(desk.database, desk.blobs, claim_seconds=1.0),
    )
    steps = Steps(equipment, Toolbox(Registry(), desk.database, mcp=mcp))
    activity = {"skill": steps.run_skill, "code": steps.run_code, "tool": steps.call_tool}
    run_it = activity[definition.steps[0].kind]
    await (environment or ActivityEnvironment()).run(run_it, call)
    return await outcome_of(desk, task.sub_tasks[0].id)


async def outcome_of(desk: Desk, sub_task_id: UUID) -> Outcome:
    async with desk.database.reading(fresh=True) as connection:
        given = {"id": sub_task_id}
        row = (
            await connection.execute(
                text(
                    """SELECT sub_tasks.status, cached, stdout, stderr, exit_code
                    FROM sub_tasks JOIN execution_logs ON sub_task_id = sub_tasks.id
                    WHERE sub_tasks.id = :id"""
                ),
                given,
            )
        ).one()
        files = await connection.execute(
            text("SELECT name, sha256 FROM task_artifacts WHERE sub_task_id = :id"), given
        )
        events = await connection.execute(
            text(
                """SELECT data FROM events JOIN sub_tasks ON sub_tasks.task_id = events.task_id
                WHERE sub_tasks.id = :id ORDER BY seq"""
            ),
            given,
        )
        found = {file.name: file.sha256 for file in files}
        return Outcome(*row, found, [data for (data,) in events])


def code(source: str = DICE, **more: object) -> dict[str, object]:
    return {"code": {"language": "python", "source": source}, "cache": "1h", **more}


async def test_an_equal_step_is_given_the_same_output_and_files_and_says_so(desk: Desk) -> None:
    step = code()
    first, second = await run(desk, step), await run(desk, step)
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


async def test_a_step_that_says_nothing_of_a_cache_runs_each_time(desk: Desk) -> None:
    step = code()
    del step["cache"]
    first, second = await run(desk, step), await run(desk, step)
    assert not second.cached
    assert second.stdout != first.stdout


async def test_a_skill_says_itself_how_long_its_results_are_kept(desk: Desk) -> None:
    first = await run(desk, {"skill": "dice"})
    assert (await run(desk, {"skill": "dice"})).stdout == first.stdout
    wild = await run(desk, {"skill": "wild"})
    assert (await run(desk, {"skill": "wild"})).stdout != wild.stdout


async def test_a_step_may_refuse_what_its_skill_says(desk: Desk) -> None:
    step = {"skill": "dice"}
    first = await run(desk, step)
    assert (await run(desk, {**step, "cache": False})).stdout != first.stdout


async def test_a_skill_with_network_is_cached_only_if_its_step_says_so(
    desk: Desk, tmp_path: Path
) -> None:
    write_skill(tmp_path, "online", "1h")
    first = await run(desk, {"skill": "online"})
    assert not (await run(desk, {"skill": "online"})).cached
    asked = await run(desk, {"skill": "online", "cache": "1h"})
    assert asked.stdout != first.stdout
    assert (await run(desk, {"skill": "online", "cache": "1h"})).stdout == asked.stdout


async def test_a_task_without_cache_neither_takes_results_nor_leaves_any(desk: Desk) -> None:
    step = code()
    alone = await run(desk, step, cache=False)
    first = await run(desk, step)
    assert not first.cached
    assert first.stdout != alone.stdout
    assert (await run(desk, step, cache=False)).stdout != first.stdout


async def test_a_skill_that_was_edited_runs_again(desk: Desk, tmp_path: Path) -> None:
    step = {"skill": "dice"}
    first = await run(desk, step)
    write_skill(tmp_path, "dice", "1h", f"{DICE}# edited\n")
    await asyncio.sleep(SCAN_INTERVAL_SECONDS)
    again = await run(desk, step)
    assert not again.cached
    assert again.stdout != first.stdout


async def test_the_bytes_and_names_of_inputs_count_and_their_ids_do_not(desk: Desk) -> None:
    step = code(args=["${inputs.data}"])
    first = await run(desk, step, data=await desk.upload(b"1"))
    assert (await run(desk, step, data=await desk.upload(b"1"))).stdout == first.stdout
    assert not (await run(desk, step, data=await desk.upload(b"2"))).cached
    other = {**step, "args": ["${inputs.other}"]}
    assert not (await run(desk, other, other=await desk.upload(b"1"))).cached


async def test_no_team_is_given_the_result_of_another(desk: Desk) -> None:
    step = code()
    first = await run(desk, step)
    other = await keys.create_team(desk.database, "others")
    assert (await run(desk, step, team_id=other)).stdout != first.stdout


async def test_a_result_that_has_expired_is_made_anew(desk: Desk) -> None:
    step = code()
    first = await run(desk, step)
    await age(desk, first, expires="now() - interval '1 s'")
    second = await run(desk, step)
    assert not second.cached
    assert (await run(desk, step)).stdout == second.stdout


async def test_a_step_takes_no_result_older_than_it_allows_and_others_still_do(
    desk: Desk,
) -> None:
    step = code()
    first = await run(desk, step)
    await age(desk, first, made="now() - interval '10 min'")
    assert (await run(desk, step)).stdout == first.stdout
    fresh = await run(desk, {**step, "cache": "5m"})
    assert not fresh.cached
    assert (await run(desk, step)).stdout == fresh.stdout


async def age(desk: Desk, made_by: Outcome, **columns: str) -> None:
    names = {"expires": "expires_at", "made": "made_at"}
    changes = ", ".join(f"{names[name]} = {value}" for name, value in columns.items())
    async with desk.database.writing() as connection:
        await connection.execute(
            text(f"UPDATE result_cache SET {changes} WHERE stdout = :stdout"),
            {"stdout": made_by.stdout},
        )


async def test_a_failure_is_not_kept_and_holds_up_nobody(desk: Desk) -> None:
    step = code("import sys; sys.exit(3)")
    for _ in range(2):
        with pytest.raises(ApplicationError, match="exit code 3"):
            await run(desk, step)
    assert await count(desk) == 0


async def count(desk: Desk) -> int:
    async with desk.database.reading() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM result_cache")) or 0)


async def test_a_result_whose_bytes_are_gone_is_made_anew(desk: Desk) -> None:
    step = code()
    first = await run(desk, step)
    await remove_blob(desk, first.files["dice.txt"])
    second = await run(desk, step)
    assert not second.cached
    assert second.stdout != first.stdout
    assert (await run(desk, step)).stdout == second.stdout


async def remove_blob(desk: Desk, sha256: str) -> None:
    client, bucket = desk.blobs._client, desk.blobs.bucket
    key = f"{DEFAULT_TEAM}/{sha256[:2]}/{sha256}"
    await asyncio.to_thread(client.remove_object, bucket, key)


async def test_two_equal_steps_at_once_on_two_workers_run_once(desk: Desk) -> None:
    step = code(f"import time; time.sleep(1.5)\n{DICE}")
    outcomes = await asyncio.gather(*(run(desk, step) for _ in range(3)))
    assert len({outcome.stdout for outcome in outcomes}) == 1
    assert sorted(outcome.cached for outcome in outcomes) == [False, True, True]


async def test_when_the_one_that_runs_fails_the_one_that_waits_runs(desk: Desk) -> None:
    step = code("import time; time.sleep(1); raise SystemExit(3)")
    outcomes = await asyncio.gather(*(run(desk, step) for _ in range(2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ApplicationError] * 2


async def test_one_that_waits_for_an_equal_step_stops_as_soon_as_it_is_cancelled(
    desk: Desk,
) -> None:
    step = code(f"import time; time.sleep(20)\n{DICE}")
    first = asyncio.create_task(run(desk, step))
    await claimed(desk)
    environment = ActivityEnvironment()
    second = asyncio.create_task(run(desk, step, environment=environment))
    await asyncio.sleep(1.0)
    environment.cancel()
    clock = asyncio.get_running_loop().time
    started = clock()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert clock() - started < allowed(1.0)
    assert not first.done()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await owners(desk) == 0, "a cancelled step gives its claim back"


async def claimed(desk: Desk) -> None:
    async with asyncio.timeout(allowed(20)):
        while not await owners(desk):
            await asyncio.sleep(0.05)


async def owners(desk: Desk) -> int:
    owned = "SELECT count(*) FROM result_cache WHERE owned_until > now()"
    async with desk.database.reading() as connection:
        return int(await connection.scalar(text(owned)) or 0)


OWNER = """\
import asyncio, sys
from datetime import timedelta
from uuid import UUID
from activities.results.cache import ResultCache
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.options import S3Options
from activities.store.result_cache import Wanted

async def main(url, team, key):
    options = S3Options("http://127.0.0.1:9", "none", "none", "none")
    database = Database(url)
    cache = ResultCache(database, Blobs(options), claim_seconds=1.0)
    wanted = Wanted(UUID(team), key, UUID(int=1), timedelta(hours=1), "code", "code", "a")
    async with cache.place(wanted):
        print("claimed", flush=True)
        await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_when_the_worker_that_runs_is_killed_one_that_waits_takes_over(desk: Desk) -> None:
    key, url = uuid4().hex, desk.database.url
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, url, str(DEFAULT_TEAM), key),
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"claimed\n"
    cache = ResultCache(desk.database, desk.blobs, claim_seconds=1.0)
    waiting = asyncio.create_task(make(cache, key, "by the one that waited"))
    await asyncio.sleep(2.5)
    assert not waiting.done(), "a claim that is renewed is not taken over"
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    async with asyncio.timeout(allowed(10)):
        assert await waiting == "by the one that waited"
    assert await make(cache, key, "by nobody") == "by the one that waited"


async def make(cache: ResultCache, key: str, said: str, lifetime: str = "1h") -> str:
    async with cache.place(wanted(key)) as place:
        if place.result is not None:
            return place.result.stdout
        place.keep(Result(0, said, ""))
        return said


def wanted(key: str, **changes: Any) -> Wanted:
    place = Wanted(DEFAULT_TEAM, key, uuid4(), timedelta(hours=1), "code", "python code", "a")
    return replace(place, **changes)


async def test_a_result_that_was_begun_before_a_clearing_is_not_taken_after_it(desk: Desk) -> None:
    key, cache = uuid4().hex, ResultCache(desk.database, desk.blobs)
    async with cache.place(wanted(key)) as place:
        await result_cache.clear(desk.database, ANYBODY, Clearing())
        place.keep(Result(0, "old", ""))
    assert await make(cache, key, "new") == "new"


async def test_what_is_large_is_not_kept(desk: Desk) -> None:
    key, cache = uuid4().hex, ResultCache(desk.database, desk.blobs)
    large = "x" * (1024 * 1024 + 1)
    assert await make(cache, key, large) == large
    assert await make(cache, key, "small") == "small"


@pytest.mark.parametrize(
    ("clearing", "left"),
    [
        (Clearing(), set()),
        (Clearing(step="a"), {"skill b", "tool c"}),
        (Clearing(skill="csv"), {"skill b", "tool c"}),
        (Clearing(tool="csv"), {"skill a", "code a", "skill b"}),
        (Clearing(step="b", skill="chart"), {"skill a", "code a", "tool c"}),
        (Clearing(step="a", skill="chart"), {"skill a", "code a", "skill b", "tool c"}),
    ],
    ids=["all", "step", "skill", "tool", "step-and-skill", "neither"],
)
async def test_clearing_removes_what_is_named_of_one_team_and_says_how_many(
    desk: Desk, clearing: Clearing, left: set[str]
) -> None:
    for kind, name, step in (
        ("skill", "csv", "a"),
        ("code", "csv", "a"),
        ("skill", "chart", "b"),
        ("tool", "csv", "c"),
    ):
        place = wanted(uuid4().hex, kind=kind, name=name, step=step)
        await result_cache.claim(desk.database, place, 10)
        await result_cache.keep(desk.database, place, Result(0, "", ""))
    assert await result_cache.clear(desk.database, ANYBODY, clearing) == 4 - len(left)
    entries, _ = await result_cache.list_results(desk.database, DEFAULT_TEAM, None, 10)
    assert {f"{entry.kind} {entry.step}" for entry in entries} == left


async def test_a_clearing_is_in_the_audit_log(desk: Desk) -> None:
    actor = Actor(DEFAULT_TEAM, uuid4().hex)
    await result_cache.clear(desk.database, actor, Clearing(skill="csv"))
    async with desk.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text("SELECT action, target, details FROM audit_log WHERE actor = :actor"),
            {"actor": actor.name},
        )
        assert [tuple(row) for row in rows] == [
            ("cache.cleared", "skill csv", {"skill": "csv", "results": 0})
        ]


async def test_expired_results_and_claims_are_deleted_a_bounded_number_at_once(
    desk: Desk,
) -> None:
    for kind in ("living", "claimed", "old", "older", "abandoned"):
        place = wanted(uuid4().hex, kind=kind)
        await result_cache.claim(desk.database, place, 600)
        if kind not in ("claimed", "abandoned"):
            await result_cache.keep(desk.database, place, Result(0, "", ""))
    async with desk.database.writing() as connection:
        await connection.execute(
            text(
                """UPDATE result_cache SET expires_at = now() - interval '1 h',
                    owned_until = now() - interval '1 h'
                WHERE kind IN ('old', 'older', 'abandoned')"""
            )
        )
    deleted = [await result_cache.delete_expired(desk.database, 2) for _ in range(3)]
    assert deleted == [2, 1, 0]
    async with desk.database.reading(fresh=True) as connection:
        kinds = await connection.execute(text("SELECT kind FROM result_cache"))
        assert {kind for (kind,) in kinds} == {"living", "claimed"}


@dataclass
class Rolling:
    """A server whose tool gives something else each time."""

    calls: int = 0

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        return [OfferedTool("mcp.dice.roll", "Rolls.", {"type": "object"}, is_retry_safe=True)]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.calls += 1
        return McpResult(uuid4().hex, (McpFile("face", "image/png", b"dots"),))


async def test_a_tool_is_called_once_for_equal_arguments_whatever_their_order(desk: Desk) -> None:
    mcp, step = Rolling(), {"tool": "mcp.dice.roll", "cache": "1h", "args": {"a": 1, "b": [2]}}
    first = await run(desk, step, mcp=mcp)
    turned = {**step, "args": {"b": [2], "a": 1}}
    second = await run(desk, turned, mcp=mcp)
    assert (second.cached, second.stdout, second.files) == (True, first.stdout, first.files)
    other = {**step, "args": {"a": 1, "b": [2, 2]}}
    assert not (await run(desk, other, mcp=mcp)).cached
    plain = {name: value for name, value in step.items() if name != "cache"}
    assert not (await run(desk, plain, mcp=mcp)).cached
    assert mcp.calls == 3
