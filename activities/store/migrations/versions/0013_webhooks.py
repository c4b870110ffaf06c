"""Webhooks: who is told of tasks, what they were sent, and the trigger that writes it down."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The id is made of what the notice is: whatever is done twice, it is there once.
_TELL = """
CREATE FUNCTION tell_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text = 'task.' || CASE NEW.status WHEN 'running' THEN 'started' ELSE NEW.status END;
BEGIN
    INSERT INTO webhook_deliveries
        (id, team_id, webhook_id, url, target, task_id, run, type, state)
    SELECT CAST(encode(substr(sha256(convert_to(
               concat_ws(' ', NEW.id, NEW.run, NEW.event_seq, kind, webhook_id, url), 'UTF8'
           )), 1, 16), 'hex') AS uuid),
           NEW.team_id, webhook_id, url, NEW.team_id || ' ' || origin, NEW.id, NEW.run, kind,
           'pending'
    FROM (
        SELECT webhooks.id AS webhook_id, NULL AS url, origin
        FROM webhooks
        WHERE team_id = NEW.team_id AND is_active AND events @> to_jsonb(kind)
        UNION ALL
        SELECT NULL, callback ->> 'url', callback ->> 'origin'
        FROM jsonb_array_elements(NEW.callbacks) AS callback
        WHERE callback -> 'events' @> to_jsonb(kind)
    ) AS receiver
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""

_IS_TOLD = """
    NEW.parent_id IS NULL
    AND NEW.status IN ('running', 'waiting', 'completed', 'failed', 'blocked', 'cancelled')
"""

# A task that goes on, after a retry of a step or a pause, has not started again.
_ON_CHANGE = f"""
CREATE TRIGGER tell_webhooks AFTER UPDATE OF status ON tasks FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status
      AND (NEW.status <> 'running' OR OLD.started_at IS NULL) AND {_IS_TOLD})
EXECUTE FUNCTION tell_webhooks()
"""

_ON_INSERT = f"""
CREATE TRIGGER tell_webhooks_of_new AFTER INSERT ON tasks FOR EACH ROW
WHEN ({_IS_TOLD}) EXECUTE FUNCTION tell_webhooks()
"""


def _moment(name: str, *, is_now: bool = True) -> sa.Column[object]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        server_default=sa.text("now()") if is_now else None,
        nullable=not is_now,
    )


def upgrade() -> None:
    op.add_column("tasks", sa.Column("callbacks", postgresql.JSONB(), nullable=True))
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("events", postgresql.JSONB(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        _moment("failing_since", is_now=False),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhooks_by_team", "webhooks", ["team_id", "created_at", "id"])
    op.create_table(
        "callback_secrets",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("team_id"),
    )
    _create_deliveries()
    for statement in (_TELL, _ON_CHANGE, _ON_INSERT):
        op.execute(statement)


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("since"),
        _moment("next_at"),
        sa.Column("claim", sa.Uuid(), nullable=True),
        _moment("created_at"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "webhook_deliveries_due",
        "webhook_deliveries",
        ["target", "next_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    newest, last = sa.text("created_at DESC"), sa.text("id DESC")
    op.create_index("webhook_deliveries_by_team", "webhook_deliveries", ["team_id", newest, last])
    op.create_index(
        "webhook_deliveries_undelivered",
        "webhook_deliveries",
        ["team_id", newest, last],
        postgresql_where=sa.text("state <> 'delivered'"),
    )
    op.create_index("webhook_deliveries_by_task", "webhook_deliveries", ["task_id"])
    op.create_index(
        "webhook_deliveries_by_webhook",
        "webhook_deliveries",
        ["webhook_id", "state"],
        postgresql_where=sa.text("webhook_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER tell_webhooks ON tasks")
    op.execute("DROP TRIGGER tell_webhooks_of_new ON tasks")
    op.execute("DROP FUNCTION tell_webhooks()")
    op.drop_table("webhook_deliveries")
    op.drop_table("callback_secrets")
    op.drop_table("webhooks")
    op.drop_column("tasks", "callbacks")
