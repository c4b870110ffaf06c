"""What agents that stay remember beside their conversation, and how many think at once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _moment(name: str, *, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not is_now)


def upgrade() -> None:
    op.create_table(
        "agent_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed("to_tsvector('simple', text)", persisted=True),
            nullable=True,
        ),
        _moment("created_at", is_now=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "agent_notes_by_agent",
        "agent_notes",
        ["agent_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("agent_notes_by_words", "agent_notes", ["words"], postgresql_using="gin")
    op.create_table(
        "agent_summaries",
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("through", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=False),
        _moment("created_at", is_now=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("agent_id", "through"),
    )
    op.add_column("teams", sa.Column("max_thinking", sa.Integer(), nullable=True))
    op.add_column("slot_waits", sa.Column("waits_for", sa.Text(), nullable=True))
    op.create_index(
        "exchanges_by_end",
        "tasks",
        ["team_id", "finished_at", "id"],
        postgresql_where=sa.text("finished_at IS NOT NULL AND type = 'exchange'"),
    )
    op.create_index(
        "agents_deleted",
        "agents",
        ["team_id", "deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "inbox_by_attachment",
        "inbox",
        [sa.text("jsonb_path_query_array(attachments, '$.*')")],
        postgresql_using="gin",
        postgresql_where=sa.text("read_at IS NULL AND attachments IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("inbox_by_attachment", "inbox")
    op.drop_index("agents_deleted", "agents")
    op.drop_index("exchanges_by_end", "tasks")
    op.drop_column("slot_waits", "waits_for")
    op.drop_column("teams", "max_thinking")
    op.drop_table("agent_summaries")
    op.drop_table("agent_notes")
