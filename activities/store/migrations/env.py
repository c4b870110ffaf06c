"""Read by alembic. The connection comes from ``migrate``, within its transaction."""

from alembic import context
from sqlmodel import SQLModel

from activities.store import tables
from activities.store.migrations import render_item

assert tables.Task.metadata is SQLModel.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_server_default=True,
    render_item=render_item,
)
context.run_migrations()
