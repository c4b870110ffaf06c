"""What a year of use leaves in the database, made in seconds."""

from uuid import UUID

from sqlalchemy import text

from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM

DAYS = 365

# Every tenth task is an agent's. They ended evenly over the year, the first one a year ago.
_TASKS = """
    INSERT INTO tasks (id, team_id, type, name, priority, status, definition, inputs, run,
                       first_step, event_seq, created_at, updated_at, started_at, finished_at)
    SELECT gen_random_uuid(), :team, CASE WHEN n % 10 = 0 THEN 'agent' ELSE 'pipeline' END,
           'year ' || n, 5, 'completed', '{}', '{}', 1, 0, 12, moment, moment, moment, moment
    FROM generate_series(1, :tasks) AS n,
         LATERAL (SELECT now() - make_interval(secs => 86400.0 * :days * n / :tasks)) AS x(moment)
"""
_STEPS = """
    INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,
                           input_context, retry_count, execution_order, created_at)
    SELECT gen_random_uuid(), team_id, id, 'step ' || n, 'skill', 'completed', '[]',
           '{"skill": "csv-clean", "args": ["a.csv"]}', 0, n, created_at
    FROM tasks, generate_series(1, 3) AS n WHERE name LIKE 'year %'
"""
_LOGS = """
    INSERT INTO execution_logs (id, team_id, task_id, sub_task_id, run, attempt, status,
                                duration_ms, tokens_used, stdout, stderr, started_at, finished_at)
    SELECT gen_random_uuid(), team_id, task_id, id, 1, 1, 'completed', 900, 0,
           repeat('a line of output ', 20), repeat('a warning ', 20), created_at, created_at
    FROM sub_tasks WHERE task_type = 'skill'
"""
_EVENTS = """
    INSERT INTO events (task_id, seq, team_id, type, data, created_at)
    SELECT id, n, team_id, 'step.output', jsonb_build_object('step', 'a', 'text', repeat('x', 80)),
           created_at
    FROM tasks, generate_series(1, 12) AS n WHERE name LIKE 'year %'
"""
_ARTIFACTS = """
    INSERT INTO task_artifacts (id, team_id, task_id, sub_task_id, type, name, size, mime_type,
                                sha256, created_at)
    SELECT gen_random_uuid(), team_id, task_id, id, 'file', 'out.csv', 10, 'text/csv',
           md5(CAST(id AS text)) || md5(CAST(task_id AS text)), created_at
    FROM sub_tasks WHERE task_type = 'skill'
"""
_MESSAGES = """
    INSERT INTO messages (task_id, seq, team_id, turn, role, content, is_protected, execution,
                          prompt_tokens, completion_tokens, cost_usd, created_at)
    SELECT id, n, team_id, n / 2, CASE WHEN n % 2 = 0 THEN 'tool' ELSE 'assistant' END,
           repeat('what was said ', 30), false, 'a', 100, 10, 0.01, created_at
    FROM tasks, generate_series(1, 20) AS n WHERE name LIKE 'year %' AND type = 'agent'
"""
_FILES = """
    INSERT INTO files (id, team_id, name, size, mime_type, sha256, named_at, created_at)
    SELECT gen_random_uuid(), :team, 'in.csv', 10, 'text/csv',
           md5(CAST(n AS text)) || md5(CAST(-n AS text)), moment, moment
    FROM generate_series(1, :tasks / 10) AS n,
         LATERAL (SELECT now() - make_interval(secs => 86400.0 * :days * n * 10 / :tasks))
             AS x(moment)
"""
_AUDIT = """
    INSERT INTO audit_log (id, team_id, actor, action, target, note, details, created_at)
    SELECT gen_random_uuid(), :team, 'laptop', 'task.retried', 'x', '', '{}',
           now() - make_interval(secs => 86400.0 * :days * n * 10 / :tasks)
    FROM generate_series(1, :tasks / 10) AS n
"""
_ALL = (_TASKS, _STEPS, _LOGS, _EVENTS, _ARTIFACTS, _MESSAGES, _FILES, _AUDIT)


async def add_year(database: Database, tasks: int, team_id: UUID = DEFAULT_TEAM) -> int:
    """So many tasks that have ended, with what belongs to them. Gives how many rows there are."""
    values = {"team": team_id, "tasks": tasks, "days": DAYS}
    rows = 0
    async with database.writing() as connection:
        await connection.execute(text("SELECT set_config('statement_timeout', '0', true)"))
        for statement in _ALL:
            wanted = {key: value for key, value in values.items() if f":{key}" in statement}
            rows += (await connection.execute(text(statement), wanted)).rowcount
    return rows
