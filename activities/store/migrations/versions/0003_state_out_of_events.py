"""A pause that was asked for, and what broken answers took, were known from events only."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Of living tasks only, whose events are found by their key: there may be millions of others.
_PAUSES = """
    UPDATE tasks SET pause_requested_at = asked.created_at
    FROM tasks AS living, LATERAL (
        SELECT type, created_at FROM events
        WHERE task_id = living.id AND type IN ('task.pause_requested', 'task.resume_requested')
        ORDER BY seq DESC LIMIT 1
    ) AS asked
    WHERE tasks.id = living.id AND asked.type = 'task.pause_requested'
      AND living.status IN ('pending', 'running', 'waiting', 'paused')
"""

# What was lost since the present turn began belongs to the execution that works on it.
_LOST_ANSWERS = """
    INSERT INTO lost_answers
        (task_id, turn, execution, team_id, prompt_tokens, completion_tokens, cost_usd)
    SELECT tasks.id, begun.turn, executions ->> -1, tasks.team_id, lost.prompt_tokens,
           lost.completion_tokens, lost.cost_usd
    FROM tasks, LATERAL (
        SELECT seq, CAST(data ->> 'turn' AS int) AS turn FROM events
        WHERE task_id = tasks.id AND type = 'turn.started'
        ORDER BY seq DESC LIMIT 1
    ) AS begun, LATERAL (
        SELECT sum(CAST(data ->> 'prompt_tokens' AS int)) AS prompt_tokens,
               sum(CAST(data ->> 'completion_tokens' AS int)) AS completion_tokens,
               sum(CAST(data ->> 'cost_usd' AS float)) AS cost_usd
        FROM events
        WHERE task_id = tasks.id AND seq > begun.seq AND type = 'usage'
          AND data @> '{"is_lost": true}' AND CAST(data ->> 'turn' AS int) = begun.turn
    ) AS lost
    WHERE tasks.type = 'agent' AND jsonb_array_length(executions) > 0
      AND tasks.status IN ('pending', 'running', 'waiting', 'paused')
      AND lost.prompt_tokens IS NOT NULL
"""


def upgrade() -> None:
    op.add_column(
        "tasks", sa.Column("pause_requested_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        "lost_answers",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("task_id", "turn", "execution"),
    )
    op.execute(_PAUSES)
    op.execute(_LOST_ANSWERS)


def downgrade() -> None:
    op.drop_table("lost_answers")
    op.drop_column("tasks", "pause_requested_at")
