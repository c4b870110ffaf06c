"""Time zones, by the names of the IANA database."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from workflows.suggestions import nearest

_SHOWN_CHARACTERS = 60
_HOUR = timedelta(hours=1)


def zone_problem(name: str) -> str | None:
    """Why there is no such zone; None when there is one. May read files: not on the event loop."""
    if name in _names():
        return None
    shown = name[:_SHOWN_CHARACTERS]
    meant = nearest(shown, _names())
    hint = f"did you mean {meant}?" if meant else "write one such as Europe/Berlin or UTC"
    return f"there is no time zone {shown!r}; {hint}"


def keeps_minutes(name: str, now: datetime) -> bool:
    """Whether clocks there show the same minute as those of UTC, in this year's summer, too."""
    zone = ZoneInfo(name)
    moments = (now, now + timedelta(days=91), now + timedelta(days=182), now + timedelta(days=273))
    offsets = (moment.astimezone(UTC).astimezone(zone).utcoffset() for moment in moments)
    return all(offset is not None and not offset % _HOUR for offset in offsets)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
