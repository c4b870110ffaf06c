"""How templates write states, times, sizes and money."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from api.web.text.visible import visible
from workflows.definitions.durations import read_duration

_MINUTE_SECONDS = 60
_HOUR_SECONDS = 3_600
_DAY_SECONDS = 86_400
_KIB = 1024
_SIZES = ("KiB", "MiB", "GiB", "TiB")
_NOTHING = "–"
# Sign and colour of each state, of whatever kind of thing it is. The word is always beside it.
_SIGNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "completed": ("✓", "good"),
        "failed": ("✗", "bad"),
        "blocked": ("✗", "bad"),
        "error": ("✗", "bad"),
        "cancelled": ("■", "off"),
        "terminated": ("■", "off"),
        "running": ("●", "busy"),
        "queued": ("↻", "soon"),
        "pending": ("·", "soon"),
        "waiting": ("‖", "asks"),
        "paused": ("‖", "held"),
        "idle": ("○", "off"),
        "open": ("✗", "bad"),
        "half_open": ("↻", "asks"),
        "closed": ("✓", "good"),
        "down": ("✗", "bad"),
        "up": ("✓", "good"),
        "requeued": ("↻", "busy"),
        "discarded": ("■", "off"),
        "stopped": ("✗", "bad"),
        "aborted": ("■", "off"),
        "active": ("●", "good"),
        "off": ("■", "off"),
        "delivered": ("✓", "good"),
    }
)
_PHASES: Mapping[str, str] = MappingProxyType(
    {"prepare_env": "preparing", "executing": "at work", "post_process": "collecting files"}
)
_UNKNOWN_SIGN = ("?", "off")


def state(value: object) -> Markup:
    """A state as sign, word and colour."""
    sign, colour = _SIGNS.get(str(value), _UNKNOWN_SIGN)
    return Markup('<span class="state {}"><span aria-hidden="true">{}</span> {}</span>').format(
        colour, sign, str(value).replace("_", "-")
    )


def sign_of(value: object) -> str:
    return _SIGNS.get(str(value), _UNKNOWN_SIGN)[0]


def colour_of(value: object) -> str:
    """The CSS class of a state's colour."""
    return _SIGNS.get(str(value), _UNKNOWN_SIGN)[1]


def moment(value: datetime | None) -> Markup | str:
    """A time of day and date, UTC; scripts show it in the reader's own zone."""
    if value is None:
        return _NOTHING
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(timespec="milliseconds"), f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    )


def ago(value: datetime | None) -> Markup | str:
    """How long ago, or in how long; the whole time is its title."""
    if value is None:
        return _NOTHING
    seconds = (datetime.now(UTC) - value).total_seconds()
    text = f"{_rough(seconds)} ago" if seconds >= 0 else f"in {_rough(-seconds)}"
    utc = value.astimezone(UTC)
    return Markup('<time class="ago" datetime="{}" title="{}">{}</time>').format(
        utc.isoformat(timespec="milliseconds"), f"{utc:%Y-%m-%d %H:%M:%S} UTC", text
    )


def duration(seconds: float | None) -> str:
    """``850 ms``, ``12.3 s``, ``4 min 05 s``, ``3 h 20 min``, ``2 d 4 h``."""
    if seconds is None:
        return _NOTHING
    seconds = max(seconds, 0.0)
    if seconds < 1:
        return f"{seconds * 1_000:.0f} ms"
    if seconds < _MINUTE_SECONDS:
        return f"{seconds:.1f} s"
    if seconds < _HOUR_SECONDS:
        return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
    if seconds < _DAY_SECONDS:
        return f"{seconds // 3_600:.0f} h {seconds % 3_600 // 60:02.0f} min"
    return f"{seconds // _DAY_SECONDS:.0f} d {seconds % _DAY_SECONDS // 3_600:.0f} h"


def interval(text: str) -> str:
    """``90m``, as the API writes it, as ``1 h 30 min``."""
    read = read_duration(text, timedelta(0), timedelta.max, "")
    assert isinstance(read, timedelta)  # The API has written it.
    left, parts = round(read.total_seconds()), []
    for unit, name in (
        (_DAY_SECONDS, "d"),
        (_HOUR_SECONDS, "h"),
        (_MINUTE_SECONDS, "min"),
        (1, "s"),
    ):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"


def between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from one time to another, or until now."""
    if start is None:
        return None
    return ((end or datetime.now(UTC)) - start).total_seconds()


def lasted(start: datetime | None, end: datetime | None) -> Markup | str:
    """How long something took; scripts let it go on while there is no ``end``."""
    text = duration(between(start, end))
    if start is None or end is not None:
        return text
    return Markup('<time class="lasting" datetime="{}">{}</time>').format(
        start.astimezone(UTC).isoformat(timespec="milliseconds"), text
    )


def size(count: int | None) -> str:
    """Bytes as ``512 B``, ``1.4 MiB``."""
    if count is None:
        return _NOTHING
    if count < _KIB:
        return f"{count} B"
    scaled = float(count)
    for unit in _SIZES:
        scaled /= _KIB
        if scaled < _KIB or unit == _SIZES[-1]:
            break
    return f"{scaled:.1f} {unit}"


def number(value: float | None) -> str:
    """With thin spaces between thousands."""
    return _NOTHING if value is None else f"{value:,}".replace(",", "\u202f")


def money(dollars: float | None) -> str:
    """Dollars; small sums with the digits that say something."""
    if not dollars:
        return _NOTHING if dollars is None else "$0"
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"


def short(value: object) -> str:
    """The beginning of an id."""
    return str(value)[:8]


def clip(text: object, characters: int = 200) -> str:
    """A text of a sane length, in which nothing turns its direction unseen."""
    whole = str(text)
    return visible(whole if len(whole) <= characters else f"{whole[: characters - 1]}…")


def phase(value: object) -> str:
    """What a running step is at, in a word."""
    return _PHASES.get(str(value), str(value).replace("_", " "))


def _rough(seconds: float) -> str:
    for unit, name in ((_DAY_SECONDS, "d"), (_HOUR_SECONDS, "h"), (_MINUTE_SECONDS, "min")):
        if seconds >= unit:
            return f"{seconds // unit:.0f} {name}"
    return f"{seconds:.0f} s"


FILTERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            state, sign_of, colour_of, moment, ago, duration, size, number, money, short, clip,
            interval, phase,
        )
    }
)  # fmt: skip
