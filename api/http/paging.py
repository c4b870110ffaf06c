"""The parameters of lists that come in pages."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator

from activities.store.reading.cursor import Cursor
from api.errors import InvalidRequest
from api.wire.responses.pages import MAX_PAGE
from workflows.pointers import Problem

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
CursorText = Annotated[str | None, Query(max_length=200, description="next_cursor of a page")]


NO_CURSOR = Problem("", "query cursor: it is not the next_cursor of a page")


def parse_cursor(text: str | None) -> Cursor | None:
    """Raises ``InvalidRequest`` when it is none that was given out."""
    if text is None:
        return None
    try:
        moment, _, key = base64.urlsafe_b64decode(text.encode()).decode().partition(" ")
        return Cursor(to_utc(datetime.fromisoformat(moment)), UUID(key))
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest([NO_CURSOR]) from error


def cursor_text(cursor: Cursor | None) -> str | None:
    """The cursor of the next page, if there is one."""
    if cursor is None:
        return None
    return base64.urlsafe_b64encode(f"{cursor.moment.isoformat()} {cursor.id}".encode()).decode()


def to_utc(moment: datetime) -> datetime:
    """A time without a zone is one of UTC. Raises ``ValueError`` at the ends of the calendar."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("this time is out of range") from error


def _written_out(text: object) -> object:
    """A bare number would be read as seconds since 1970, or as milliseconds if it is large."""
    if isinstance(text, str) and re.fullmatch(r"\s*[-+]?[\d._]+(?:[eE][-+]?\d+)?\s*", text):
        raise ValueError("it must be a date and time, such as 2026-11-29T12:00:00Z")
    return text


Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(to_utc)]


def parse_number(text: str | None) -> int:
    """The place in a list that is numbered from 1. Raises ``InvalidRequest``."""
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidRequest([NO_CURSOR])
    return int(text)
