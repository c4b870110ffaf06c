"""How tasks started and ended, counted for metrics, whoever starts and ends them."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# A count in a row of its own would make all who end tasks wait for each other.
_MARK = """
CREATE FUNCTION mark_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.started_at IS NULL AND NEW.started_at IS NOT NULL THEN
        INSERT INTO task_marks (type, outcome, seconds)
        VALUES (NEW.type, 'started', greatest(0, extract(epoch FROM NEW.started_at
            - CASE WHEN NEW.run = 1 THEN NEW.created_at ELSE OLD.updated_at END)));
    END IF;
    IF NEW.status <> OLD.status
       AND NEW.status IN ('blocked', 'cancelled', 'completed', 'failed') THEN
        INSERT INTO task_marks (type, outcome, seconds)
        VALUES (NEW.type, NEW.status, greatest(0, extract(epoch FROM
            coalesce(NEW.finished_at, now()) - coalesce(NEW.started_at, NEW.created_at))));
    END IF;
    RETURN NULL;
END
$$
"""

_ON_CHANGE = """
CREATE TRIGGER mark_task AFTER UPDATE ON tasks FOR EACH ROW
WHEN ((OLD.started_at IS NULL AND NEW.started_at IS NOT NULL)
      OR (NEW.status <> OLD.status
          AND NEW.status IN ('blocked', 'cancelled', 'completed', 'failed')))
EXECUTE FUNCTION mark_task()
"""


def upgrade() -> None:
    op.create_table(
        "task_marks",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "task_tallies",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("most_seconds", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("type", "outcome", "most_seconds"),
    )
    op.execute(_MARK)
    op.execute(_ON_CHANGE)
    op.create_index(
        "dead_letters_open", "dead_letters", ["id"], postgresql_where=sa.text("state = 'open'")
    )


def downgrade() -> None:
    op.drop_index("dead_letters_open", "dead_letters")
    op.execute("DROP TRIGGER mark_task ON tasks")
    op.execute("DROP FUNCTION mark_task()")
    op.drop_table("task_tallies")
    op.drop_table("task_marks")
