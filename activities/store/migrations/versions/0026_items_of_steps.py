"""Items of steps, each with a row of its own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sub_tasks", sa.Column("item_of", sa.Uuid(), nullable=True))
    op.add_column("sub_tasks", sa.Column("item_index", sa.Integer(), nullable=True))
    op.add_column(
        "sub_tasks", sa.Column("item", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.create_index(
        "sub_tasks_by_item",
        "sub_tasks",
        ["item_of", "item_index"],
        postgresql_where=sa.text("item_of IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM sub_tasks WHERE item_of IS NOT NULL")
    op.drop_index("sub_tasks_by_item", table_name="sub_tasks")
    op.drop_column("sub_tasks", "item")
    op.drop_column("sub_tasks", "item_index")
    op.drop_column("sub_tasks", "item_of")
