"""Read by alembic. The connection comes from ``migrate``, within its transaction."""

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel

from activities.store import tables


def _render(kind: str, item: object, _: Any) -> str | Literal[False]:
    """A migration must not change with the tables: what is an enum for us is text for it."""
    return "sa.Text()" if kind == "type" and isinstance(item, tables.EnumText) else False


assert tables.Task.metadata is SQLModel.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_server_default=True,
    render_item=_render,
)
context.run_migrations()
