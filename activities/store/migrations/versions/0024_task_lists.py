"""Who has submitted a task, its name and its retries as lists need them; bulk runs over tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("created_by", sa.Text(), nullable=True))
    op.create_index(
        "tasks_by_name",
        "tasks",
        ["team_id", "name", sa.text("finished_at DESC")],
        postgresql_where=sa.text("finished_at IS NOT NULL AND parent_id IS NULL"),
    )
    op.create_index(
        "tasks_in_trouble",
        "tasks",
        ["team_id"],
        postgresql_where=sa.text("status = 'running' AND error IS NOT NULL"),
    )
    op.create_index(
        "sub_tasks_retrying",
        "sub_tasks",
        ["team_id", "task_id"],
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.alter_column("bulk_items", "letter_id", nullable=True)
    op.alter_column("bulk_items", "fingerprint", nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM bulk_runs WHERE action IN ('cancel', 'retry', 'delete')")
    op.alter_column("bulk_items", "fingerprint", nullable=False)
    op.alter_column("bulk_items", "letter_id", nullable=False)
    op.drop_index("sub_tasks_retrying", "sub_tasks")
    op.drop_index("tasks_in_trouble", "tasks")
    op.drop_index("tasks_by_name", "tasks")
    op.drop_column("tasks", "created_by")
