"""All sweeps of rows. A new one is one line here, and its field in ``Retention`` if it has one."""

from collections.abc import Sequence

from activities.store.housekeeping.aged import Aged
from activities.store.housekeeping.base import Sweep
from activities.store.housekeeping.deltas import Deltas
from activities.store.housekeeping.ended_tasks import ARTIFACTS, CONVERSATIONS, EVENTS, LOGS
from activities.store.housekeeping.files import Files
from activities.store.housekeeping.tasks import DeletedTasks, ExpiredTasks

SWEEPS: Sequence[Sweep] = (
    Deltas(),
    DeletedTasks(),
    ExpiredTasks(),
    EVENTS,
    LOGS,
    CONVERSATIONS,
    ARTIFACTS,
    Files(),
    Aged("audit", "audit", "audit_log"),
    Aged("deliveries", "deliveries", "webhook_deliveries", "ended_at"),
)
