"""Bulk runs over dead letters, and the audit log by what was done to something."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "audit_log_by_target",
        "audit_log",
        ["team_id", "target"],
        postgresql_ops={"target": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.drop_index("audit_log_by_target", "audit_log")
