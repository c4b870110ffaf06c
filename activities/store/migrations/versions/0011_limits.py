"""Limits on what runs at once, and what waits for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sub_tasks", sa.Column("waits_for", sa.Text(), nullable=True))
    op.add_column("teams", sa.Column("max_running", sa.Integer(), nullable=True))
    op.add_column("teams", sa.Column("weight", sa.Float(), nullable=True))
    op.add_column("tools", sa.Column("max_running", sa.Integer(), nullable=True))
    op.add_column("tools", sa.Column("calls_per_minute", sa.Integer(), nullable=True))
    op.create_table(
        "slots",
        sa.Column("holder", sa.Uuid(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("team_id", sa.Uuid(), sa.ForeignKey("teams.id"), nullable=False),
        sa.Column(
            "task_id", sa.Uuid(), sa.ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        _now_column("taken_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("slots_by_token", "slots", ["token"])
    op.create_table(
        "slot_waits",
        sa.Column("holder", sa.Uuid(), primary_key=True),
        sa.Column("team_id", sa.Uuid(), sa.ForeignKey("teams.id"), nullable=False),
        sa.Column(
            "task_id", sa.Uuid(), sa.ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("keys", postgresql.JSONB(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        _now_column("arrived_at"),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("slot_waits_by_task", "slot_waits", ["task_id"])
    op.create_table(
        "rate_buckets",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("tokens", sa.Float(), nullable=False),
        _now_column("filled_at"),
    )


def _now_column(name: str) -> sa.Column[object]:
    kind = sa.DateTime(timezone=True)
    return sa.Column(name, kind, server_default=sa.func.now(), nullable=False)


def downgrade() -> None:
    op.drop_table("rate_buckets")
    op.drop_table("slot_waits")
    op.drop_table("slots")
    op.drop_column("tools", "calls_per_minute")
    op.drop_column("tools", "max_running")
    op.drop_column("teams", "weight")
    op.drop_column("teams", "max_running")
    op.drop_column("sub_tasks", "waits_for")
