"""Amounts and times in words, for all that is shown."""

from datetime import UTC, datetime


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def items_text(total: int, completed: int, failed: int) -> str:
    """``7/20``, ``7/20, 1 failed``."""
    return f"{completed:,}/{total:,}" + (f", {failed:,} failed" if failed else "")


def failure_text(message: str, others: int | None) -> str:
    """Why something failed, with how many more have failed beside it."""
    return f"{message} ({counted(others, 'more failure')})" if others else message


def dollars(amount: float) -> str:
    """``$12.30``, ``$0.0042``."""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"


def seconds_between(start: datetime | None, end: datetime) -> float:
    # The server's clock may be ahead of ours.
    return max(0.0, (end - start).total_seconds()) if start else 0.0


def duration(seconds: float) -> str:
    """``0.8s``, ``12.4s``, ``3m 05s``, ``2h 07m``."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def elapsed(start: datetime | None, end: datetime | None) -> str:
    """How long something took, or has taken so far; empty before its start."""
    return duration(seconds_between(start, end or datetime.now(UTC))) if start else ""


def clock(moment: datetime, now: datetime) -> str:
    """A time of today, or the day and the time, as the clock here shows it."""
    here = moment.astimezone()
    is_today = here.date() == now.astimezone().date()
    return f"{here:%H:%M:%S}" if is_today else f"{here:%F %H:%M}"
