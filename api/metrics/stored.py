"""What is in the database, of all teams. Each reader sets what it has read."""

from collections import Counter
from collections.abc import Awaitable, Callable

from activities.limits.base import name_of
from activities.metrics.definitions import (
    APPROVALS,
    BREAKER_OPENINGS,
    BREAKERS,
    DEAD_LETTERS,
    DELIVERIES,
    FREED,
    LAST_PASS,
    LIMIT_WORK,
    MCP_SERVERS,
    OLDEST_PENDING,
    QUOTA_USED,
    REMAINING,
    REMOVED,
    SCHEDULES_OVERDUE,
    TASK_DURATION,
    TASK_ENDS,
    TASK_START,
    TASKS,
    THINKING,
    WEBHOOKS_OFF,
)
from activities.store.breaker_decisions import count_breakers
from activities.store.housekeeping.progress import last_pass, totals
from activities.store.reading.figures import figures, living_tasks, tallies
from activities.store.reading.limits import limit_use
from api.metrics.families import Families
from api.services import Services
from workflows.states import LIVING, BreakerState, TaskType

Read = Callable[[Services, Families], Awaitable[None]]


async def _tasks(services: Services, families: Families) -> None:
    living = await living_tasks(services.database)
    # Those of which there is none, too: an alert can tell that from silence.
    counts: dict[tuple[str, ...], float] = {
        (kind.value, status.value): living.by_state.get((kind, status), 0)
        for kind in TaskType
        for status in sorted(LIVING)
    }
    families.set(TASKS, counts)
    families.set(OLDEST_PENDING, living.longest_wait_seconds)
    thinking = (n for (kind, _), n in living.by_state.items() if kind is TaskType.EXCHANGE)
    families.set(THINKING, sum(thinking))


async def _tallies(services: Services, families: Families) -> None:
    found = await tallies(services.database)
    ends = [tally for tally in found if not tally.is_of_starts]
    families.set(TASK_ENDS, {(t.type, t.outcome): sum(t.counts.values()) for t in ends})
    families.set_histogram(TASK_DURATION, ends)
    families.set_histogram(TASK_START, (tally for tally in found if tally.is_of_starts))


async def _figures(services: Services, families: Families) -> None:
    found = await figures(services.database, services.options.daily_tokens)
    families.set(DEAD_LETTERS, found.dead_letters)
    families.set(APPROVALS, found.approvals)
    families.set(SCHEDULES_OVERDUE, found.schedules_overdue)
    families.set(DELIVERIES, found.deliveries)
    families.set(WEBHOOKS_OFF, found.webhooks_off)
    families.set(MCP_SERVERS, found.mcp_servers)
    families.set(QUOTA_USED, found.quota_used)


async def _limits(services: Services, families: Families) -> None:
    """By name, without the team: teams are many, and whoever reads this is of none."""
    found: Counter[tuple[str, ...]] = Counter()
    for key, use in (await limit_use(services.database)).items():
        name = name_of(key)
        found[name, "running"] += use.used
        found[name, "waiting"] += use.waiting
    families.set(LIMIT_WORK, found)


async def _breakers(services: Services, families: Families) -> None:
    states: dict[tuple[str, ...], float] = {}
    openings: dict[tuple[str, ...], float] = {}
    for count in await count_breakers(services.database):
        states[count.name, BreakerState.OPEN] = count.open
        states[count.name, BreakerState.HALF_OPEN] = count.half_open
        openings[(count.name,)] = count.opened
    families.set(BREAKERS, states)
    families.set(BREAKER_OPENINGS, openings)


async def _housekeeping(services: Services, families: Families) -> None:
    found = await totals(services.database)
    families.set(REMOVED, {(name,): sweep.removed for name, sweep in found.items()})
    families.set(FREED, {(name,): sweep.freed_bytes for name, sweep in found.items()})
    families.set(REMAINING, {(name,): sweep.remaining for name, sweep in found.items()})
    last = await last_pass(services.database)
    if last.ended_at is not None:
        families.set(LAST_PASS, last.ended_at.timestamp())


ALL: tuple[Read, ...] = (_tasks, _tallies, _figures, _limits, _breakers, _housekeeping)
