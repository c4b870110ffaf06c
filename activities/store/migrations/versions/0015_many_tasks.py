"""Lists of a million tasks: by state, by text, and those that live."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What pg_trgm would do, which not every PostgreSQL comes with. A prompt may be long, and each
# trigram costs an entry: its beginning has to do.
_TRIGRAMS = """
    CREATE FUNCTION agentos_trigrams(name text, prompt text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT coalesce(array_agg(DISTINCT substr(folded, place, 3)), '{}')
        FROM (SELECT lower(left(name || coalesce(' ' || prompt, ''), 1000)) AS folded) AS beginning,
             generate_series(1, length(folded) - 2) AS place
    $$
"""


def upgrade() -> None:
    op.execute(_TRIGRAMS)
    op.create_index(
        "tasks_by_text",
        "tasks",
        [sa.text("agentos_trigrams(name, prompt)")],
        postgresql_using="gin",
        # What is not in the index proper yet is read by every search.
        postgresql_with={"gin_pending_list_limit": 512},  # kB
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.create_index(
        "tasks_living",
        "tasks",
        ["created_at", "id"],
        postgresql_where=sa.text("status NOT IN ('blocked', 'cancelled', 'completed', 'failed')"),
    )
    op.create_index(
        "tasks_by_state",
        "tasks",
        ["team_id", "type", "status", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("parent_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("tasks_by_state", table_name="tasks")
    op.drop_index("tasks_living", table_name="tasks")
    op.drop_index("tasks_by_text", table_name="tasks")
    op.execute("DROP FUNCTION agentos_trigrams(text, text)")
