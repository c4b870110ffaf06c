"""Housekeeping: how long things are kept, what is being removed, and how far the sweeps are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Nobody can name a blob in a row while it is being removed: see activities/store/condemned.py.
_LOCK_CLASS = 1_701_999_465
_BUCKETS = 64
_GUARD = f"""
CREATE FUNCTION agentos_guard_blob() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({_LOCK_CLASS}, hashtext(NEW.sha256) & {_BUCKETS - 1});
    PERFORM FROM condemned_blobs
        WHERE team_id = NEW.team_id AND sha256 = NEW.sha256 AND state <> 'condemned';
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'AG001', MESSAGE = NEW.sha256;
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.add_column("teams", sa.Column("retention", postgresql.JSONB(), nullable=True))
    op.add_column("tasks", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "tasks_by_end",
        "tasks",
        ["team_id", "finished_at", "id"],
        postgresql_where=sa.text("finished_at IS NOT NULL AND parent_id IS NULL"),
    )
    op.create_index(
        "tasks_deleted",
        "tasks",
        ["team_id", "deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    # Which tasks name a file as an input.
    op.execute(
        "CREATE INDEX tasks_by_input ON tasks USING gin"
        " (jsonb_path_query_array(inputs, '$.*')) WHERE inputs <> '{}'"
    )
    # Which schedules do.
    op.execute(
        "CREATE INDEX schedules_by_input ON schedules USING gin"
        " (jsonb_path_query_array(task, '$.inputs.*')) WHERE deleted_at IS NULL"
    )
    op.add_column(
        "files",
        sa.Column(
            "named_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )
    op.add_column("files", sa.Column("task_id", sa.Uuid(), nullable=True))
    op.create_index(
        "files_by_task", "files", ["task_id"], postgresql_where=sa.text("task_id IS NOT NULL")
    )
    op.create_index("files_by_use", "files", ["team_id", "named_at", "id"])
    op.create_index("files_by_blob", "files", ["sha256", "team_id"])
    op.create_index("task_artifacts_by_blob", "task_artifacts", ["sha256", "team_id"])
    op.create_index(
        "events_deltas",
        "events",
        ["task_id", "created_at"],
        postgresql_where=sa.text("type = 'llm.delta'"),
    )
    op.create_index(
        "dead_letters_by_end",
        "dead_letters",
        ["team_id", "ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    # Which results name a blob.
    op.create_index(
        "result_cache_by_blob",
        "result_cache",
        ["files"],
        postgresql_using="gin",
        postgresql_ops={"files": "jsonb_path_ops"},
    )
    _create_sweeps()
    _create_condemned_blobs()


def _create_sweeps() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "housekeeping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("database_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("held_until", moment, nullable=True),
        sa.Column("began_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO housekeeping (id, database_id, removed) VALUES (1, gen_random_uuid(), 0)"
    )
    op.create_table(
        "sweeps",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("place_at", moment, nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("reached_at", moment, nullable=True),
        sa.Column("place_key", sa.Text(), nullable=True),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("freed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("swept_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("name", "team_id"),
    )


def _create_condemned_blobs() -> None:
    op.create_table(
        "condemned_blobs",
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("team_id", "sha256"),
    )
    op.create_index("condemned_blobs_by_state", "condemned_blobs", ["team_id", "state", "since"])
    op.execute(_GUARD)
    for table in ("files", "task_artifacts"):
        op.execute(
            f"CREATE TRIGGER guard_blob BEFORE INSERT OR UPDATE OF sha256 ON {table}"
            " FOR EACH ROW WHEN (NEW.sha256 IS NOT NULL) EXECUTE FUNCTION agentos_guard_blob()"
        )


def downgrade() -> None:
    for table in ("files", "task_artifacts"):
        op.execute(f"DROP TRIGGER guard_blob ON {table}")
    op.execute("DROP FUNCTION agentos_guard_blob")
    op.drop_table("condemned_blobs")
    op.drop_table("sweeps")
    op.drop_table("housekeeping")
    op.drop_index("result_cache_by_blob", table_name="result_cache")
    op.drop_index("dead_letters_by_end", table_name="dead_letters")
    op.drop_index("events_deltas", table_name="events")
    op.drop_index("task_artifacts_by_blob", table_name="task_artifacts")
    for index in ("files_by_blob", "files_by_use", "files_by_task"):
        op.drop_index(index, table_name="files")
    op.drop_column("files", "task_id")
    op.drop_column("files", "named_at")
    op.drop_index("schedules_by_input", table_name="schedules")
    for index in ("tasks_by_input", "tasks_deleted", "tasks_by_end"):
        op.drop_index(index, table_name="tasks")
    op.drop_column("tasks", "deleted_at")
    op.drop_column("teams", "retention")
