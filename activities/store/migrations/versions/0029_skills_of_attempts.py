"""Which skill an attempt ran, by its version and content."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("execution_logs", "sub_tasks"):
        column = sa.Column("skill", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
        op.add_column(table, column)


def downgrade() -> None:
    for table in ("sub_tasks", "execution_logs"):
        op.drop_column(table, "skill")
