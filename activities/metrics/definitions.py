"""Every metric: its name, what it says, its labels, and who has it.

To add one, write it down here, in a table at the end, and in the README's; tests compare the two,
and look at dashboard and alerts, too. Whoever has something to count calls ``Numbers``; what is
read from the database is filled in by ``api.metrics.stored``.
"""

from dataclasses import dataclass
from enum import StrEnum

_SHORT_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WORK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600)
TASK_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)
START_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600)


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Scope(StrEnum):
    """How to put together what processes tell: each has its own, or all APIs tell alike."""

    PROCESS = "sum"
    DATABASE = "max"


_HOW: dict[Scope, str] = {
    Scope.PROCESS: "Of this process: add processes up.",
    Scope.DATABASE: "Of all, and the same at every API: take the max.",
}


@dataclass(frozen=True, slots=True)
class Definition:
    """``name`` is as Prometheus keeps it: that of a counter ends in ``_total``."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    scope: Scope = Scope.PROCESS

    @property
    def help(self) -> str:
        return f"{self.says} {_HOW[self.scope]}"


def _counter(name: str, says: str, *labels: str) -> Definition:
    return Definition(name, Kind.COUNTER, says, labels)


def _gauge(name: str, says: str, *labels: str) -> Definition:
    return Definition(name, Kind.GAUGE, says, labels)


def _histogram(name: str, says: str, buckets: tuple[float, ...], *labels: str) -> Definition:
    return Definition(name, Kind.HISTOGRAM, says, labels, buckets)


def _stored(kind: Kind, name: str, says: str, *labels: str) -> Definition:
    return Definition(name, kind, says, labels, scope=Scope.DATABASE)


# Of every process.
LOOP_LAG = _histogram(
    "agentos_event_loop_lag_seconds",
    "How much later than it was to be a timer went off.",
    _SHORT_SECONDS,
)
CONNECTIONS = _gauge(
    "agentos_database_connections", "Connections to PostgreSQL that are in_use or idle.", "state"
)
MOST_CONNECTIONS = _gauge(
    "agentos_database_connections_max", "How many there may be, with the overflow."
)
OVERFLOW = _gauge(
    "agentos_database_connections_overflow", "How many there are beyond the size of the pool."
)
WAITING = _gauge("agentos_database_waiting", "What waits for a connection at this moment.")
WAITS = _counter("agentos_database_waits_total", "How often all connections were in use.")
DISK_FREE = _gauge(
    "agentos_disk_free_bytes",
    "Room on the disk of the services, where it is here, and on that of a worker's files.",
    "disk",
)
DISK_SIZE = _gauge("agentos_disk_size_bytes", "The size of these disks.", "disk")
MCP_CONNECTED = _gauge("agentos_mcp_servers_connected", "MCP servers that are connected.")

# Of a worker.
STEPS_RUNNING = _gauge(
    "agentos_steps_running", "Steps and calls of agents that run, by kind.", "kind"
)
STEP_SLOTS = _gauge("agentos_step_slots", "How many activities may run at once.")
STEP_SECONDS = _histogram(
    "agentos_step_duration_seconds",
    "Attempts at steps and calls, by kind and by how they ended; queued will be retried.",
    WORK_SECONDS,
    *("kind", "end"),
)
STEP_RETRIES = _counter(
    "agentos_step_retries_total", "Attempts that failed and are followed by another one.", "kind"
)
TURN_SECONDS = _histogram(
    "agentos_turn_duration_seconds",
    "Attempts at turns of models, by type of the task and by how they ended.",
    WORK_SECONDS,
    *("type", "end"),
)
MODEL_SECONDS = _histogram(
    "agentos_model_request_duration_seconds", "Requests to models.", WORK_SECONDS, "model", "end"
)
MODEL_TOKENS = _counter(
    "agentos_model_tokens_total",
    "Tokens by kind: input, those of it that were cached, and output; of broken answers, too.",
    *("model", "kind"),
)
MODEL_DOLLARS = _counter(
    "agentos_model_cost_dollars_total", "US dollars, by the prices that are set.", "model"
)
TOOL_CALLS = _counter(
    "agentos_tool_calls_total",
    "Calls of tools: ok, failed, cancelled, or refused by a breaker.",
    "tool",
    "end",
)
TOOL_SECONDS = _histogram(
    "agentos_tool_call_duration_seconds", "Calls of tools.", WORK_SECONDS, "tool"
)
SANDBOXES = _gauge("agentos_sandboxes_running", "Sandboxes that run, or wait for their place.")
SANDBOX_START = _histogram(
    "agentos_sandbox_start_seconds",
    "From the wish for a sandbox until its program runs: in one that waited for it (warm) or not.",
    _SHORT_SECONDS,
    "start",
)
SANDBOX_ENDS = _counter(
    "agentos_sandbox_runs_total", "Sandboxes that ended: ok, failed, limit or error.", "end"
)
DRAINING = _gauge("agentos_worker_draining", "1 while the worker stops and takes nothing new.")

# Of an API.
REQUESTS = _histogram(
    "agentos_http_request_duration_seconds",
    "Requests by template of the route; those that wait are told apart.",
    _SHORT_SECONDS,
    *("method", "route", "status"),
)
WAITED = _counter(
    "agentos_http_waits_total",
    "Long polls and streams of events that ended, however long they took.",
    *("route", "status"),
)
RECEIVED = _counter(
    "agentos_http_received_bytes_total",
    "Bytes of the bodies of requests, uploads above all.",
    "route",
)
SENT = _counter(
    "agentos_http_sent_bytes_total",
    "Bytes of the bodies of answers, downloads above all.",
    "route",
)
EVENT_STREAMS = _gauge("agentos_event_streams", "Clients that follow events.")
LONG_POLLS = _gauge("agentos_long_polls", "Requests that wait for something to happen.")
WEBHOOK_ATTEMPTS = _counter(
    "agentos_webhook_attempts_total", "Attempts to deliver to webhooks: delivered or failed.", "end"
)
WORKERS = Definition(
    "agentos_workers",
    Kind.GAUGE,
    "Workers that ask Temporal for work; 0 also where Temporal does not answer.",
    scope=Scope.DATABASE,
)
DATABASE_UP = _gauge("agentos_database_up", "1 while the database answers this API.")

# Of the database, told by every API.
TASKS = _stored(
    Kind.GAUGE,
    "agentos_tasks",
    "Tasks that have not ended; of more than 100,000 the oldest.",
    *("type", "status"),
)
OLDEST_PENDING = _stored(
    Kind.GAUGE,
    "agentos_oldest_pending_seconds",
    "For how long the task has waited that waits longest to be begun.",
)
TASK_ENDS = _stored(
    Kind.COUNTER, "agentos_tasks_ended_total", "Tasks that ended, by how.", "type", "status"
)
TASK_DURATION = Definition(
    "agentos_task_duration_seconds",
    Kind.HISTOGRAM,
    "From the start of a task to its end.",
    ("type", "status"),
    TASK_SECONDS,
    Scope.DATABASE,
)
TASK_START = Definition(
    "agentos_task_start_seconds",
    Kind.HISTOGRAM,
    "From the submission of a task to its start.",
    ("type",),
    START_SECONDS,
    Scope.DATABASE,
)
DEAD_LETTERS = _stored(
    Kind.GAUGE, "agentos_dead_letters_open", "Dead letters that nobody has dealt with."
)
APPROVALS = _stored(
    Kind.GAUGE, "agentos_approvals_waiting", "Calls and questions that wait for a person."
)
SCHEDULES_OVERDUE = _stored(
    Kind.GAUGE,
    "agentos_schedules_overdue",
    "Schedules that Temporal is not known to have as they are: their runs may be late.",
)
DELIVERIES = _stored(
    Kind.GAUGE, "agentos_webhook_deliveries_pending", "Notices that webhooks are still to be sent."
)
WEBHOOKS_OFF = _stored(
    Kind.GAUGE, "agentos_webhooks_off", "Webhooks that were switched off, as nothing got through."
)
MCP_SERVERS = _stored(Kind.GAUGE, "agentos_mcp_servers", "MCP servers that are registered and on.")
THINKING = _stored(
    Kind.GAUGE, "agentos_agents_thinking", "Agents that stay which are at work on a message."
)
QUOTA_USED = _stored(
    Kind.GAUGE,
    "agentos_quota_used_ratio",
    "What the team that is nearest to its quota of tokens has used of it today.",
)
BREAKERS = _stored(
    Kind.GAUGE,
    "agentos_breakers",
    "For how many teams the breaker of this name is in a state.",
    *("name", "state"),
)
BREAKER_OPENINGS = _stored(
    Kind.COUNTER,
    "agentos_breaker_openings_total",
    "How often the breakers of this name have opened.",
    "name",
)
LIMIT_WORK = _stored(
    Kind.GAUGE, "agentos_limit_work", "Work under a limit: running or waiting.", "limit", "state"
)
REMOVED = _stored(
    Kind.COUNTER, "agentos_housekeeping_removed_total", "Rows and blobs that were removed.", "sweep"
)
FREED = _stored(
    Kind.COUNTER, "agentos_housekeeping_freed_bytes_total", "Bytes of removed blobs.", "sweep"
)
REMAINING = _stored(
    Kind.GAUGE,
    "agentos_housekeeping_remaining",
    "What is known to be left; up to 10,000 for each team.",
    "sweep",
)
LAST_PASS = _stored(
    Kind.GAUGE,
    "agentos_housekeeping_last_pass_timestamp_seconds",
    "When the last pass of housekeeping ended.",
)

OF_PROCESSES = (
    *(LOOP_LAG, CONNECTIONS, MOST_CONNECTIONS, OVERFLOW, WAITING, WAITS),
    *(DISK_FREE, DISK_SIZE, MCP_CONNECTED),
)
OF_MODELS = (MODEL_SECONDS, MODEL_TOKENS, MODEL_DOLLARS)
OF_WORKERS = (
    *(STEPS_RUNNING, STEP_SLOTS, STEP_SECONDS, STEP_RETRIES, TURN_SECONDS, *OF_MODELS),
    *(TOOL_CALLS, TOOL_SECONDS),
    *(SANDBOXES, SANDBOX_START, SANDBOX_ENDS, DRAINING),
)
OF_APIS = (
    *(REQUESTS, WAITED, RECEIVED, SENT, EVENT_STREAMS, LONG_POLLS, WEBHOOK_ATTEMPTS),
    *(WORKERS, DATABASE_UP),
)
STORED = (
    *(TASKS, OLDEST_PENDING, TASK_ENDS, TASK_DURATION, TASK_START, DEAD_LETTERS, APPROVALS),
    *(SCHEDULES_OVERDUE, DELIVERIES, WEBHOOKS_OFF, MCP_SERVERS, THINKING, QUOTA_USED),
    *(BREAKERS, BREAKER_OPENINGS, LIMIT_WORK, REMOVED, FREED, REMAINING, LAST_PASS),
)
