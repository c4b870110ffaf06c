"""Bulk runs over dead letters, and the audit log by what was done to something."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _moment(name: str, *, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not is_now)


def upgrade() -> None:
    op.create_index(
        "audit_log_by_target",
        "audit_log",
        ["team_id", "target"],
        postgresql_ops={"target": "text_pattern_ops"},
    )
    op.create_table(
        "bulk_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(), nullable=True),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column("canary", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        _moment("next_at", is_now=True),
        _moment("lease_until"),
        _moment("created_at", is_now=True),
        _moment("ended_at"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "bulk_runs_by_team",
        "bulk_runs",
        ["team_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "bulk_runs_due", "bulk_runs", ["next_at"], postgresql_where=sa.text("state = 'running'")
    )
    op.create_index(
        "bulk_runs_by_end",
        "bulk_runs",
        ["team_id", "ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_table(
        "bulk_items",
        sa.Column("bulk_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_alike", sa.Boolean(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk_runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bulk_id", "number"),
    )
    op.create_index("bulk_items_by_state", "bulk_items", ["bulk_id", "state", "number"])
    op.create_index(
        "bulk_items_running",
        "bulk_items",
        ["task_id"],
        postgresql_where=sa.text("state = 'requeued'"),
    )


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_runs")
    op.drop_index("audit_log_by_target", "audit_log")
