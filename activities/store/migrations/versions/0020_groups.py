"""Groups of agents that stay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def _moment(name: str) -> sa.Column[object]:
    kind = sa.DateTime(timezone=True)
    return sa.Column(name, kind, server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("limits", postgresql.JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("message_seq", sa.BigInteger(), nullable=False),
        sa.Column("delivered_seq", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        _moment("round_at"),
        _moment("created_at"),
        _moment("updated_at"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("groups_by_name", "groups", ["team_id", "name"], unique=True)
    op.create_index(
        "groups_by_team", "groups", ["team_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index(
        "groups_talking", "groups", ["round_at"], postgresql_where=sa.text("thread_id IS NOT NULL")
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("group_id", "agent_id"),
    )
    op.create_index("group_members_by_agent", "group_members", ["agent_id"])
    _create_discussions()


def _create_discussions() -> None:
    op.create_table(
        "group_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("from_agent_id", sa.Uuid(), nullable=True),
        sa.Column("from_name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("attachments", postgresql.JSONB(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        sa.Column("client_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("group_id", "seq", name="group_messages_once"),
        sa.UniqueConstraint("group_id", "client_key", name="group_messages_idempotency"),
    )
    op.create_index("group_messages_by_thread", "group_messages", ["thread_id", "round"])
    op.create_index("group_messages_by_age", "group_messages", ["team_id", "created_at"])
    op.create_table(
        "group_turns",
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("thread_id", "round", "agent_id"),
    )
    op.create_index(
        "group_turns_due", "group_turns", ["agent_id"], postgresql_where=sa.text("state = 'due'")
    )
    op.create_index("group_turns_by_age", "group_turns", ["team_id", "created_at"])


def downgrade() -> None:
    op.drop_table("group_turns")
    op.drop_table("group_messages")
    op.drop_table("group_members")
    op.drop_table("groups")
