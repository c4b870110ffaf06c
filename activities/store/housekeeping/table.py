"""All sweeps of rows. A new one is one line here, and its field in ``Retention`` if it has one."""

from collections.abc import Sequence

from activities.store.housekeeping.aged import Aged
from activities.store.housekeeping.agents import DeletedAgents, ExpiredExchanges
from activities.store.housekeeping.base import Sweep
from activities.store.housekeeping.bulk import BulkRuns
from activities.store.housekeeping.deltas import Deltas
from activities.store.housekeeping.ended_tasks import (
    ARTIFACTS,
    CONVERSATIONS,
    EVENTS,
    LOGS,
    OF_AGENTS,
)
from activities.store.housekeeping.files import Files
from activities.store.housekeeping.tasks import DeletedTasks, ExpiredTasks

# Somebody may be making a result just now that has expired.
_IS_UNCLAIMED = "(owned_until IS NULL OR owned_until < now())"

# The discussion that a group has now needs all that was said in it, and whose turn it was.
_DISCUSSION = "EXISTS (SELECT FROM groups WHERE groups.thread_id = {table}.thread_id)"

SWEEPS: Sequence[Sweep] = (
    Deltas(),
    DeletedTasks(),
    ExpiredTasks(),
    EVENTS,
    LOGS,
    CONVERSATIONS,
    ARTIFACTS,
    DeletedAgents(),
    ExpiredExchanges(),
    *OF_AGENTS,
    Aged("reminders", "events", "reminders", "ended_at"),
    # What was said in a group to those who do not answer. All else goes with its exchange.
    Aged("agent_inbox", "conversations", "inbox", "read_at", "exchange_id IS NULL"),
    *(
        Aged(table, "tasks", table, where=f"NOT {_DISCUSSION.format(table=table)}")
        for table in ("group_messages", "group_turns")
    ),
    Files(),
    # One that is open has not ended, and stays.
    Aged("dead_letters", "dead_letters", "dead_letters", "ended_at"),
    BulkRuns(),
    Aged("results", None, "result_cache", "expires_at", _IS_UNCLAIMED),
    Aged("audit", "audit", "audit_log"),
    Aged("deliveries", "deliveries", "webhook_deliveries", "ended_at"),
)
