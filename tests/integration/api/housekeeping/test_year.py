"""A year's data is swept while tasks run, by the API itself, on the true services."""

import asyncio
from pathlib import Path

from sqlalchemy import text

from activities.retention import Retention
from api.housekeeping.options import HousekeepingOptions
from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage
from tests.pressure import allowed
from tests.year_of_data import add_year

TASKS = 600
KEPT = Retention(tasks=180, events=30, logs=90, conversations=90, files=90, audit=180, blobs=None)
OPTIONS = HousekeepingOptions(
    retention=KEPT, interval_seconds=0.1, work_seconds=1.0, rest_seconds=0.5
)
LONGEST_TRANSACTION = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
"""


async def counted(stage: Stage) -> dict[str, int]:
    """What is left of what is not to be kept."""
    queries = {
        "tasks": "tasks WHERE finished_at < now() - interval '181 days'",
        "events": "events JOIN tasks ON tasks.id = task_id"
        " WHERE finished_at < now() - interval '31 days'",
        "logs": "execution_logs JOIN tasks ON tasks.id = task_id"
        " WHERE tasks.finished_at < now() - interval '91 days' AND stderr <> ''",
        "messages": "messages JOIN tasks ON tasks.id = task_id"
        " WHERE finished_at < now() - interval '91 days' AND content <> ''",
        "files": "files WHERE named_at < now() - interval '91 days'",
        "audit": "audit_log WHERE created_at < now() - interval '181 days'",
    }
    async with stage.database.reading(fresh=True) as connection:
        return {
            name: await connection.scalar(text(f"SELECT count(*) FROM {rest}")) or 0
            for name, rest in queries.items()
        }


async def test_a_years_data_is_swept_while_tasks_run(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, housekeeping=OPTIONS) as stage:
        await add_year(stage.database, TASKS)
        before = await counted(stage)
        assert all(before.values()), before
        longest, submitted = 0.0, list[str]()
        async with asyncio.timeout(120):
            while any((await counted(stage)).values()):
                submitted.append(await stage.submit("print x\nfile a.txt a"))
                async with stage.database.reading(fresh=True) as connection:
                    longest = max(
                        longest, float(await connection.scalar(text(LONGEST_TRANSACTION)) or 0)
                    )
                await asyncio.sleep(0.02)
        for task_id in submitted:
            task = await stage.until(task_id, "completed")
            assert len(task["artifacts"]) == 1
        # What is to be kept is there, whole.
        async with stage.database.reading(fresh=True) as connection:
            kept = await connection.scalar(
                text("SELECT count(*) FROM tasks WHERE name LIKE 'year %'")
            )
            young = "finished_at > now() - interval '29 days' AND name LIKE 'year %'"
            events = await connection.scalar(
                text(f"SELECT count(*) FROM events JOIN tasks ON tasks.id = task_id WHERE {young}")
            )
            tasks = await connection.scalar(text(f"SELECT count(*) FROM tasks WHERE {young}"))
        assert kept is not None
        assert abs(kept - TASKS * 180 // 365) <= TASKS // 100
        assert events == 12 * (tasks or 0)
        assert longest < allowed(2.0)  # Bounded by our own limit on a statement.
