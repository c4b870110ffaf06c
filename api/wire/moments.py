"""Times in what clients send."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator


def to_utc(moment: datetime) -> datetime:
    """A time without a zone is one of UTC. Raises ``ValueError`` at the ends of the calendar."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("this time is out of range") from error


def _written_out(value: object) -> object:
    """A bare number would be read as seconds since 1970, or as milliseconds if it is large."""
    is_number = isinstance(value, (int, float)) or (
        isinstance(value, str)
        and re.fullmatch(r"\s*[-+]?[\d._]+(?:[eE][-+]?\d+)?\s*", value) is not None
    )
    if is_number:
        raise ValueError("it must be a date and time, such as 2026-11-29T12:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(to_utc)]
