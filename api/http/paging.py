"""The parameters of lists that come in pages."""

import base64
import binascii
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from activities.store.reading.cursor import Cursor
from api.errors import InvalidRequest
from api.wire import moments
from api.wire.responses.pages import MAX_PAGE
from workflows.pointers import Problem

Moment = moments.Moment

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
CursorText = Annotated[str | None, Query(max_length=200, description="next_cursor of a page")]


NO_CURSOR = Problem("", "query cursor: it is not the next_cursor of a page")


def parse_cursor(text: str | None) -> Cursor | None:
    """Raises ``InvalidRequest`` when it is none that was given out."""
    if text is None:
        return None
    try:
        moment, _, key = base64.urlsafe_b64decode(text.encode()).decode().partition(" ")
        return Cursor(moments.to_utc(datetime.fromisoformat(moment)), UUID(key))
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest([NO_CURSOR]) from error


def cursor_text(cursor: Cursor | None) -> str | None:
    """The cursor of the next page, if there is one."""
    if cursor is None:
        return None
    return base64.urlsafe_b64encode(f"{cursor.moment.isoformat()} {cursor.id}".encode()).decode()


def parse_number(text: str | None) -> int:
    """The place in a list that is numbered from 1. Raises ``InvalidRequest``."""
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidRequest([NO_CURSOR])
    return int(text)
