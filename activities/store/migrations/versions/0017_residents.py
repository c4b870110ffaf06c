"""Agents that stay, and their inboxes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Whoever views an agent hears that its exchange waits for a person, rests or goes on. Its end is
# told by the statement that writes it: that locks the group first, and then the agents.
_TOUCH = """
CREATE FUNCTION agentos_touch_agent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE agents SET updated_at = now() WHERE id = NEW.parent_id;
    PERFORM pg_notify('agentos_events', CAST(NEW.parent_id AS text));
    PERFORM pg_notify('agentos_events', CAST(NEW.team_id AS text));
    RETURN NULL;
END $$
"""
_TOUCHES = """
CREATE TRIGGER touch_agent AFTER UPDATE OF status ON tasks FOR EACH ROW
WHEN (NEW.type = 'exchange' AND NEW.status <> OLD.status
      AND NEW.status IN ('running', 'waiting', 'paused'))
EXECUTE FUNCTION agentos_touch_agent()
"""


def _moment(name: str, *, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not is_now)


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("template", sa.Text(), nullable=True),
        sa.Column("message_seq", sa.BigInteger(), nullable=False),
        sa.Column("told_seq", sa.BigInteger(), nullable=False),
        _moment("told_at", is_now=True),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        sa.Column("exchanges", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        _moment("paused_at"),
        _moment("terminated_at"),
        _moment("deleted_at"),
        _moment("created_at", is_now=True),
        _moment("updated_at", is_now=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("team_id", "idempotency_key", name="agents_idempotency"),
    )
    op.create_index(
        "agents_by_name",
        "agents",
        ["team_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "agents_by_team", "agents", ["team_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("agents_by_change", "agents", ["team_id", "updated_at"])
    op.create_index(
        "agents_by_parent",
        "agents",
        ["parent_id"],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index(
        "agents_untold",
        "agents",
        ["told_at"],
        postgresql_where=sa.text("message_seq > told_seq"),
    )
    _create_inbox()
    op.execute(_TOUCH)
    op.execute(_TOUCHES)
    _create_usage()


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_agent_id", sa.Uuid(), nullable=True),
        sa.Column("from_name", sa.Text(), nullable=False),
        sa.Column("to_agent_id", sa.Uuid(), nullable=True),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("attachments", postgresql.JSONB(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("reply_to", sa.Uuid(), nullable=True),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("thread_id", sa.Uuid(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("is_interrupted", sa.Boolean(), nullable=False),
        sa.Column("client_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        _moment("read_at"),
        _moment("withdrawn_at"),
        _moment("created_at", is_now=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agent_id", "seq", name="inbox_once"),
        sa.UniqueConstraint("agent_id", "client_key", name="inbox_idempotency"),
    )
    op.create_index(
        "inbox_unread",
        "inbox",
        ["agent_id", "seq"],
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index(
        "inbox_by_exchange",
        "inbox",
        ["exchange_id"],
        postgresql_where=sa.text("exchange_id IS NOT NULL"),
    )


def _create_usage() -> None:
    op.create_table(
        "agent_usage",
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("agent_id", "day"),
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER touch_agent ON tasks")
    op.execute("DROP FUNCTION agentos_touch_agent")
    op.drop_table("agent_usage")
    op.drop_table("inbox")
    op.drop_table("agents")
