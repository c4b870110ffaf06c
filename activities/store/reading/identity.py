"""Whoever names a sub-task may give its name or its id."""

from collections.abc import Sequence
from uuid import UUID


def ids_in(text: str) -> Sequence[UUID]:
    """A text as an id, if it is one."""
    try:
        return [UUID(text)]
    except ValueError:
        return []
