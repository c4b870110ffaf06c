"""The tables. Every row belongs to a team; states and phases are those of ``workflows.states``.

Rows hold what cannot be derived: a sub-task's files are its rows in ``task_artifacts``, a step's
output is that of its last attempt in ``execution_logs``, an artifact's URL follows from its id.

Each noun has a module; all of them are read here, so that their metadata is whole.
"""

from activities.store.tables.attempts import Event, ExecutionLog, File, TaskArtifact
from activities.store.tables.audit import AuditEntry
from activities.store.tables.breakers import BreakerRow
from activities.store.tables.bulk import BulkItem, BulkRun
from activities.store.tables.conversations import LostAnswer, Message, ToldMessage
from activities.store.tables.dead_letters import DeadLetter
from activities.store.tables.groups import Group, GroupMember, GroupMessage, GroupTurn
from activities.store.tables.housekeeping import CondemnedBlob, Housekeeping, TeamSweep
from activities.store.tables.limits import RateBucket, Slot, SlotWait
from activities.store.tables.memory import AgentNote, AgentSummary
from activities.store.tables.reminders import Reminder
from activities.store.tables.residents import InboxRow, ResidentRow, ResidentUsage
from activities.store.tables.results import KeptResult
from activities.store.tables.schedules import Schedule
from activities.store.tables.tallies import TaskMark, TaskTally
from activities.store.tables.tasks import PlanRevision, SubTask, Task
from activities.store.tables.teams import (
    ApiKey,
    ModelUsage,
    Secret,
    Session,
    Team,
    TeamUsage,
)
from activities.store.tables.templates import AgentTemplate
from activities.store.tables.tools import Tool
from activities.store.tables.webhooks import CallbackSecret, Webhook, WebhookDelivery

__all__ = [
    "AgentNote",
    "AgentSummary",
    "AgentTemplate",
    "ApiKey",
    "AuditEntry",
    "BreakerRow",
    "BulkItem",
    "BulkRun",
    "CallbackSecret",
    "CondemnedBlob",
    "DeadLetter",
    "Event",
    "ExecutionLog",
    "File",
    "Group",
    "GroupMember",
    "GroupMessage",
    "GroupTurn",
    "Housekeeping",
    "InboxRow",
    "KeptResult",
    "LostAnswer",
    "Message",
    "ModelUsage",
    "PlanRevision",
    "RateBucket",
    "Reminder",
    "ResidentRow",
    "ResidentUsage",
    "Schedule",
    "Secret",
    "Session",
    "Slot",
    "SlotWait",
    "SubTask",
    "Task",
    "TaskArtifact",
    "TaskMark",
    "TaskTally",
    "Team",
    "TeamSweep",
    "TeamUsage",
    "ToldMessage",
    "Tool",
    "Webhook",
    "WebhookDelivery",
]
