"""The inputs that a task was submitted with, by their bytes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("request_inputs", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("tasks", "request_inputs")
