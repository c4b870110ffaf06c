"""What lists look at where there is little to find among many tasks: next to nothing."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from activities.store import approvals, keys
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.audit import AuditFilter, list_entries
from activities.store.reading.suspects import only_sweep
from activities.store.reading.task_search import TaskFilter, find_page
from activities.store.reading.waiting import list_waiting
from workflows.states import Status, TaskType

TASKS = 20_000
# A page, the rows of the shorter team, or the states that there are: whatever is less than this.
FEW = 100
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_TASKS = f"""
    INSERT INTO tasks (id, team_id, type, name, priority, status, definition, inputs, run,
                       first_step, event_seq, created_at, updated_at, finished_at)
    SELECT gen_random_uuid(), :team, CASE WHEN n % 5 = 0 THEN 'agent' ELSE 'pipeline' END,
           'report-' || n, 5, CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'completed' END, '{{}}',
           '{{}}', 1, 0, 6, moment, moment, moment
    FROM generate_series(1, {TASKS}) AS n,
         LATERAL (SELECT now() - n * interval '30 s') AS x(moment)
"""
_FEW = """
    INSERT INTO tasks (id, team_id, type, name, priority, status, inputs, run, first_step,
                       event_seq, created_at, finished_at)
    SELECT gen_random_uuid(), :team, 'pipeline', 'digest', 5, 'completed', '{}', 1, 0, 0, :moment,
           :moment
    FROM generate_series(1, 20) AS n
"""
# Of each somebody was asked, and has decided.
_STEPS = """
    INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,
                           input_context, retry_count, execution_order, created_at, approval)
    SELECT gen_random_uuid(), team_id, id, 'a', 'skill', 'completed', '[]', '{}', 0, 0, created_at,
           jsonb_build_object('kind', 'approval', 'decision', 'approve',
                              'decided_at', created_at, 'expires_at', created_at)
    FROM tasks
"""
_DEEDS = f"""
    INSERT INTO audit_log (id, team_id, actor, action, target, note, details, created_at)
    SELECT gen_random_uuid(), :team, 'laptop', 'task.retried', 'x', '', '{{}}',
           now() - n * interval '30 s'
    FROM generate_series(1, {TASKS}) AS n
"""


@pytest.fixture
async def few(database: Database) -> UUID:
    """A team with 20 tasks, beside one with many."""
    team_id = await keys.create_team(database, "few")
    async with database.writing() as connection:
        for statement in (_TASKS, _STEPS, _DEEDS):
            values = {"team": DEFAULT_TEAM} if ":team" in statement else {}
            await connection.execute(text(statement), values)
        shared = {"team": team_id, "moment": BEGAN}
        await connection.execute(text(_FEW), shared)
        for table in ("tasks", "sub_tasks", "audit_log"):
            await connection.execute(text(f"ANALYZE {table}"))
    return team_id


@contextmanager
def heard(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def hear(_: object, __: object, statement: str, parameters: Any, *rest: object) -> None:
        asked.append((statement, parameters))

    engine = database._primary.engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    yield asked
    event.remove(engine, "before_cursor_execute", hear)


def _rows_in(plan: dict[str, Any]) -> float:
    """How many rows were touched, those that no filter let through among them."""
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    own += plan.get("Rows Removed by Index Recheck", 0)
    return max([float(own), *(_rows_in(part) for part in plan.get("Plans", ()))])


async def rows_touched(database: Database, ask: Callable[[], Awaitable[object]]) -> float:
    with heard(database) as asked:
        await ask()
    most = 0.0
    async with database.reading() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        for statement, values in asked:
            if not statement.lstrip().startswith(("SELECT", "WITH")):
                continue
            explained = await driver.fetchval(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values
            )
            most = max(most, _rows_in(explained[0]["Plan"]))
    return most


async def test_lists_of_what_is_not_there_touch_next_to_nothing(
    database: Database, few: UUID
) -> None:
    async def page(team_id: UUID, wanted: TaskFilter) -> None:
        async with database.reading() as connection:
            assert not await find_page(connection, team_id, wanted, None, 50, looked_through=10)

    async def deeds(wanted: AuditFilter) -> None:
        assert not (await list_entries(database, DEFAULT_TEAM, wanted, None, 50))[0]

    async def sweep() -> None:
        async with only_sweep(database) as suspects:
            assert suspects is not None
            assert not await suspects.pending(since=datetime.now(UTC), after=None, limit=100)
            assert not await suspects.orphans(100)

    both = TaskFilter(types=(TaskType.AGENT,), statuses=(Status.RUNNING,))
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "a type": lambda: page(DEFAULT_TEAM, TaskFilter(types=(TaskType.PLAN,))),
        "a state": lambda: page(DEFAULT_TEAM, TaskFilter(statuses=(Status.PAUSED,))),
        "both": lambda: page(DEFAULT_TEAM, both),
        "a type of a small team": lambda: page(few, TaskFilter(types=(TaskType.AGENT,))),
        "a state of a small team": lambda: page(few, TaskFilter(statuses=(Status.FAILED,))),
        "a text": lambda: page(DEFAULT_TEAM, TaskFilter(text="no such words")),
        "a text of another team": lambda: page(few, TaskFilter(text="report")),
        "a name like all others": lambda: page(DEFAULT_TEAM, TaskFilter(name="report")),
        "a deed": lambda: deeds(AuditFilter(actions=("key",))),
        "an actor": lambda: deeds(AuditFilter(actor="nobody")),
        "calls that wait": lambda: approvals.decided_calls(database, timedelta(0), 10),
        "waiting of a team": lambda: list_waiting(database, DEFAULT_TEAM, None, 10),
        "suspects": sweep,
    }
    touched = {name: await rows_touched(database, ask) for name, ask in asked.items()}
    assert max(touched.values()) <= FEW, touched
