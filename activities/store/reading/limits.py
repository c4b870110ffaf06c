"""How much of each limit is used, and how much waits for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from activities.limits.base import RATE_SUFFIX
from activities.store.database import Database

_USED = text("SELECT key, count(*) AS used FROM slots WHERE expires_at > now() GROUP BY key")
_WAITING = text(
    f"""
    SELECT key, count(*) AS waiting FROM (
        SELECT DISTINCT holder, replace(wanted, '{RATE_SUFFIX}', '') AS key
        FROM slot_waits, jsonb_array_elements_text(keys) AS wanted
    ) AS waits
    GROUP BY key
    """
)


@dataclass(frozen=True, slots=True)
class LimitUse:
    used: int = 0
    waiting: int = 0


async def limit_use(database: Database) -> Mapping[str, LimitUse]:
    """By key of the limit."""
    async with database.reading(fresh=True) as connection:
        used = {row.key: row.used for row in await connection.execute(_USED)}
        waiting = {row.key: row.waiting for row in await connection.execute(_WAITING)}
    return {
        key: LimitUse(used.get(key, 0), waiting.get(key, 0)) for key in used.keys() | waiting.keys()
    }
