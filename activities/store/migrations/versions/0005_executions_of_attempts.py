"""Which run of its workflow began an attempt: after a reset by Temporal they count from 1 again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("execution_logs", sa.Column("execution", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("execution_logs", "execution")
