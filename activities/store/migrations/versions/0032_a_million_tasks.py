"""Lists of a million tasks once more: each filter finds its rows in an index of its own team."""

import sqlalchemy as sa
from alembic import op

from activities.store.migrations.beforehand import MEMORY

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# Trigrams that are common in one team led every other one through its tasks.
BEFOREHAND = {
    "tasks_by_text_of_team": """
        ON tasks USING gin ((agentos_trigrams(name, prompt) || ARRAY[CAST(team_id AS text)]))
        WITH (gin_pending_list_limit = 512) WHERE parent_id IS NULL
    """,
    "sub_tasks_waiting": "ON sub_tasks (created_at) WHERE status = 'waiting'",
    "audit_log_by_action": "ON audit_log (team_id, action text_pattern_ops)",
    "audit_log_by_actor": "ON audit_log (team_id, actor text_pattern_ops)",
}


def upgrade() -> None:
    op.execute(MEMORY.format(scope="LOCAL"))
    # From here on nobody reads or writes a task until the end, which is near. The strongest lock
    # comes first: behind a weaker one, who reads a task and then writes it would wait for us, and
    # we for him.
    op.drop_index("tasks_by_text", table_name="tasks")
    # They know no team, and have few columns: they looked cheap to lists of one team, which then
    # walked all tasks of that state, and every change of state had to write them.
    op.drop_index("tasks_by_status", table_name="tasks")
    op.drop_index("sub_tasks_by_status", table_name="sub_tasks")
    for name, definition in BEFOREHAND.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} {definition}")
    op.execute("ALTER INDEX tasks_by_text_of_team RENAME TO tasks_by_text")


def downgrade() -> None:
    op.drop_index("audit_log_by_actor", table_name="audit_log")
    op.drop_index("audit_log_by_action", table_name="audit_log")
    op.drop_index("tasks_by_text", table_name="tasks")
    op.execute(MEMORY.format(scope="LOCAL"))
    op.create_index(
        "tasks_by_text",
        "tasks",
        [sa.text("agentos_trigrams(name, prompt)")],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 512},  # kB
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.drop_index("sub_tasks_waiting", table_name="sub_tasks")
    for table in ("sub_tasks", "tasks"):
        op.create_index(f"{table}_by_status", table, ["status", "created_at", "parent_id"])
