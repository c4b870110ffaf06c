"""Lists, which come in pages."""

from typing import Generic, TypeVar

from api.wire.responses.base import Answer

MAX_PAGE = 200
DEFAULT_PAGE = 50

Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """``next_cursor`` is what to send as ``cursor`` for the next page; None on the last one."""

    items: list[Item]
    next_cursor: str | None = None
