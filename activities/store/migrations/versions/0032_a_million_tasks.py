"""Lists of a million tasks once more: each filter finds its rows in an index of its own team."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_OF_TEAM = "(agentos_trigrams(name, prompt) || ARRAY[CAST(team_id AS text)])"


def upgrade() -> None:
    # It knows no team, and has few columns: it looked cheap to lists of one team, which then walked
    # all tasks of that state, and every change of state had to write it.
    op.drop_index("tasks_by_status", table_name="tasks")
    op.drop_index("sub_tasks_by_status", table_name="sub_tasks")
    op.create_index(
        "sub_tasks_waiting",
        "sub_tasks",
        ["created_at"],
        postgresql_where=sa.text("status = 'waiting'"),
    )
    # Trigrams that are common in one team led every other one through its tasks.
    op.drop_index("tasks_by_text", table_name="tasks")
    _create_text_index(_OF_TEAM)
    for column in ("action", "actor"):
        op.create_index(
            f"audit_log_by_{column}",
            "audit_log",
            ["team_id", column],
            postgresql_ops={column: "text_pattern_ops"},
        )


def downgrade() -> None:
    op.drop_index("audit_log_by_actor", table_name="audit_log")
    op.drop_index("audit_log_by_action", table_name="audit_log")
    op.drop_index("tasks_by_text", table_name="tasks")
    _create_text_index("agentos_trigrams(name, prompt)")
    op.drop_index("sub_tasks_waiting", table_name="sub_tasks")
    for table in ("sub_tasks", "tasks"):
        op.create_index(f"{table}_by_status", table, ["status", "created_at", "parent_id"])


def _create_text_index(words: str) -> None:
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")  # Else it goes to the disk in pieces.
    op.create_index(
        "tasks_by_text",
        "tasks",
        [sa.text(words)],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 512},  # kB
        postgresql_where=sa.text("parent_id IS NULL"),
    )
