"""Dead letters, and the log of who did what."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from activities.dead_letters.fingerprint import Parts
from workflows.states import TaskType

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "audit_log_by_team",
        "audit_log",
        ["team_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("sub_task_id", sa.Uuid(), nullable=True),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("error", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("parts", postgresql.JSONB(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("searched", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id", "run", "part", name="dead_letters_once"),
    )
    newest, last = sa.text("created_at DESC"), sa.text("id DESC")
    op.create_index(
        "dead_letters_by_team", "dead_letters", ["team_id", "state", newest, last, "type"]
    )
    op.create_index(
        "dead_letters_by_fingerprint",
        "dead_letters",
        ["team_id", "state", "fingerprint", newest, last, "type"],
    )
    _write_letters()


def downgrade() -> None:
    op.drop_table("dead_letters")
    op.drop_table("audit_log")


# What had ended badly before has its letters, too: people look for it there from now on.

_BATCH = 500
_SEARCHED_CHARACTERS = 1_000


def _write_letters() -> None:
    connection = op.get_bind()
    ended = iter(connection.scalars(_ENDED).all())
    while batch := list(islice(ended, _BATCH)):
        rows = connection.execute(_PARTS, {"ids": batch}).all()
        if letters := [_letter(row) for row in rows]:
            connection.execute(_INSERT, letters)


def _letter(row: sa.Row[*tuple[Any, ...]]) -> Mapping[str, object]:
    error = row.error or {"code": "error", "message": "Nobody wrote down why it ended."}
    part, code, message = row.part or "", str(error["code"]), str(error["message"])
    parts = Parts.of(TaskType(row.type), part or None, row.runs, code, message)
    return {
        "id": uuid5(UUID(str(row.id)), f"dead letter {row.run} {part}"),
        "team_id": row.team_id,
        "task_id": row.id,
        "sub_task_id": row.part_id,
        "run": row.run,
        "type": row.type,
        "part": part,
        "name": row.name,
        "error": json.dumps(error),
        "fingerprint": parts.fingerprint,
        "parts": json.dumps(parts.document),
        "attempts": max(row.attempts if part else 1, 1),
        "tokens": row.tokens,
        "cost_usd": row.cost_usd,
        "seconds": row.seconds,
        "searched": f"{row.name}\n{part}\n{code}\n{message}".lower()[:_SEARCHED_CHARACTERS],
        "created_at": row.ended_at,
    }


_ENDED = sa.text("SELECT id FROM tasks WHERE parent_id IS NULL AND status IN ('failed', 'blocked')")

_PARTS = sa.text(
    """
    WITH ended AS (
        SELECT * FROM tasks WHERE id = ANY(:ids)
    ), node AS (
        SELECT sub_tasks.* FROM ended JOIN sub_tasks ON sub_tasks.task_id = ended.id
        WHERE sub_tasks.number IS NOT NULL AND sub_tasks.status IN ('failed', 'blocked')
          AND sub_tasks.output_result ->> 'replaced' IS NULL
          AND sub_tasks.output_result ->> 'dropped' IS NULL
    ), blamed AS (
        SELECT DISTINCT ON (sub_tasks.task_id) sub_tasks.*
        FROM ended JOIN sub_tasks ON sub_tasks.task_id = ended.id
        WHERE sub_tasks.number IS NULL AND sub_tasks.status = ended.status
          AND sub_tasks.error = ended.error
          AND NOT EXISTS (SELECT FROM node WHERE node.task_id = ended.id)
        ORDER BY sub_tasks.task_id, sub_tasks.execution_order DESC
    ), part AS (
        SELECT * FROM node UNION ALL SELECT * FROM blamed
    )
    SELECT ended.id, ended.team_id, ended.type, ended.name, ended.run,
           coalesce(ended.finished_at, ended.updated_at) AS ended_at,
           coalesce(part.error, ended.error) AS error, part.id AS part_id, part.name AS part,
           attempt.attempts,
           coalesce(part.input_context ->> 'skill', part.input_context ->> 'tool',
                    (part.input_context #>> '{code,language}') || ' code', part.task_type)
               AS runs,
           spoken.tokens, spoken.cost_usd, CAST(attempt.ms + spoken.ms AS float) / 1000 AS seconds
    FROM ended LEFT JOIN part ON part.task_id = ended.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS attempts, coalesce(sum(duration_ms), 0) AS ms
        FROM execution_logs AS log
        WHERE log.task_id = coalesce(part.child_id, ended.id)
          AND (part.number IS NOT NULL
               OR (log.run = ended.run AND (part.id IS NULL OR log.sub_task_id = part.id)))
    ) AS attempt
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(duration_ms), 0) AS ms, coalesce(sum(cost_usd), 0.0) AS cost_usd,
               CAST(coalesce(sum(prompt_tokens + completion_tokens), 0) AS bigint) AS tokens
        FROM messages WHERE messages.task_id = coalesce(part.child_id, ended.id)
    ) AS spoken
    """
).bindparams(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid())))

_INSERT = sa.text(
    """
    INSERT INTO dead_letters
        (id, team_id, task_id, sub_task_id, run, type, part, name, error, fingerprint, parts,
         attempts, tokens, cost_usd, seconds, searched, state, note, created_at)
    VALUES
        (:id, :team_id, :task_id, :sub_task_id, :run, :type, :part, :name, CAST(:error AS jsonb),
         :fingerprint, CAST(:parts AS jsonb), :attempts, :tokens, :cost_usd, :seconds, :searched,
         'open', '', :created_at)
    ON CONFLICT DO NOTHING
    """
)
