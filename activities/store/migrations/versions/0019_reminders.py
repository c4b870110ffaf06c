"""Reminders of agents that stay, and the tasks that they have begun."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


_COUNTED = (
    ("hops", sa.Integer()),
    ("counted_tokens", sa.BigInteger()),
    ("counted_cost_usd", sa.Float()),
)


def _moment(name: str, *, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not is_now)


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        _moment("next_at", is_now=True),
        sa.Column("every_seconds", sa.Float(), nullable=True),
        _moment("until_at"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        _moment("created_at", is_now=True),
        _moment("ended_at"),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "reminders_due", "reminders", ["next_at"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("reminders_by_agent", "reminders", ["agent_id", "created_at"])
    # For housekeeping.
    op.create_index(
        "reminders_ended",
        "reminders",
        ["team_id", "ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index(
        "inbox_read_of_no_exchange",
        "inbox",
        ["team_id", "read_at"],
        postgresql_where=sa.text("exchange_id IS NULL AND read_at IS NOT NULL"),
    )
    op.add_column("tasks", sa.Column("agent_id", sa.Uuid(), nullable=True))
    op.add_column("tasks", _moment("reported_at"))
    for name, kind in _COUNTED:
        op.add_column("tasks", sa.Column(name, kind, server_default=sa.text("0"), nullable=False))
    op.create_index(
        "tasks_unreported",
        "tasks",
        ["finished_at"],
        postgresql_where=sa.text(
            "agent_id IS NOT NULL AND finished_at IS NOT NULL"
            " AND reported_at IS DISTINCT FROM finished_at"
        ),
    )
    op.create_index(
        "tasks_by_agent",
        "tasks",
        ["agent_id", "created_at"],
        postgresql_where=sa.text("agent_id IS NOT NULL"),
    )
    op.create_index(
        "tasks_begun",
        "tasks",
        ["created_at"],
        postgresql_where=sa.text("agent_id IS NOT NULL AND status = 'pending'"),
    )


def downgrade() -> None:
    op.drop_index("inbox_read_of_no_exchange", table_name="inbox")
    op.drop_index("tasks_begun", table_name="tasks")
    op.drop_index("tasks_by_agent", table_name="tasks")
    op.drop_index("tasks_unreported", table_name="tasks")
    for name, _ in _COUNTED:
        op.drop_column("tasks", name)
    op.drop_column("tasks", "reported_at")
    op.drop_column("tasks", "agent_id")
    op.drop_table("reminders")
