"""Whether there is anything that the API does beside its answers: one statement asks for it all.

It may say that there is something where there is none that is due yet; whoever does the work looks
closely. It must never say the opposite.
"""

from dataclasses import dataclass

from sqlalchemy import text

from activities.store import fence
from activities.store.begun_tasks import IS_UNREPORTED
from activities.store.database import Database
from workflows.definitions.webhook import DeliveryState
from workflows.states import BulkState, ItemState, Status


@dataclass(frozen=True, slots=True)
class Due:
    """Whether there are ``tasks`` that have not ended, ``bulk`` runs that have not, tasks that
    wait for ``slots``, ``reminders`` and ``deliveries`` whose time has come, ``groups`` that talk,
    ``schedules`` of any kind, tasks that an agent has ``begun`` and that nobody has started, or
    told it of the end of, and agents that are ``untold`` of their last message."""

    tasks: bool
    bulk: bool
    slots: bool
    reminders: bool
    deliveries: bool
    groups: bool
    schedules: bool
    begun: bool
    untold: bool


async def find_due(database: Database) -> Due:
    """Raises ``TemporaryFailure`` when the database cannot be reached."""
    (row,) = await database.execute(_DUE, {})
    return Due(**dict(row.items()))


def _any(table: str, where: str, by: str) -> str:
    """Whether there is such a row. In the order of an index that holds these rows only, and not
    ``EXISTS``: whatever the planner believes of how many there are, it reads one."""
    return f"(SELECT true FROM {table} WHERE {where} ORDER BY {by} LIMIT 1) IS NOT NULL"


_IS_UNSTARTED = f"agent_id IS NOT NULL AND status = '{Status.PENDING}'"
_PENDING = f"state = '{DeliveryState.PENDING}'"
_DUE = text(
    f"""
    SELECT {_any("tasks", fence.IS_LIVING, "created_at, id")} AS tasks,
           {_any("bulk_runs", f"state = '{BulkState.RUNNING}'", "next_at")}
               OR {_any("bulk_items", f"state = '{ItemState.REQUEUED}'", "task_id")} AS bulk,
           EXISTS (SELECT FROM slot_waits) AS slots,
           {_any("reminders", "ended_at IS NULL AND next_at <= now()", "next_at")} AS reminders,
           {_any("webhook_deliveries", f"{_PENDING} AND next_at <= now()", "target, next_at")}
               AS deliveries,
           {_any("groups", "thread_id IS NOT NULL", "round_at")} AS groups,
           EXISTS (SELECT FROM schedules) AS schedules,
           {_any("tasks", IS_UNREPORTED, "finished_at")}
               OR {_any("tasks", _IS_UNSTARTED, "created_at")} AS begun,
           {_any("agents", "message_seq > told_seq", "told_at")} AS untold
    """
)
