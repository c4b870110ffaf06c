"""Days, in UTC, for tests of what is counted by the day."""

import asyncio
from datetime import UTC, datetime, timedelta


async def day_that_lasts(seconds: float = 60.0) -> None:
    """Return when today lasts as long as that: at once, but for the last moments of a day."""
    now = datetime.now(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    left = (tomorrow - now).total_seconds()
    if left < seconds:
        await asyncio.sleep(left)
