"""The parameters of lists that come in pages."""

import base64
import binascii
import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from activities.store.reading.cursor import Cursor
from activities.store.reading.letter_groups import GroupPlace, Order
from api.errors import InvalidRequest
from api.wire import moments
from api.wire.responses.pages import MAX_PAGE
from workflows.pointers import Problem

_FINGERPRINT = re.compile(r"[0-9a-f]{1,64}")

Moment = moments.Moment

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
CursorText = Annotated[str | None, Query(max_length=200, description="next_cursor of a page")]


NO_CURSOR = Problem(
    "",
    "query cursor: it is not the next_cursor of a page; leave it out to begin with the first",
    "cursor",
)


def parse_cursor(text: str | None) -> Cursor | None:
    """Raises ``InvalidRequest`` when it is none that was given out."""
    if text is None:
        return None
    try:
        moment, key = _opened(text)
        return Cursor(moments.to_utc(datetime.fromisoformat(moment)), UUID(key))
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest([NO_CURSOR]) from error


def cursor_text(cursor: Cursor | None) -> str | None:
    """The cursor of the next page, if there is one."""
    if cursor is None:
        return None
    return _closed(cursor.moment.isoformat(), str(cursor.id))


def parse_group_place(text: str | None, order: Order) -> GroupPlace | None:
    """Raises ``InvalidRequest`` when it is none that was given out for a list in this order."""
    if text is None:
        return None
    try:
        rank, key = _opened(text)
        if not _FINGERPRINT.fullmatch(key):
            raise InvalidRequest([NO_CURSOR])
        if order is Order.LATEST:
            return GroupPlace(moments.to_utc(datetime.fromisoformat(rank)), key)
        return GroupPlace(parse_number(rank), key)
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest([NO_CURSOR]) from error


def group_place_text(place: GroupPlace | None) -> str | None:
    if place is None:
        return None
    rank = place.rank if isinstance(place.rank, int) else place.rank.isoformat()
    return _closed(str(rank), place.fingerprint)


def _opened(text: str) -> tuple[str, str]:
    first, _, second = base64.urlsafe_b64decode(text.encode()).decode().partition(" ")
    return first, second


def _closed(first: str, second: str) -> str:
    return base64.urlsafe_b64encode(f"{first} {second}".encode()).decode()


def parse_number(text: str | None) -> int:
    """The place in a list that is numbered from 1. Raises ``InvalidRequest``."""
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidRequest([NO_CURSOR])
    return int(text)
