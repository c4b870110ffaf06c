"""Nodes of plans, which are tasks of their own, and what routers have chosen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("route", postgresql.JSONB(), nullable=True))
    op.create_index(
        "tasks_by_parent",
        "tasks",
        ["parent_id", "created_at"],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.add_column("sub_tasks", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("sub_tasks", sa.Column("child_id", sa.Uuid(), nullable=True))
    op.create_table(
        "plan_revisions",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("add", postgresql.JSONB(), nullable=False),
        sa.Column("drop", postgresql.JSONB(), nullable=False),
        sa.Column("rewire", postgresql.JSONB(), nullable=False),
        sa.Column("replaced", postgresql.JSONB(), nullable=False),
        sa.Column("former", postgresql.JSONB(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("task_id", "seq"),
    )


def downgrade() -> None:
    op.drop_table("plan_revisions")
    op.drop_column("sub_tasks", "child_id")
    op.drop_column("sub_tasks", "number")
    op.drop_index("tasks_by_parent", table_name="tasks")
    op.drop_column("tasks", "route")
