"""Steps without their items, and how many of these are in which state, out of an index each."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "sub_tasks_without_items",
        "sub_tasks",
        ["task_id", "execution_order"],
        postgresql_where=sa.text("item_of IS NULL"),
    )
    op.create_index(
        "sub_tasks_by_state_of_item",
        "sub_tasks",
        ["item_of", "status"],
        postgresql_where=sa.text("item_of IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("sub_tasks_by_state_of_item", table_name="sub_tasks")
    op.drop_index("sub_tasks_without_items", table_name="sub_tasks")
