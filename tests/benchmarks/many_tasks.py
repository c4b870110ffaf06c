"""Lists and submissions in a database with a million tasks."""

import math
import random
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from sqlalchemy import text

from activities.kinds.table import KINDS
from activities.store import migrations, tasks
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.tasks import NewTask
from tests.benchmarks.in_process import api_in_process
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.report import compare, console, judge
from tests.benchmarks.stage import Stage
from tests.databases import empty_database
from workflows.definitions.pipeline import Pipeline
from workflows.states import TaskType

TASKS = 1_000_000
_BETWEEN = timedelta(seconds=30)
STEPS = 500
REQUESTS = 60
SUBMITTED_AT_ONCE = 20
MOST_MS = 50.0
MOST_OF_A_PAGE_MS = 100.0
SUBMISSION = Bound(most=1.1)

# As a team leaves them in a year: one every 30 s, one in a hundred ended badly.
_TASKS = f"""
    INSERT INTO tasks
        (id, team_id, type, name, prompt, priority, status, definition, inputs, run, first_step,
         event_seq, created_at, updated_at, started_at, finished_at)
    SELECT gen_random_uuid(), '{DEFAULT_TEAM}',
           (ARRAY['pipeline', 'pipeline', 'pipeline', 'agent', 'plan'])[1 + n % 5],
           (ARRAY['sales-report', 'cleanup', 'digest', 'invoices', 'forecast'])[1 + n / 5 % 5]
               || '-' || n,
           CASE WHEN n % 5 > 2 THEN 'Summarise the orders of week ' || n % 52 || ' of the '
               || (ARRAY['northern', 'southern', 'eastern', 'western'])[1 + n % 4]
               || ' branches, and explain what changed; case ' || md5(CAST(n AS text)) END,
           5,
           CASE WHEN n % 1000 = 0 THEN 'blocked' WHEN n % 100 = 1 THEN 'failed'
                WHEN n % 200 = 3 THEN 'cancelled' ELSE 'completed' END,
           '{{"name": "x", "steps": [{{"id": "a", "skill": "noop"}}]}}', '{{}}', 1, 0, 6,
           now() - n * interval '30 s', now() - n * interval '30 s', now() - n * interval '30 s',
           now() - n * interval '29 s'
    FROM generate_series(1, {TASKS}) AS n
"""
_STEPS = """
    INSERT INTO sub_tasks
        (id, team_id, task_id, parent_id, name, task_type, status, dependencies, input_context,
         output_result, retry_count, execution_order, created_at)
    SELECT gen_random_uuid(), team_id, id, id, 'a', 'skill', status, '[]',
           '{"id": "a", "skill": "noop"}', '{"exit_code": 0, "refused": []}', 0, 0, created_at
    FROM tasks
"""
_LETTERS = """
    INSERT INTO dead_letters
        (id, team_id, task_id, run, type, part, name, error, fingerprint, parts, searched, attempts,
         tokens, cost_usd, seconds, state, note, created_at)
    SELECT gen_random_uuid(), team_id, id, 1, type, 'a', name,
           '{"code": "script-failed", "message": "It ended with exit code 1."}',
           substr(md5(substr(name, 1, 4) || type), 1, 16),
           '{"version": 1, "type": "pipeline", "step": "a", "runs": "noop", "code": "script-failed",
             "message": "It ended with exit code #."}',
           lower(name), 1, 0, 0, 1, 'open', '', finished_at
    FROM tasks WHERE status IN ('blocked', 'failed')
"""
_LONG = f"""
    INSERT INTO sub_tasks
        (id, team_id, task_id, parent_id, name, task_type, status, dependencies, input_context,
         output_result, retry_count, execution_order)
    SELECT gen_random_uuid(), '{DEFAULT_TEAM}', :task_id, :task_id, n || '.1 run_code', 'code',
           'completed', '[]', '{{"tool": "run_code"}}', '{{"exit_code": 0, "refused": []}}', 0, n
    FROM generate_series(1, {STEPS}) AS n
"""

# What is asked for, by what it shows.
LISTS: Mapping[str, str] = {
    "the first page": "",
    "states": "status=blocked&status=failed",
    "a state that no task has": "status=running",
    "with the last runs of each": "with_runs=true",
    "what is tried again": "retrying=true",
    "a type": "type=agent",
    "a type that no task has": "type=auto",
    "a type and a state": "type=plan&status=blocked",
    "a common text": "text=sales-report",
    "a rare text": "text=sales-report-777700",
    "a text that no task has": "text=nothing+of+the+kind",
    "a text among blocked ones": "text=western&status=blocked",
}


# Of the web page, which tells of each task how the last ones of its name ended.
PAGES: Mapping[str, str] = {
    "the first": "/",
    "failed ones": "/?status=failed&status=blocked",
    "retrying ones": "/?retrying=true",
    "a rare text": "/?text=sales-report-777700",
}


async def lists_and_submissions(stage: Stage) -> Verdict:
    """Pages of a million tasks, and submission beside an empty database."""
    async with (
        empty_database(stage.services) as small_url,
        empty_database(stage.services) as large_url,
        _database(small_url) as small,
        _database(large_url) as large,
    ):
        began = time.monotonic()
        long_task = await _fill(large)
        console.print(f"{TASKS:,} tasks were written in {time.monotonic() - began:.0f} s.")
        verdicts = [await _pages(stage, large, long_task), await _submissions(small, large)]
        return max(verdicts)


async def _fill(database: Database) -> str:
    """Write the tasks; gives the id of one with 500 calls."""
    long_task = _new_task(TaskType.AGENT)
    await tasks.create_task(database, long_task)
    async with database.writing() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        # Made at once it costs a minute less.
        by_text = await connection.scalar(text("SELECT pg_get_indexdef('tasks_by_text'::regclass)"))
        await connection.execute(text("DROP INDEX tasks_by_text"))
        await connection.execute(text(_TASKS))
        await connection.execute(text(_STEPS))
        await connection.execute(text(_LETTERS))
        await connection.execute(text(_LONG), {"task_id": long_task.id})
        await connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        await connection.execute(text(by_text))
        await connection.execute(text("ANALYZE"))
    return str(long_task.id)


async def _pages(stage: Stage, database: Database, long_task: str) -> Verdict:
    async with api_in_process(stage, database, "nobody") as client:
        middle = (datetime.now(UTC) - TASKS // 2 * _BETWEEN).strftime("%Y-%m-%dT%H:%M:%SZ")
        deep = await _deep_page(client, middle)
        paths = {name: f"/api/v1/tasks?{query}" for name, query in LISTS.items()}
        paths["a time"] = f"/api/v1/tasks?created_before={middle}"
        paths["dead letters"] = "/api/v1/dead-letters"
        paths["groups of them"] = "/api/v1/dead-letters/groups"
        paths["a deep page"] = f"/api/v1/tasks?cursor={deep}"
        paths[f"a task with {STEPS} calls"] = f"/api/v1/tasks/{long_task}"
        lists = await _judged(client, "requests", paths, MOST_MS)
        pages = {**PAGES, "a deep one": f"/?cursor={deep}"}
        return max(lists, await _judged(client, "web pages", pages, MOST_OF_A_PAGE_MS))


async def _judged(
    client: httpx.AsyncClient, what: str, paths: Mapping[str, str], most_ms: float
) -> Verdict:
    worst = {name: await _p95(client, path) for name, path in paths.items()}
    told = ", ".join(f"{name} {value:.0f}" for name, value in worst.items())
    kept = max(worst.values()) <= most_ms
    figure = f"p95 of {REQUESTS} {what}, in ms: {told}"
    return judge(figure, kept=kept, bound=f"<= {most_ms:.0f} ms each")


async def _deep_page(client: httpx.AsyncClient, before: str) -> str:
    page = (await client.get(f"/api/v1/tasks?created_before={before}&limit=1")).json()
    return str(page["next_cursor"])


async def _p95(client: httpx.AsyncClient, path: str) -> float:
    taken = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        (await client.get(path)).raise_for_status()
        taken.append((time.perf_counter() - began) * 1_000)
    return sorted(taken)[math.ceil(0.95 * len(taken)) - 1]


async def _submissions(small: Database, large: Database) -> Verdict:
    """What of a submission depends on how many tasks there are: that it is written down."""

    async def write(database: Database) -> float:
        taken = []
        for _ in range(SUBMITTED_AT_ONCE):
            task = _new_task(random.choice((TaskType.PIPELINE, TaskType.AGENT)))
            began = time.perf_counter()
            await tasks.create_task(database, task)
            taken.append((time.perf_counter() - began) * 1_000)
        return statistics.median(taken)

    pairs = await measure(
        lambda: write(large), lambda: write(small), SUBMISSION, Effort(most=200, seconds=40)
    )
    return compare(
        f"Writing down a task beside {TASKS:,}",
        pairs,
        baseline_name="the same in an empty database",
        unit="ms",
        bound=SUBMISSION,
    )


def _new_task(task_type: TaskType) -> NewTask:
    task_id = uuid4()
    steps = [{"id": f"s{number}", "skill": "noop"} for number in range(3)]
    pipeline = Pipeline.model_validate({"name": f"benchmark-{task_id}", "steps": steps})
    is_pipeline = task_type is TaskType.PIPELINE
    return NewTask(
        id=task_id,
        team_id=DEFAULT_TEAM,
        type=task_type,
        name=f"benchmark-{task_id}",
        definition=pipeline.model_dump(mode="json", exclude_defaults=True) if is_pipeline else {},
        sub_tasks=KINDS[task_type].sub_tasks(task_id, pipeline) if is_pipeline else (),
        prompt=None if is_pipeline else f"Summarise what changed in the orders of {task_id}.",
    )


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    await migrations.migrate(url)
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()
