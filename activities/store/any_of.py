"""A column compared with values of which there may be many."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal
from sqlalchemy.orm import Mapped


def is_any_of(
    column: Mapped[UUID] | Mapped[UUID | None], ids: Collection[UUID]
) -> ColumnElement[bool]:
    """One argument, however many ids: ``in_`` makes one of each, and PostgreSQL takes 32,767."""
    return column == any_(literal(list(ids), ARRAY(Uuid())))
